//! The Deployment controller: sets of pods that follow a template, one rollout after another.
//!
//! **Spec:** upstream's `deployment` controller.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{DeleteParams, Patch};
use kube::{Api, ResourceExt};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{controller_uid, is_terminating, uid};
use mainstay_control::{
    Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use crate::Informers;
use crate::claim::{self, Claim};
use crate::informers::{BY_CONTROLLER, orphans};

mod revision;
pub mod rollout;
mod scaling;
mod set;
mod size;
mod status;
pub(crate) mod template;
mod watch;

#[cfg(test)]
mod tests;

use rollout::{Notice, Plan, View};

pub use revision::REVISION;
pub use size::Size;
pub use template::HASH_LABEL;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "deployment-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:deployment-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["apps"], resources: &["deployments"], verbs: &["get", "patch"] },
    Rule { groups: &["apps"], resources: &["deployments/status"], verbs: &["patch"] },
    Rule { groups: &["apps"], resources: &["replicasets"], verbs: &["create", "delete", "get", "patch"] },
    events::RULE,
];

/// Deployments worked on at a time.
const WORKERS: usize = 5;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped; `client` is the one it writes through.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let writer = Writer::new(client.clone(), NAME);
    let controller = Arc::new(Controller { writer, world, informers, recorder, queue: Queue::default() });
    let _subscriptions = watch::subscribe(&controller);
    controller.informers.deployments.synced().await;
    controller.informers.replica_sets.synced().await;
    controller.informers.pods.synced().await;
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Key>,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(deployment) = self.informers.deployments.get(key) else { return Ok(Next::Wait) };
        if selects_all(&deployment) {
            return self.refuse(key, &deployment).await;
        }
        let Some(claim) = self.claim(&deployment) else { return Ok(Next::Wait) };
        self.take_over_and_let_go(&deployment, &claim).await?;
        let now = self.world.now();
        let view = View {
            deployment: &deployment,
            pods: &if size::is_recreate(&deployment) { self.pods(&claim.owned) } else { Vec::new() },
            sets: &claim.owned,
            now: jiff::Timestamp::from_second(now.as_second()).unwrap_or(now),
        };
        let plan = rollout::advance(view);
        self.apply(key, &deployment, &plan).await
    }

    /// Who selects every pod would take over those of everybody else.
    async fn refuse(&self, key: &Key, deployment: &Deployment) -> reconcile::Outcome {
        let message = "This deployment is selecting all pods. A non-empty selector is required.";
        self.recorder.warning(deployment, "SelectingAll", message.to_owned());
        let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
        if observed < deployment.metadata.generation {
            let change = json!({"observedGeneration": deployment.metadata.generation});
            writes::unless_gone(self.write_status(key, deployment, change).await)?;
        }
        Ok(Next::Wait)
    }

    fn claim(&self, deployment: &Deployment) -> Option<Claim<ReplicaSet>> {
        let selector = claim::selector(&deployment.spec.as_ref()?.selector)?;
        let of = |value: &str| self.informers.replica_sets.by(BY_CONTROLLER, value);
        let mut candidates = of(uid(&deployment.metadata));
        candidates.extend(of(&orphans(&deployment.namespace().unwrap_or_default())));
        Some(claim::claim(&deployment.metadata, &selector, candidates))
    }

    fn pods(&self, sets: &[Arc<ReplicaSet>]) -> Vec<Arc<Pod>> {
        sets.iter().flat_map(|set| self.informers.pods.by(BY_CONTROLLER, uid(&set.metadata))).collect()
    }

    async fn take_over_and_let_go(
        &self,
        deployment: &Deployment,
        claim: &Claim<ReplicaSet>,
    ) -> Result<(), kube::Error> {
        if !claim.adopt.is_empty() && !self.is_still_there(deployment).await? {
            return Ok(());
        }
        for set in &claim.adopt {
            let adoption = Patch::Strategic(claim::adoption(deployment, set.as_ref()));
            self.writer.patch::<ReplicaSet>(&Key::of(set.as_ref()), None, &adoption).await?;
        }
        for set in &claim.release {
            let release = Patch::Strategic(claim::release(deployment, set.as_ref()));
            writes::unless_gone(
                self.writer.patch::<ReplicaSet>(&Key::of(set.as_ref()), None, &release).await,
            )?;
        }
        Ok(())
    }

    /// Asks the server itself: nothing may be taken over by an owner that is on its way out.
    async fn is_still_there(&self, deployment: &Deployment) -> Result<bool, kube::Error> {
        let namespace = deployment.namespace().unwrap_or_default();
        let api = Api::<Deployment>::namespaced(self.writer.client().clone(), &namespace);
        let fresh = api.get_metadata_opt(&deployment.name_any()).await?;
        Ok(fresh.is_some_and(|fresh| {
            uid(&fresh.metadata) == uid(&deployment.metadata) && !is_terminating(&fresh.metadata)
        }))
    }

    async fn apply(&self, key: &Key, deployment: &Deployment, plan: &Plan) -> reconcile::Outcome {
        if let Some(set) = &plan.create {
            match self.writer.create(set.as_ref()).await {
                Ok(_) => {}
                Err(error) if writes::is_namespace_terminating(&error) => return Ok(Next::Wait),
                Err(error) if writes::already_exists(&error) => {
                    return self.collided(key, deployment, set).await;
                }
                Err(error) => return self.creation_failed(key, deployment, set, error).await,
            }
        }
        for update in &plan.update {
            if update.patch != Value::Null {
                self.writer.merge::<ReplicaSet>(&Key::of(update.set.as_ref()), &update.patch).await?;
            }
            for message in &update.events {
                self.recorder.normal(deployment, "ScalingReplicaSet", message.clone());
            }
        }
        for set in &plan.delete {
            self.writer.delete::<ReplicaSet>(&Key::of(set.as_ref()), &DeleteParams::background()).await?;
        }
        if let Some(rollback) = &plan.rollback {
            self.writer.merge::<Deployment>(key, &rollback.patch).await?;
            self.tell(deployment, &rollback.notice);
        }
        // Sets that changed ask for another turn; it reports what has come of all this.
        if plan.is_new_to_the_deployment() || plan.update.iter().all(|update| update.patch == Value::Null) {
            self.report(key, deployment, plan).await?;
        }
        Ok(plan.next())
    }

    fn tell(&self, deployment: &Deployment, notice: &Notice) {
        let Notice { is_warning, reason, message } = notice;
        if *is_warning {
            self.recorder.warning(deployment, reason, message.clone());
        } else {
            self.recorder.normal(deployment, reason, message.clone());
        }
    }

    /// Writes the status, and the revision with it: as a change of its own it would count as one of
    /// the Deployment's generations. Of a Deployment that has changed since nothing is written: what
    /// the last turn said of it would be lost.
    async fn report(&self, key: &Key, deployment: &Deployment, plan: &Plan) -> Result<(), kube::Error> {
        let mut metadata = json!({"resourceVersion": deployment.metadata.resource_version});
        if let Some(revision) = plan.revision {
            metadata["annotations"] = json!({REVISION: revision.to_string()});
        }
        let mut patch = json!({ "metadata": metadata });
        match patch::difference(deployment.status.as_ref(), &plan.status)? {
            Some(change) => patch["status"] = change,
            None if plan.revision.is_none() => return Ok(()),
            None => {}
        }
        let patch = Patch::Merge(patch);
        writes::unless_gone(self.writer.patch::<Deployment>(key, Some("status"), &patch).await)
    }

    /// Writes what changes of the status, unless the Deployment has changed since it was read.
    async fn write_status(&self, key: &Key, known: &Deployment, change: Value) -> Result<(), kube::Error> {
        let version = known.metadata.resource_version.as_deref();
        self.writer.merge_status_at::<Deployment>(key, version, change).await.map(|_| ())
    }

    /// The name was taken: by the set itself, which the cache does not show yet, or by another,
    /// which makes the next try hash to another name.
    async fn collided(&self, key: &Key, deployment: &Deployment, wanted: &ReplicaSet) -> reconcile::Outcome {
        let api = Api::<ReplicaSet>::namespaced(self.writer.client().clone(), &key.namespace);
        let Some(taken) = api.get_opt(&wanted.name_any()).await? else { return Ok(Next::Wait) };
        let template =
            |set: &ReplicaSet| set.spec.as_ref().and_then(|spec| spec.template.clone()).unwrap_or_default();
        if controller_uid(&taken.metadata) == Some(uid(&deployment.metadata))
            && template::is_same(&template(&taken), &template(wanted))
        {
            return Ok(Next::Wait);
        }
        let collisions =
            deployment.status.as_ref().and_then(|status| status.collision_count).unwrap_or_default();
        self.write_status(key, deployment, json!({"collisionCount": collisions + 1})).await?;
        Ok(Next::Wait)
    }

    async fn creation_failed(
        &self,
        key: &Key,
        deployment: &Deployment,
        set: &ReplicaSet,
        error: kube::Error,
    ) -> reconcile::Outcome {
        const REASON: &str = "ReplicaSetCreateError";
        let message =
            format!("Failed to create new replica set \"{}\": {}", set.name_any(), writes::text(&error));
        self.recorder.warning(deployment, REASON, message.clone());
        if status::deadline(deployment).is_some() {
            let mut after = deployment.status.clone().unwrap_or_default();
            let now = self.world.now();
            status::set(&mut after, status::condition(status::PROGRESSING, "False", REASON, &*message, now));
            if let Some(change) = patch::difference(deployment.status.as_ref(), &after)? {
                self.write_status(key, deployment, change).await?;
            }
        }
        Err(error)
    }
}

fn selects_all(deployment: &Deployment) -> bool {
    deployment.spec.as_ref().is_some_and(|spec| spec.selector == LabelSelector::default())
}
