//! The StatefulSet controller: pods with names and claims that stay theirs.
//!
//! **Invariants:** while anything it asked for is still unseen, it does nothing. There is never more
//! than one pod of a name, because a name is what the API holds once.
//!
//! **Spec:** upstream's `statefulset` controller.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{is_terminating, uid};
use mainstay_control::{
    Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;

use crate::Informers;
use crate::claim::{self, Claim};
use crate::expectations::Expectations;
use crate::follow::Follower;
use crate::history::{self, Created, Record};
use crate::informers::{BY_CONTROLLER, orphans};

mod act;
mod claims;
mod identity;
pub mod plan;
mod retention;
mod status;
mod storage;

#[cfg(test)]
mod tests;

use act::Trouble;
use plan::{Plan, Revision, View};

pub use identity::{INDEX_LABEL, POD_NAME_LABEL};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "statefulset-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:statefulset-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["apps"], resources: &["statefulsets"], verbs: &["get"] },
    Rule { groups: &["apps"], resources: &["statefulsets/status"], verbs: &["patch"] },
    Rule {
        groups: &["apps"],
        resources: &["controllerrevisions"],
        verbs: &["create", "delete", "get", "patch"],
    },
    Rule { groups: &[""], resources: &["pods"], verbs: &["create", "delete", "patch"] },
    Rule { groups: &[""], resources: &["persistentvolumeclaims"], verbs: &["create", "patch"] },
    events::RULE,
];

/// Sets worked on at a time.
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
    let controller = Arc::new(Controller {
        writer: Writer::new(client.clone(), NAME),
        world,
        informers,
        recorder,
        queue: Queue::default(),
        expectations: Expectations::default(),
    });
    let _subscriptions = subscribe(&controller);
    controller.informers.stateful_sets.synced().await;
    controller.informers.pods.synced().await;
    controller.informers.volume_claims.synced().await;
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

/// Keeps `controller` told of changes, for as long as the result is held.
fn subscribe(controller: &Arc<Controller>) -> (Subscription<StatefulSet>, Subscription<Pod>) {
    let (sets, pods) = (controller.informers.stateful_sets.clone(), controller.informers.pods.clone());
    let told = controller.clone();
    let of_sets = sets.subscribe(move |change| told.follower().owner_changed(change));
    let told = controller.clone();
    let of_pods = pods.subscribe(move |change| told.follower().pod_changed(change));
    (of_sets, of_pods)
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Key>,
    expectations: Expectations,
}

impl Controller {
    fn follower(&self) -> Follower<'_, StatefulSet> {
        Follower {
            owners: &self.informers.stateful_sets,
            queue: &self.queue,
            expectations: &self.expectations,
        }
    }

    async fn sync(&self, key: &Key) -> reconcile::Outcome<Trouble> {
        let Some(set) = self.informers.stateful_sets.get(key) else { return Ok(Next::Wait) };
        // Before the claim: what arrives from here on asks for another turn.
        if !self.expectations.are_met(key) {
            return Ok(Next::Wait);
        }
        let Some(selector) = set.spec.as_ref().and_then(|spec| claim::selector(&spec.selector)) else {
            return Ok(Next::Wait);
        };
        let mut revisions = history::claim(&self.informers, set.as_ref(), &selector);
        revisions.release.clear();
        let pods = self.claim_pods(&set, &selector);
        if !claim::settle(&self.writer, set.as_ref(), &revisions).await?
            || !claim::settle(&self.writer, set.as_ref(), &pods).await?
        {
            return Ok(Next::Wait);
        }
        let mut collisions =
            set.status.as_ref().and_then(|status| status.collision_count).unwrap_or_default();
        let Some(update) = self.update_revision(&set, &revisions.owned, &mut collisions).await? else {
            return Ok(Next::Wait);
        };
        let current = current_revision(&set, &revisions.owned).unwrap_or_else(|| update.clone());
        let (plan, done) = self.advance(key, &set, &pods.owned, (&current, &update)).await;
        let names = (current.name.as_str(), update.name.as_str());
        let reported = self.report(key, &set, status::status(&set, plan.counts, names, collisions)).await;
        let truncated = self.truncate(&set, &pods.owned, &revisions.owned, names).await;
        done?;
        reported?;
        truncated?;
        Ok(plan.next.map_or(Next::Wait, Next::After))
    }

    fn claim_pods(&self, set: &StatefulSet, selector: &kube::core::Selector) -> Claim<Pod> {
        let of = |value: &str| self.informers.pods.by(BY_CONTROLLER, value);
        let mut candidates = of(uid(&set.metadata));
        candidates.extend(of(&orphans(&set.namespace().unwrap_or_default())));
        claim::claim_members(&set.metadata, selector, candidates, |pod| identity::is_member(set, pod))
    }

    /// The revision of the set's template, recorded if it is not; none where the set is on its way
    /// out, and its history with it.
    async fn update_revision(
        &self,
        set: &StatefulSet,
        revisions: &[Arc<ControllerRevision>],
        collisions: &mut i32,
    ) -> Result<Option<Revision>, kube::Error> {
        let Some(template) = set.spec.as_ref().map(|spec| spec.template.clone()) else { return Ok(None) };
        let data = history::data(&template);
        let of = |name: &str| Some(Revision { name: name.to_owned(), template: template.clone() });
        match history::record(revisions, &data) {
            Record::Same(revision) => Ok(of(history::name(&revision))),
            _ if is_terminating(&set.metadata) => Ok(None),
            Record::Again(revision, number) => {
                history::renumber(&self.writer, &revision, number).await?;
                Ok(of(history::name(&revision)))
            }
            Record::New(number) => loop {
                let hash = history::hash(&data, *collisions);
                let labelled = (history::HASH_LABEL, hash.as_str());
                let revision = history::revision(set, &template, labelled, data.clone(), number);
                match history::create(&self.writer, &revision).await {
                    Ok(Created::Collided) => *collisions += 1,
                    Ok(_) => return Ok(of(history::name(&revision))),
                    Err(error) if writes::is_namespace_terminating(&error) => return Ok(None),
                    Err(error) => return Err(error),
                }
            },
        }
    }

    async fn advance(
        &self,
        key: &Key,
        set: &StatefulSet,
        pods: &[Arc<Pod>],
        (current, update): (&Revision, &Revision),
    ) -> (Plan, Result<(), Trouble>) {
        let claim = |name: &str| self.informers.volume_claims.get(&Key::new(&key.namespace, name));
        let view = View { set, pods, claim: &claim, current, update, now: self.world.now() };
        let mut plan = plan::advance(&view);
        let done = self.act(key, set, &mut plan).await;
        (plan, done)
    }

    async fn report(
        &self,
        key: &Key,
        set: &StatefulSet,
        status: k8s_openapi::api::apps::v1::StatefulSetStatus,
    ) -> Result<(), kube::Error> {
        match patch::difference(set.status.as_ref(), &status)? {
            Some(change) => writes::unless_gone(self.writer.merge_status::<StatefulSet>(key, change).await),
            None => Ok(()),
        }
    }

    /// Deletes the oldest revisions that no pod is of, beyond those the set wants kept.
    async fn truncate(
        &self,
        set: &StatefulSet,
        pods: &[Arc<Pod>],
        revisions: &[Arc<ControllerRevision>],
        live: (&str, &str),
    ) -> Result<(), kube::Error> {
        let limit = set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
        let live = pods.iter().map(|pod| history::revision_label(&pod.metadata)).chain([live.0, live.1]);
        for revision in history::surplus(revisions, &live.collect(), limit) {
            history::delete(&self.writer, &revision).await?;
        }
        Ok(())
    }
}

/// The revision that the status calls the current one.
fn current_revision(set: &StatefulSet, revisions: &[Arc<ControllerRevision>]) -> Option<Revision> {
    let current = set.status.as_ref()?.current_revision.as_deref()?;
    let revision = revisions.iter().find(|revision| history::name(revision) == current)?;
    Some(Revision { name: current.to_owned(), template: history::template(revision) })
}
