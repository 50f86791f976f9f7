//! Carries a plan out, and tells of it.

use std::fmt;

use futures::future::{BoxFuture, join_all};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::DeleteParams;
use mainstay_control::{Key, reconcile, writes};
use serde_json::json;

use super::claims::Claims;
use super::plan::{Act, Plan, Step};
use super::{Controller, identity};

/// The most steps taken at once.
const BATCH: usize = 500;

/// Why a plan was not carried out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The API refused something; tried again.
    Api(kube::Error),
    /// A claim cannot be had; tried again.
    Claim(String),
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        Self::Api(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => f.write_str(&writes::text(error)),
            Self::Claim(why) => f.write_str(why),
        }
    }
}

impl reconcile::Failure for Trouble {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_conflict())
    }
}

impl Trouble {
    /// Whether nobody is to be told: a cache lagged behind, or the namespace is going.
    fn is_silent(&self) -> bool {
        match self {
            Self::Api(error) => writes::already_exists(error) || writes::is_namespace_terminating(error),
            Self::Claim(_) => false,
        }
    }
}

impl Controller {
    /// Takes the plan's steps, and lowers its counts by the pod it replaces.
    pub(super) async fn act(&self, key: &Key, set: &StatefulSet, plan: &mut Plan) -> Result<(), Trouble> {
        self.expect(key, plan);
        let done = self.take(set, plan).await;
        match done {
            Err(Trouble::Api(error)) if writes::is_namespace_terminating(&error) => {
                self.expectations.forget(key);
                plan.next = None;
                Ok(())
            }
            Err(trouble) => {
                // What was not done will not be seen either; doing it twice does no harm.
                self.expectations.forget(key);
                Err(trouble)
            }
            Ok(()) => Ok(()),
        }
    }

    fn expect(&self, key: &Key, plan: &Plan) {
        let steps = || plan.stages.iter().flatten();
        let creations = steps().filter(|step| step.act == Act::Create).count();
        let deletions = steps().filter(|step| step.act == Act::Delete).map(|step| &step.pod);
        let deletions = deletions.chain(&plan.outdated).map(|pod| Key::of(pod.as_ref()));
        self.expectations.expect(key, creations, deletions);
    }

    async fn take(&self, set: &StatefulSet, plan: &mut Plan) -> Result<(), Trouble> {
        for stage in &plan.stages {
            let mut size = 1;
            let mut rest = stage.as_slice();
            while !rest.is_empty() {
                let (batch, later) = rest.split_at(size.min(rest.len()));
                let steps = batch.iter().map(|step| -> BoxFuture<'_, _> { Box::pin(self.step(set, step)) });
                join_all(steps).await.into_iter().collect::<Result<(), _>>()?;
                rest = later;
                size = if plan.is_parallel { (2 * size).min(BATCH) } else { 1 };
            }
        }
        if let Some(pod) = &plan.outdated {
            self.delete(set, pod).await?;
            plan.counts.current -= 1;
        }
        Ok(())
    }

    async fn step(&self, set: &StatefulSet, step: &Step) -> Result<(), Trouble> {
        match &step.act {
            Act::Create => self.create(set, step).await,
            Act::Delete => self.delete(set, &step.pod).await,
            Act::Mend(patch) => {
                let mended = self.mend(set, step, patch.as_ref()).await;
                self.tell(set, &step.pod, Verb::Update, mended)
            }
            Act::Nothing => {
                self.create_claims(set, &step.pod, &step.claims).await?;
                let owned = self.own_claims(set, &step.claims).await;
                if owned.is_err() {
                    return self.tell(set, &step.pod, Verb::Update, owned);
                }
                Ok(())
            }
        }
    }

    async fn create(&self, set: &StatefulSet, step: &Step) -> Result<(), Trouble> {
        let claims = self.create_claims(set, &step.pod, &step.claims).await;
        if claims.is_err() {
            return self.tell(set, &step.pod, Verb::Create, claims);
        }
        let created = self.writer.create(step.pod.as_ref()).await.map(|_| ()).map_err(Trouble::from);
        if created.is_ok() {
            let owned = self.own_claims(set, &step.claims).await;
            if owned.is_err() {
                return self.tell(set, &step.pod, Verb::Update, owned);
            }
        }
        self.tell(set, &step.pod, Verb::Create, created)
    }

    async fn mend(
        &self,
        set: &StatefulSet,
        step: &Step,
        patch: Option<&serde_json::Value>,
    ) -> Result<(), Trouble> {
        self.create_claims(set, &step.pod, &step.claims).await?;
        self.own_claims(set, &step.claims).await?;
        if let Some(patch) = patch {
            self.writer.merge::<Pod>(&Key::of(step.pod.as_ref()), patch).await?;
        }
        Ok(())
    }

    async fn delete(&self, set: &StatefulSet, pod: &Pod) -> Result<(), Trouble> {
        let deleted = self.writer.delete::<Pod>(&Key::of(pod), &DeleteParams::default()).await;
        self.tell(set, pod, Verb::Delete, deleted.map_err(Trouble::from))
    }

    async fn create_claims(&self, set: &StatefulSet, pod: &Pod, claims: &Claims) -> Result<(), Trouble> {
        let mut troubles: Vec<String> =
            claims.dying.iter().map(|name| format!("pvc {name} is being deleted")).collect();
        for claim in &claims.create {
            let created = self.writer.create(claim).await;
            match created.map(|_| ()).map_err(Trouble::from) {
                Err(trouble) if trouble.is_silent() => return Err(trouble),
                created => {
                    self.tell_claim(set, pod, claim, created.as_ref().err());
                    let name = identity::name(&claim.metadata);
                    troubles.extend(created.err().map(|why| format!("failed to create PVC {name}: {why}")));
                }
            }
        }
        match troubles.len() {
            0 => Ok(()),
            1 => Err(Trouble::Claim(troubles.remove(0))),
            _ => Err(Trouble::Claim(format!("[{}]", troubles.join(", ")))),
        }
    }

    async fn own_claims(&self, set: &StatefulSet, claims: &Claims) -> Result<(), Trouble> {
        for name in &claims.contested {
            let message = format!(
                "PersistentVolumeClaim {name} has a conflicting OwnerReference that acts as a manging \
                 controller, the retention policy is ignored for this claim"
            );
            self.recorder.warning(set, "ConflictingController", message);
        }
        for (claim, owners) in &claims.own {
            let version = &claim.metadata.resource_version;
            let patch = json!({"metadata": {"resourceVersion": version, "ownerReferences": owners}});
            let key = Key::of(claim.as_ref());
            let owned = self.writer.merge::<PersistentVolumeClaim>(&key, &patch).await;
            owned.map_err(|error| match error {
                kube::Error::Api(status) if status.code != 409 => Trouble::Claim(format!(
                    "could not update claim {} for delete policy ownerRefs: {}",
                    key.name, status.message
                )),
                error => Trouble::Api(error),
            })?;
        }
        Ok(())
    }

    fn tell(
        &self,
        set: &StatefulSet,
        pod: &Pod,
        verb: Verb,
        done: Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let (what, pod, of) = (verb.text(), identity::name(&pod.metadata), identity::name(&set.metadata));
        match &done {
            Ok(()) => {
                let message = format!("{what} Pod {pod} in StatefulSet {of} successful");
                self.recorder.normal(set, verb.succeeded(), message);
            }
            Err(trouble) if trouble.is_silent() => {}
            Err(trouble) => {
                let message = format!("{what} Pod {pod} in StatefulSet {of} failed error: {trouble}");
                self.recorder.warning(set, verb.failed(), message);
            }
        }
        done
    }

    fn tell_claim(
        &self,
        set: &StatefulSet,
        pod: &Pod,
        claim: &PersistentVolumeClaim,
        trouble: Option<&Trouble>,
    ) {
        let claim = identity::name(&claim.metadata);
        let (pod, of) = (identity::name(&pod.metadata), identity::name(&set.metadata));
        match trouble {
            None => {
                let message = format!("create Claim {claim} Pod {pod} in StatefulSet {of} success");
                self.recorder.normal(set, "SuccessfulCreate", message);
            }
            Some(why) => {
                let message =
                    format!("create Claim {claim} for Pod {pod} in StatefulSet {of} failed error: {why}");
                self.recorder.warning(set, "FailedCreate", message);
            }
        }
    }
}

/// What is told of a pod.
#[derive(Clone, Copy)]
enum Verb {
    Create,
    Update,
    Delete,
}

impl Verb {
    fn text(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn succeeded(self) -> &'static str {
        match self {
            Self::Create => "SuccessfulCreate",
            Self::Update => "SuccessfulUpdate",
            Self::Delete => "SuccessfulDelete",
        }
    }

    fn failed(self) -> &'static str {
        match self {
            Self::Create => "FailedCreate",
            Self::Update => "FailedUpdate",
            Self::Delete => "FailedDelete",
        }
    }
}
