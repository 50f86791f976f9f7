//! The Job controller: runs pods until enough have succeeded, or too many have failed.
//!
//! **Invariants:** a pod keeps a finalizer until it is counted, and a status is only written over the
//! one it was made from: every pod counts once. While anything it asked for is still unseen, it neither
//! creates nor deletes, unless the Job has ended.
//!
//! **Not here:** restarting containers in place (`agent`), deleting Jobs that ended
//! (`ttl_after_finished`, `cron_job`).
//!
//! **Spec:** upstream's `job` controller with what is on by default in 1.33. One count is right where
//! upstream's is not: while it waits after a failure, the pods that run stay counted as active.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch};
use kube::core::Selector;
use kube::{Api, ResourceExt};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::backoff::ItemBackoff;
use mainstay_control::meta::{is_terminating, uid};
use mainstay_control::{
    Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use serde_json::{Value, json};

use crate::claim::{self, Claim};
use crate::expectations::Expectations;
use crate::informers::{BY_CONTROLLER, orphans as unowned};
use crate::replica_set::slow_start;
use crate::told::tell;
use crate::{Informers, jobs, pods};

pub mod backoff;
mod conditions;
pub mod failure_policy;
pub mod indexes;
mod memory;
mod orphans;
pub mod plan;
pub mod pod;
mod removal;
mod success_policy;
pub mod track;
pub mod view;
mod watch;

#[cfg(test)]
mod tests;

use memory::Memory;
use orphans::Orphans;
use plan::{Done, Work};
use view::{FINALIZER, Tally, View, has_finalizer, number};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "job-controller";
/// The user it writes as.
pub const USER: &str = "system:serviceaccount:kube-system:job-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["batch"], resources: &["jobs"], verbs: &["get"] },
    Rule { groups: &["batch"], resources: &["jobs/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["create", "delete", "patch"] },
    events::RULE,
];

/// Jobs worked on at a time.
const WORKERS: usize = 5;
/// Who manages a Job that names nobody.
const ITSELF: &str = "kubernetes.io/job-controller";

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
        queue: Queue::new(patient()),
        orphans: Queue::new(patient()),
        expectations: Expectations::default(),
        memory: Memory::default(),
    });
    let _subscriptions = watch::subscribe(&controller);
    controller.informers.jobs.synced().await;
    controller.informers.pods.synced().await;
    let work = |key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    let let_go = |orphans| {
        let controller = controller.clone();
        async move { controller.let_go(&orphans).await }
    };
    tokio::select! {
        biased;
        () = reconcile::run(NAME, &controller.queue, WORKERS, &counters, work) => {}
        () = reconcile::run(NAME, &controller.orphans, WORKERS, &counters, let_go) => {}
        () = sink.run(client) => {}
    }
    Err("the work loop ended".into())
}

/// Delays after failures: 1 second doubling to a minute.
fn patient<T: Ord + Clone>() -> ItemBackoff<T> {
    ItemBackoff::new(Duration::from_secs(1), Duration::from_mins(1))
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    recorder: Recorder,
    queue: Queue<Key>,
    orphans: Queue<Orphans>,
    expectations: Expectations,
    memory: Memory,
}

/// The status as it was last read or written.
struct Written {
    version: Option<String>,
    status: Option<JobStatus>,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(job) = self.informers.jobs.get(key) else { return Ok(Next::Wait) };
        let Some(spec) = job.spec.as_ref() else { return Ok(Next::Wait) };
        if is_managed_elsewhere(&job) || jobs::ended(&job).is_some() {
            return Ok(Next::Wait);
        }
        if !matches!(spec.completion_mode.as_deref(), None | Some("NonIndexed" | "Indexed")) {
            let message = "Skipped Job sync because completion mode is unknown".to_owned();
            self.recorder.warning(job.as_ref(), "UnknownCompletionMode", message);
            return Ok(Next::Wait);
        }
        // Before the claim: what arrives from here on asks for another turn.
        let is_settled = self.expectations.are_met(key);
        let Some(pods) = self.pods(&job).await? else { return Ok(Next::Wait) };
        let mut view = View::new(&job, spec, pods, self.world.now());
        view.is_settled = is_settled;
        view.released = self.memory.released(key);
        view.failures = self.memory.failures(key);
        let tally = view.tally();
        let plan = plan::plan(&mut view, &tally);
        let (done, worked) = self.work(key, &view, &tally, &plan.work).await;
        let after = plan::conclude(&view, &tally, &plan, done);
        self.track(key, &view, &tally, after).await?;
        worked?;
        Ok(plan.again.map_or(Next::Wait, Next::After))
    }

    /// The Job's pods, after it took over orphans and let strays go; `None` when its selector is
    /// malformed.
    async fn pods(&self, job: &Job) -> Result<Option<Vec<Arc<Pod>>>, kube::Error> {
        let Some(selector) = selector(job) else { return Ok(None) };
        let of = |value: &str| self.informers.pods.by(BY_CONTROLLER, value);
        let mut candidates = of(uid(&job.metadata));
        candidates.extend(of(&unowned(&job.namespace().unwrap_or_default())));
        let Claim { mut owned, adopt, release } = claim::claim(&job.metadata, &selector, candidates);
        if !adopt.is_empty() && !self.is_still_there(job).await? {
            return Ok(None);
        }
        for pod in &adopt {
            self.patch(pod, adoption(job, pod)).await?;
        }
        for pod in &release {
            writes::unless_gone(self.patch(pod, let_go(job, pod)).await)?;
        }
        for pod in owned.iter_mut().filter(|pod| adopt.iter().any(|adopted| Arc::ptr_eq(adopted, pod))) {
            if !has_finalizer(pod) {
                Arc::make_mut(pod).metadata.finalizers.get_or_insert_default().push(FINALIZER.to_owned());
            }
        }
        Ok(Some(owned))
    }

    async fn patch(&self, pod: &Pod, patch: Value) -> Result<(), kube::Error> {
        self.writer.patch::<Pod>(&Key::of(pod), None, &Patch::Strategic(patch)).await
    }

    /// Asks the server itself: nothing may be taken over by an owner that is on its way out.
    async fn is_still_there(&self, job: &Job) -> Result<bool, kube::Error> {
        let api = Api::<Job>::namespaced(self.writer.client().clone(), &job.namespace().unwrap_or_default());
        let fresh = api.get_metadata_opt(&job.name_any()).await?;
        Ok(fresh.is_some_and(|fresh| {
            uid(&fresh.metadata) == uid(&job.metadata) && !is_terminating(&fresh.metadata)
        }))
    }

    /// Does what is to be done about pods; says how far it came.
    async fn work(
        &self,
        key: &Key,
        view: &View<'_>,
        tally: &Tally,
        work: &Work,
    ) -> (Done, Result<(), kube::Error>) {
        match work {
            Work::None | Work::Wait(_) | Work::Keep => (Done::default(), Ok(())),
            Work::Create(indexes) => self.create(key, view.job, tally, indexes).await,
            Work::End(pods) => {
                deleted(pods, join_all(pods.iter().map(|pod| self.delete(view.job, pod))).await)
            }
            Work::Remove(pods) => {
                self.expectations.expect_deletions(key, pods.iter().map(|pod| Key::of(pod.as_ref())));
                let results = join_all(pods.iter().map(|pod| self.remove(key, view.job, pod))).await;
                deleted(pods, results)
            }
        }
    }

    async fn create(
        &self,
        key: &Key,
        job: &Job,
        tally: &Tally,
        indexes: &[Option<i32>],
    ) -> (Done, Result<(), kube::Error>) {
        self.expectations.expect_creations(key, indexes.len());
        let place = AtomicUsize::new(0);
        let (created, result) = slow_start(indexes.len(), || {
            let index = indexes.get(place.fetch_add(1, Ordering::Relaxed)).copied().flatten();
            let replaced = index.and_then(|index| tally.kept.get(&index));
            self.create_one(job, pod::pod(job, index, replaced.map(AsRef::as_ref)))
        })
        .await;
        // What was not created will not be seen either.
        self.expectations.created(key, indexes.len() - created);
        let result = match result {
            Err(error) if writes::is_namespace_terminating(&error) => Ok(()),
            other => other,
        };
        (Done { created: number(created), ..Done::default() }, result)
    }

    async fn create_one(&self, job: &Job, pod: Pod) -> Result<(), kube::Error> {
        match self.writer.create(&pod).await {
            Ok(created) => {
                let message = format!("Created pod: {}", created.name.unwrap_or_default());
                self.recorder.normal(job, "SuccessfulCreate", message);
                Ok(())
            }
            Err(error) => {
                if !writes::is_namespace_terminating(&error) {
                    let message = format!("Error creating: {}", writes::text(&error));
                    self.recorder.warning(job, "FailedCreate", message);
                }
                Err(error)
            }
        }
    }

    /// Deletes a pod that shall not count: its finalizer goes first.
    async fn remove(&self, key: &Key, job: &Job, pod: &Pod) -> Result<(), kube::Error> {
        let result = async {
            if has_finalizer(pod) {
                writes::unless_gone(self.patch(pod, release()).await)?;
            }
            self.delete(job, pod).await
        }
        .await;
        if result.is_err() {
            self.expectations.deleted(key, &Key::of(pod));
        }
        result
    }

    async fn delete(&self, job: &Job, pod: &Pod) -> Result<(), kube::Error> {
        let name = pod.name_any();
        match self.writer.delete::<Pod>(&Key::of(pod), &DeleteParams::default()).await {
            Ok(()) => {
                self.recorder.normal(job, "SuccessfulDelete", format!("Deleted pod: {name}"));
                Ok(())
            }
            Err(error) => {
                let message = format!("Error deleting: {}", writes::text(&error));
                self.recorder.warning(job, "FailedDelete", message);
                Err(error)
            }
        }
    }

    /// Counts what ended: into the status, off with the finalizers, into the counts, and perhaps the
    /// end of the Job.
    async fn track(
        &self,
        key: &Key,
        view: &View<'_>,
        tally: &Tally,
        mut after: plan::After,
    ) -> Result<(), kube::Error> {
        tell(&self.recorder, view.job, after.told.drain(..));
        let mut tracking = track::begin(view, tally, &mut after);
        let mut written =
            Written { version: view.job.metadata.resource_version.clone(), status: view.job.status.clone() };
        if after.changed {
            self.write(key, &mut written, &after.status).await?;
            self.memory.remember(key, tally.failures);
        }
        let (gone, released) = self.release(key, &tracking.release).await;
        let gone: Vec<&Pod> = gone.iter().map(AsRef::as_ref).collect();
        let has_counted = track::released(&mut tracking, &mut after.status, &gone);
        let has_ended = released.is_ok() && track::end(&tracking, &mut after);
        if has_counted || has_ended {
            self.write(key, &mut written, &after.status).await?;
        }
        if has_ended {
            tell(&self.recorder, view.job, track::told(view, &after));
        }
        released
    }

    /// Takes the finalizers off; says of which pods.
    async fn release(&self, key: &Key, pods: &[Arc<Pod>]) -> (Vec<Arc<Pod>>, Result<(), kube::Error>) {
        self.memory.releases(key, pods.iter().map(|pod| uid(&pod.metadata)));
        let results = join_all(pods.iter().map(|pod| self.patch(pod, release()))).await;
        let (mut gone, mut failure) = (Vec::new(), Ok(()));
        for (pod, result) in pods.iter().zip(results) {
            if result.is_err() {
                self.memory.saw_released(key, uid(&pod.metadata));
            }
            match writes::unless_gone(result) {
                Ok(()) => gone.push(pod.clone()),
                Err(error) => failure = Err(error),
            }
        }
        (gone, failure)
    }

    /// Writes the status, if nobody has since it was last read or written.
    async fn write(&self, key: &Key, written: &mut Written, status: &JobStatus) -> Result<(), kube::Error> {
        let Some(change) = patch::difference(written.status.as_ref(), status)? else { return Ok(()) };
        let meta = self.writer.merge_status_at::<Job>(key, written.version.as_deref(), change).await?;
        *written = Written { version: meta.resource_version, status: Some(status.clone()) };
        Ok(())
    }
}

/// How many of the pods were deleted, and the first failure.
fn deleted(pods: &[Arc<Pod>], results: Vec<Result<(), kube::Error>>) -> (Done, Result<(), kube::Error>) {
    let mut done = Done::default();
    for (pod, _) in pods.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
        done.deleted += 1;
        done.deleted_ready += i32::from(pods::is_ready(pod));
    }
    (done, results.into_iter().collect())
}

/// Whether another controller runs the Job.
fn is_managed_elsewhere(job: &Job) -> bool {
    job.spec.as_ref().and_then(|spec| spec.managed_by.as_deref()).is_some_and(|manager| manager != ITSELF)
}

/// The selector of a Job's pods.
fn selector(job: &Job) -> Option<Selector> {
    claim::selector(job.spec.as_ref()?.selector.as_ref()?)
}

/// The strategic patch by which a Job takes a pod over, and will count it.
fn adoption(job: &Job, pod: &Pod) -> Value {
    let mut patch = claim::adoption(job, pod);
    patch["metadata"]["finalizers"] = json!([FINALIZER]);
    patch
}

/// The strategic patch by which a Job lets a pod go, and will not count it.
fn let_go(job: &Job, pod: &Pod) -> Value {
    let mut patch = claim::release(job, pod);
    patch["metadata"][WITHOUT] = json!([FINALIZER]);
    patch
}

/// The strategic patch that takes a pod's finalizer off.
fn release() -> Value {
    json!({"metadata": {WITHOUT: [FINALIZER]}})
}

/// Takes entries off a list of finalizers.
const WITHOUT: &str = "$deleteFromPrimitiveList/finalizers";
