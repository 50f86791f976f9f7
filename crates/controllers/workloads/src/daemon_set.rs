//! The DaemonSet controller: a pod on every node that shall have one.
//!
//! **Invariants:** while anything it asked for is still unseen, it neither creates nor deletes. It
//! binds no pod: each asks the scheduler for its one node.
//!
//! **Spec:** upstream's `daemon` controller.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::core::Selector;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{is_terminating, uid};
use mainstay_control::{
    Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;

use crate::Informers;
use crate::claim::{self, Claim};
use crate::expectations::Expectations;
use crate::history;
use crate::informers::{BY_CONTROLLER, orphans};

mod act;
mod backoff;
mod board;
mod placement;
pub mod plan;
mod pod;
mod revisions;
pub mod rollout;
mod size;
mod status;
mod watch;

#[cfg(test)]
mod tests;

use backoff::Backoff;

pub use board::{Board, GENERATION_LABEL, TEMPLATE_GENERATION};
pub use placement::Fit;
pub use size::Size;

/// Its name, and the field manager it writes as.
pub const NAME: &str = "daemonset-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:daemon-set-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["apps"], resources: &["daemonsets"], verbs: &["get"] },
    Rule { groups: &["apps"], resources: &["daemonsets/status"], verbs: &["patch"] },
    Rule {
        groups: &["apps"],
        resources: &["controllerrevisions"],
        verbs: &["create", "delete", "get", "patch"],
    },
    Rule { groups: &[""], resources: &["pods"], verbs: &["create", "delete", "patch"] },
    events::RULE,
];

/// Sets worked on at a time.
const WORKERS: usize = 2;

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
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        queue: Queue::default(),
        expectations: Expectations::default(),
        backoff: Backoff::default(),
    });
    let _subscriptions = watch::subscribe(&controller);
    controller.informers.daemon_sets.synced().await;
    controller.informers.pods.synced().await;
    controller.informers.nodes.synced().await;
    controller.informers.controller_revisions.synced().await;
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
    expectations: Expectations,
    backoff: Backoff,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(set) = self.informers.daemon_sets.get(key) else {
            self.expectations.forget(key);
            return Ok(Next::Wait);
        };
        // Before the claim: what arrives from here on asks for another turn.
        let is_settled = self.expectations.are_met(key);
        let Some(selector) = set.spec.as_ref().and_then(|spec| claim::selector(&spec.selector)) else {
            return Ok(Next::Wait);
        };
        if selector.selects_all() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            self.recorder.warning(set.as_ref(), "SelectingAll", message.to_owned());
            return Ok(Next::Wait);
        }
        // Its pods and its history may be gone already or be nobody's: nothing can be said of it.
        if is_terminating(&set.metadata) {
            return Ok(Next::Wait);
        }
        let revisions = history::claim(&self.informers, set.as_ref(), &selector);
        let pods = self.claim_pods(&set, &selector);
        if !claim::settle(&self.writer, set.as_ref(), &revisions).await?
            || !claim::settle(&self.writer, set.as_ref(), &pods).await?
        {
            return Ok(Next::Wait);
        }
        let current = self.current(key, &set, &revisions.owned, &pods.owned).await?;
        let Some((hash, old)) = current else { return Ok(Next::Wait) };
        self.advance(key, &set, (&hash, &old), &pods.owned, is_settled).await
    }

    fn claim_pods(&self, set: &DaemonSet, selector: &Selector) -> Claim<Pod> {
        let of = |value: &str| self.informers.pods.by(BY_CONTROLLER, value);
        let mut candidates = of(uid(&set.metadata));
        candidates.extend(of(&orphans(&set.namespace().unwrap_or_default())));
        claim::claim(&set.metadata, selector, candidates)
    }

    async fn advance(
        &self,
        key: &Key,
        set: &DaemonSet,
        (hash, old): (&str, &[Arc<ControllerRevision>]),
        pods: &[Arc<Pod>],
        is_settled: bool,
    ) -> reconcile::Outcome {
        let nodes = self.informers.nodes.all();
        let board = Board::new(set, &nodes, pods, hash, self.world.now());
        if !is_settled {
            let observed = set.status.as_ref().and_then(|status| status.observed_generation);
            self.report(key, set, &status::status(&board, observed)).await?;
            return Ok(Next::Wait);
        }
        let mut plan =
            plan::advance(&board, &|node| self.backoff.delay(uid(&set.metadata), observed(set), node));
        let next = [plan.next, status::next_available(&board)].into_iter().flatten().min();
        if plan.is_empty() {
            plan = rollout::advance(&board);
        }
        let mut done = if plan.is_empty() { Ok(()) } else { self.act(key, set, hash, &plan).await };
        if done.is_ok() {
            done = self.clean_up(set, old, pods).await;
        }
        let reported = self.report(key, set, &status::status(&board, set.metadata.generation)).await;
        done?;
        reported?;
        Ok(next.map_or(Next::Wait, Next::After))
    }

    async fn clean_up(
        &self,
        set: &DaemonSet,
        old: &[Arc<ControllerRevision>],
        pods: &[Arc<Pod>],
    ) -> Result<(), kube::Error> {
        let limit = set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
        for revision in revisions::surplus(old, pods, limit) {
            history::delete(&self.writer, &revision).await?;
        }
        Ok(())
    }

    async fn report(&self, key: &Key, set: &DaemonSet, status: &DaemonSetStatus) -> Result<(), kube::Error> {
        match patch::difference(set.status.as_ref(), status)? {
            Some(change) => writes::unless_gone(self.writer.merge_status::<DaemonSet>(key, change).await),
            None => Ok(()),
        }
    }
}

/// The generation that was last acted on.
fn observed(set: &DaemonSet) -> i64 {
    set.status.as_ref().and_then(|status| status.observed_generation).unwrap_or_default()
}
