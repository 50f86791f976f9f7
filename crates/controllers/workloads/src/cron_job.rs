//! The CronJob controller: makes Jobs when they are due.
//!
//! **Invariants:** a Job's name is made of the time it was due, so that none is made twice; a status
//! is only written over the one it was made from.
//!
//! **Not here:** the syntax of schedules (`mainstay_resource::cron`).
//!
//! **Spec:** upstream's `cronjob` controller, version 2.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Api;
use kube::api::DeleteParams;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::{controller_of, controller_uid, uid};
use mainstay_control::{
    Change, Component, Counters, Key, Next, Queue, Recorder, Writer, events, patch, reconcile, writes,
};
use mainstay_resource::Rule;
use mainstay_resource::cron::{CronError, Schedule};

use crate::informers::BY_CONTROLLER;
use crate::told::tell;
use crate::{Informers, jobs};

mod due;
pub mod job;
pub mod plan;

#[cfg(test)]
mod tests;

use plan::{Creation, Plan, Start};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "cronjob-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:cronjob-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &["batch"], resources: &["cronjobs"], verbs: &["get"] },
    Rule { groups: &["batch"], resources: &["cronjobs/status"], verbs: &["patch"] },
    Rule { groups: &["batch"], resources: &["jobs"], verbs: &["create", "delete", "get"] },
    events::RULE,
];

/// CronJobs worked on at a time.
const WORKERS: usize = 5;

/// The controller as the platform starts it.
pub fn component(informers: &Informers) -> Component {
    let (informers, counters) = (informers.clone(), Counters::default());
    Component::new(NAME, USER, RULES, counters.clone(), move |client, world| {
        run(client, world, informers.clone(), counters.clone())
    })
}

/// Runs until it is dropped.
pub async fn run(client: kube::Client, world: World, informers: Informers, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, NAME);
    let writer = Writer::new(client.clone(), NAME);
    let controller = Arc::new(Controller { writer, world, informers, recorder, queue: Queue::default() });
    controller.informers.cron_jobs.synced().await;
    controller.informers.jobs.synced().await;
    let told = controller.clone();
    let _crons = controller.informers.cron_jobs.subscribe(move |change| told.cron_changed(change));
    let told = controller.clone();
    let _jobs = controller.informers.jobs.subscribe(move |change| told.job_changed(change));
    let work = |key: Key| {
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

/// The schedule of a CronJob, in its time zone.
fn schedule(cron: &CronJob) -> Result<Schedule, CronError> {
    let spec = cron.spec.clone().unwrap_or_default();
    let zone = spec.time_zone.as_deref().and_then(|zone| mainstay_resource::cron::zone(zone).ok());
    Schedule::parse_in(&spec.schedule, &zone.unwrap_or(jiff::tz::TimeZone::UTC))
}

impl Controller {
    /// A new schedule counts from its next time on, everything else at once.
    fn cron_changed(&self, change: &Change<CronJob>) {
        let (key, new) = (Key::of(change.latest().as_ref()), change.latest());
        let when =
            |cron: &CronJob| cron.spec.as_ref().map(|spec| (spec.schedule.clone(), spec.time_zone.clone()));
        if change.now().is_none() || change.before().is_none_or(|old| when(old) == when(new)) {
            return self.queue.add(key);
        }
        if let Ok(schedule) = schedule(new) {
            if let Some(delay) = due::until_next(new, self.world.now(), &schedule) {
                self.queue.add_after(key, delay);
            }
        } else {
            let given = new.spec.as_ref().map(|spec| &*spec.schedule).unwrap_or_default();
            let message = format!("unparseable schedule for cronjob: {given}");
            self.recorder.warning(new.as_ref(), "UnParseableCronJobSchedule", message);
        }
    }

    fn job_changed(&self, change: &Change<Job>) {
        let owners = [change.before(), Some(change.latest())];
        for key in owners.into_iter().flatten().filter_map(|job| self.owner(job)) {
            self.queue.add(key);
        }
    }

    /// The CronJob that owns the Job, if it is the one of that uid.
    fn owner(&self, job: &Job) -> Option<Key> {
        let reference = controller_of(&job.metadata).filter(|owner| owner.kind == "CronJob")?;
        let key = Key::new(job.metadata.namespace.as_deref()?, &reference.name);
        let cron = self.informers.cron_jobs.get(&key)?;
        (uid(&cron.metadata) == reference.uid).then_some(key)
    }

    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(cached) = self.informers.cron_jobs.get(key) else { return Ok(Next::Wait) };
        let jobs = self.informers.jobs.by(BY_CONTROLLER, uid(&cached.metadata));
        let Some(known) = self.up_to_date(key, &cached, &jobs).await? else { return Ok(Next::Wait) };
        let mut cron = known.clone();
        for job in job::surplus(&cron, &jobs) {
            if self.delete(&cron, &job).await.is_ok() {
                plan::end(Arc::make_mut(&mut cron).status.get_or_insert_default(), uid(&job.metadata));
            }
        }
        let gone = self.gone(&cron, &jobs).await?;
        let is_gone = |active: &ObjectReference| gone.contains(&active.uid);
        let seen: Vec<&Job> = jobs.iter().map(AsRef::as_ref).collect();
        let mut plan = plan::plan(&cron, &seen, is_gone, self.world.now());
        tell(&self.recorder, cron.as_ref(), plan.told.drain(..));
        let started = self.start(&cron, &mut plan).await;
        tell(&self.recorder, cron.as_ref(), plan.told.drain(..));
        self.report(key, &known, &plan.status).await?;
        started?;
        Ok(plan.next.map_or(Next::Wait, Next::After))
    }

    /// The CronJob as the server has it, when the cache does not know of a Job that runs.
    async fn up_to_date(
        &self,
        key: &Key,
        cached: &Arc<CronJob>,
        jobs: &[Arc<Job>],
    ) -> Result<Option<Arc<CronJob>>, kube::Error> {
        let status = cached.status.clone().unwrap_or_default();
        let is_news =
            |job: &Arc<Job>| jobs::ended(job).is_none() && !plan::is_active(&status, uid(&job.metadata));
        if !jobs.iter().any(is_news) {
            return Ok(Some(cached.clone()));
        }
        let api = Api::<CronJob>::namespaced(self.writer.client().clone(), &key.namespace);
        let fresh = api.get_opt(&key.name).await?;
        Ok(fresh.filter(|fresh| uid(&fresh.metadata) == uid(&cached.metadata)).map(Arc::new))
    }

    /// The uids of active Jobs that neither the cache nor the server has.
    async fn gone(&self, cron: &CronJob, jobs: &[Arc<Job>]) -> Result<Vec<Option<String>>, kube::Error> {
        let mut gone = Vec::new();
        for active in cron.status.iter().flat_map(|status| status.active.iter().flatten()) {
            let is_known = jobs.iter().any(|job| active.uid.as_deref() == Some(uid(&job.metadata)));
            if !is_known && self.job(active).await?.is_none() {
                gone.push(active.uid.clone());
            }
        }
        Ok(gone)
    }

    async fn job(&self, active: &ObjectReference) -> Result<Option<Job>, kube::Error> {
        let namespace = active.namespace.as_deref().unwrap_or_default();
        let api = Api::<Job>::namespaced(self.writer.client().clone(), namespace);
        api.get_opt(active.name.as_deref().unwrap_or_default()).await
    }

    /// Starts what is due, after what it replaces is deleted.
    async fn start(&self, cron: &CronJob, plan: &mut Plan) -> Result<(), kube::Error> {
        let Some(Start { at, replaces }) = plan.start.clone() else { return Ok(()) };
        for active in replaces {
            match self.job(&active).await {
                Ok(Some(job)) => self.delete(cron, &job).await?,
                Ok(None) => {}
                Err(error) => {
                    let message = format!("Get job: {}", writes::text(&error));
                    self.recorder.warning(cron, "FailedGet", message);
                    return Err(error);
                }
            }
            plan::end(&mut plan.status, active.uid.as_deref().unwrap_or_default());
        }
        let creation = self.create(cron, &job::job(cron, at)).await?;
        plan.conclude(at, creation);
        Ok(())
    }

    async fn create(&self, cron: &CronJob, job: &Job) -> Result<Creation, kube::Error> {
        match self.writer.create(job).await {
            Ok(meta) => Ok(Creation::Created(job::reference(meta))),
            Err(error) if writes::already_exists(&error) => {
                let found = self.job(&job::reference(job.metadata.clone())).await?.ok_or(error)?;
                let is_ours = controller_uid(&found.metadata) == Some(uid(&cron.metadata));
                let reference = job::reference(found.metadata);
                Ok(if is_ours { Creation::Made(reference) } else { Creation::Foreign })
            }
            Err(error) => {
                if !writes::is_namespace_terminating(&error) {
                    let message = format!("Error creating job: {}", writes::text(&error));
                    self.recorder.warning(cron, "FailedCreate", message);
                }
                Err(error)
            }
        }
    }

    async fn delete(&self, cron: &CronJob, job: &Job) -> Result<(), kube::Error> {
        let key = Key::of(job);
        match self.writer.delete::<Job>(&key, &DeleteParams::background()).await {
            Ok(()) => {
                self.recorder.normal(cron, "SuccessfulDelete", format!("Deleted job {}", key.name));
                Ok(())
            }
            Err(error) => {
                let message = format!("Deleted job: {}", writes::text(&error));
                self.recorder.warning(cron, "FailedDelete", message);
                Err(error)
            }
        }
    }

    /// Writes the status, if nobody has since `known`.
    async fn report(&self, key: &Key, known: &CronJob, status: &CronJobStatus) -> Result<(), kube::Error> {
        let Some(change) = patch::difference(known.status.as_ref(), status)? else { return Ok(()) };
        let version = known.metadata.resource_version.as_deref();
        let written = self.writer.merge_status_at::<CronJob>(key, version, change).await;
        writes::unless_gone(written.map(|_| ()))
    }
}
