//! The ReplicaSet controller: as many pods as each set asks for, whichever [`Shape`] it has.
//!
//! **Invariants:** while anything it asked for is still unseen, it neither creates nor deletes.
//!
//! **Spec:** upstream's `replicaset` controller.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch};
use kube::{Api, ResourceExt};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{is_terminating, uid};
use mainstay_control::{
    Component, Counters, Informer, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;

use crate::claim::{self, Claim};
use crate::expectations::Expectations;
use crate::informers::{BY_CONTROLLER, orphans};
use crate::{Informers, pods};

pub(crate) mod plan;
mod ranking;
mod shape;
mod slow_start;
mod watch;

#[cfg(test)]
mod tests;

use plan::{Failure, Plan};
pub use ranking::DELETION_COST;
pub(crate) use ranking::restarts;
pub(crate) use shape::Shape;
pub(crate) use slow_start::slow_start;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "replicaset-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:replicaset-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["apps"], resources: &["replicasets"], verbs: &["get"] },
    Rule { groups: &["apps"], resources: &["replicasets/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["create", "delete", "patch"] },
    events::RULE,
];

/// Sets worked on at a time.
const WORKERS: usize = 5;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        keep::<ReplicaSet>(client, world, informers.clone(), counters.clone())
    })
}

/// Keeps the sets of one kind until it is dropped; `client` is the one it writes through.
pub(crate) async fn keep<S: Shape>(
    client: kube::Client,
    world: World,
    informers: Informers,
    counters: Counters,
) -> Outcome {
    let (recorder, sink) = events::recorder(&world, S::TELLER);
    let controller = Arc::new(Controller {
        sets: S::cache(&informers).clone(),
        writer: Writer::new(client.clone(), S::NAME),
        world,
        informers,
        recorder,
        queue: Queue::default(),
        expectations: Expectations::default(),
    });
    let _subscriptions = watch::subscribe(&controller);
    controller.sets.synced().await;
    controller.informers.pods.synced().await;
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(S::NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

struct Controller<S> {
    sets: Informer<S>,
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Key>,
    expectations: Expectations,
}

type Creation<'a> = Pin<Box<dyn Future<Output = Result<(), kube::Error>> + Send + 'a>>;

impl<S: Shape> Controller<S> {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(set) = self.sets.get(key) else {
            self.expectations.forget(key);
            return Ok(Next::Wait);
        };
        // Before the claim: what arrives from here on asks for another turn.
        let is_settled = self.expectations.are_met(key);
        let Some(claim) = self.claim(&set) else { return Ok(Next::Wait) };
        self.take_over_and_let_go(&set, &claim).await?;
        let active = claim.owned;
        let mut failure = None;
        let mut resized = Ok(false);
        if is_settled && !is_terminating(set.meta()) {
            resized = self.resize(key, &set, &active).await.map_err(|(reason, error)| {
                failure = Some(Failure { reason, message: writes::text(&error) });
                error
            });
        }
        if matches!(resized, Ok(true)) {
            // What was asked for shows as changes of its pods, and then it is reported.
            return Ok(Next::Wait);
        }
        self.report(key, &set, &active, failure.as_ref()).await?;
        resized?;
        let next = plan::next_available(set.as_ref(), &active, self.world.now());
        Ok(next.map_or(Next::Wait, Next::After))
    }

    fn claim(&self, set: &S) -> Option<Claim<Pod>> {
        let selector = set.selector()?;
        let of = |value: &str| self.informers.pods.by(BY_CONTROLLER, value);
        let mut candidates = of(uid(set.meta()));
        candidates.extend(of(&orphans(&set.namespace().unwrap_or_default())));
        candidates.retain(|pod| pods::is_active(pod));
        Some(claim::claim(set.meta(), &selector, candidates))
    }

    async fn take_over_and_let_go(&self, set: &S, claim: &Claim<Pod>) -> Result<(), kube::Error> {
        if !claim.adopt.is_empty() && !self.is_still_there(set).await? {
            return Ok(());
        }
        for pod in &claim.adopt {
            let adoption = claim::adoption(set, pod.as_ref());
            self.writer.patch::<Pod>(&Key::of(pod.as_ref()), None, &Patch::Strategic(adoption)).await?;
        }
        for pod in &claim.release {
            let release = Patch::Strategic(claim::release(set, pod.as_ref()));
            writes::unless_gone(self.writer.patch::<Pod>(&Key::of(pod.as_ref()), None, &release).await)?;
        }
        Ok(())
    }

    /// Asks the server itself: nothing may be taken over by an owner that is on its way out.
    async fn is_still_there(&self, set: &S) -> Result<bool, kube::Error> {
        let namespace = set.namespace().unwrap_or_default();
        let api = Api::<S>::namespaced(self.writer.client().clone(), &namespace);
        let fresh = api.get_metadata_opt(&set.name_any()).await?;
        Ok(fresh
            .is_some_and(|fresh| uid(&fresh.metadata) == uid(set.meta()) && !is_terminating(&fresh.metadata)))
    }

    /// Creates or deletes pods; says whether it did.
    async fn resize(
        &self,
        key: &Key,
        set: &S,
        active: &[Arc<Pod>],
    ) -> Result<bool, (&'static str, kube::Error)> {
        match plan::plan(set, active, || self.related(set), self.world.now()) {
            Plan::Nothing => Ok(false),
            Plan::Create(count) => {
                self.create(key, set, count).await.map_err(|error| ("FailedCreate", error))
            }
            Plan::Delete(pods) => {
                let deleted = self.delete(key, set, &pods).await;
                deleted.map(|()| true).map_err(|error| ("FailedDelete", error))
            }
        }
    }

    /// The pods of all sets that have this one's owner.
    fn related(&self, set: &S) -> Vec<Arc<Pod>> {
        let sets = set.siblings(&self.informers);
        let uids = sets.iter().map(|set| uid(set.meta())).chain([uid(set.meta())]);
        let uids: std::collections::BTreeSet<&str> = uids.collect();
        uids.into_iter().flat_map(|uid| self.informers.pods.by(BY_CONTROLLER, uid)).collect()
    }

    async fn create(&self, key: &Key, set: &S, count: usize) -> Result<bool, kube::Error> {
        self.expectations.expect_creations(key, count);
        let pod = plan::pod(set);
        let call = || -> Creation<'_> { Box::pin(self.create_one(set, &pod)) };
        let (created, result) = slow_start(count, call).await;
        // What was not created will not be seen either.
        self.expectations.created(key, count - created);
        match result {
            Err(error) if writes::is_namespace_terminating(&error) => Ok(false),
            other => other.map(|()| true),
        }
    }

    async fn create_one(&self, set: &S, pod: &Pod) -> Result<(), kube::Error> {
        match self.writer.create(pod).await {
            Ok(created) => {
                let message = format!("Created pod: {}", created.name.unwrap_or_default());
                self.recorder.normal(set, "SuccessfulCreate", message);
                Ok(())
            }
            Err(error) => {
                if !writes::is_namespace_terminating(&error) {
                    let message = format!("Error creating: {}", writes::text(&error));
                    self.recorder.warning(set, "FailedCreate", message);
                }
                Err(error)
            }
        }
    }

    async fn delete(&self, key: &Key, set: &S, pods: &[Arc<Pod>]) -> Result<(), kube::Error> {
        let keys: Vec<Key> = pods.iter().map(|pod| Key::of(pod.as_ref())).collect();
        self.expectations.expect_deletions(key, keys.iter().cloned());
        let results = join_all(keys.iter().map(|pod| self.delete_one(key, set, pod))).await;
        results.into_iter().collect()
    }

    async fn delete_one(&self, key: &Key, set: &S, pod: &Key) -> Result<(), kube::Error> {
        match self.writer.delete::<Pod>(pod, &DeleteParams::default()).await {
            Ok(()) => {
                self.recorder.normal(set, "SuccessfulDelete", format!("Deleted pod: {}", pod.name));
                Ok(())
            }
            Err(error) => {
                self.expectations.deleted(key, pod);
                let message = format!("Error deleting: {}", writes::text(&error));
                self.recorder.warning(set, "FailedDelete", message);
                Err(error)
            }
        }
    }

    async fn report(
        &self,
        key: &Key,
        set: &S,
        active: &[Arc<Pod>],
        failure: Option<&Failure>,
    ) -> Result<(), kube::Error> {
        let status = plan::status(set, active, failure, self.world.now());
        match patch::difference(set.status().as_deref(), &status)? {
            Some(change) => writes::unless_gone(self.writer.merge_status::<S>(key, change).await),
            None => Ok(()),
        }
    }

    /// Asks for a turn once a pod that just became ready counts as available.
    fn look_again(&self, key: Key, min_ready_seconds: i32) {
        let delay = u64::try_from(min_ready_seconds).unwrap_or_default() + 1;
        self.queue.add_after(key, Duration::from_secs(delay));
    }
}
