//! The TTL-after-finished controller: deletes Jobs some time after they ended, if they say so.
//!
//! **Spec:** upstream's `ttlafterfinished` controller: before it deletes, it asks the server whether
//! the time is still that; the Job's pods go first.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::meta::is_terminating;
use mainstay_control::{Change, Component, Counters, Key, Next, Queue, Writer, reconcile};
use mainstay_resource::Rule;

use crate::{Informers, jobs};

/// Its name, and the field manager it writes as.
pub const NAME: &str = "ttl-after-finished-controller";
/// The user it reads and writes as.
pub const USER: &str = "system:serviceaccount:kube-system:ttl-after-finished-controller";
/// What that user may do.
pub const RULES: &[Rule] = &[Rule { groups: &["batch"], resources: &["jobs"], verbs: &["delete", "get"] }];

/// Jobs worked on at a time.
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
    let controller =
        Arc::new(Controller { writer: Writer::new(client, NAME), world, informers, queue: Queue::default() });
    controller.informers.jobs.synced().await;
    let told = controller.clone();
    let _jobs = controller.informers.jobs.subscribe(move |change: &Change<Job>| {
        if change.now().is_some_and(|job| expiry(job).is_some()) {
            told.queue.add(Key::of(change.latest().as_ref()));
        }
    });
    let work = |key: Key| {
        let controller = controller.clone();
        async move { controller.sync(&key).await }
    };
    reconcile::run(NAME, &controller.queue, WORKERS, &counters, work).await;
    Err("the work loop ended".into())
}

struct Controller {
    writer: Writer,
    world: World,
    informers: Informers,
    queue: Queue<Key>,
}

impl Controller {
    async fn sync(&self, key: &Key) -> reconcile::Outcome {
        let Some(job) = self.informers.jobs.get(key) else { return Ok(Next::Wait) };
        if let Some(next) = wait(&job, self.world.now()) {
            return Ok(next);
        }
        // The cache may be late, and what is deleted is gone.
        let api = Api::<Job>::namespaced(self.writer.client().clone(), &key.namespace);
        let Some(fresh) = api.get_opt(&key.name).await? else { return Ok(Next::Wait) };
        if let Some(next) = wait(&fresh, self.world.now()) {
            return Ok(next);
        }
        let preconditions = Preconditions { uid: fresh.metadata.uid, resource_version: None };
        let foreground = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::foreground() };
        self.writer.delete::<Job>(key, &foreground).await?;
        Ok(Next::Wait)
    }
}

/// What there is to wait for before the Job is deleted; `None` when it is to be deleted now.
fn wait(job: &Job, now: Timestamp) -> Option<Next> {
    let Some(expiry) = expiry(job) else { return Some(Next::Wait) };
    let left = Duration::try_from(expiry.duration_since(now)).unwrap_or_default();
    (!left.is_zero()).then_some(Next::After(left))
}

/// When a Job that ended is to be deleted, if it ever is.
fn expiry(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.ttl_seconds_after_finished?;
    let ended = jobs::ended(job)?.last_transition_time.as_ref()?.0;
    let is_going = is_terminating(&job.metadata);
    (!is_going)
        .then(|| ended.checked_add(jiff::SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;

    /// A Job that ended so many seconds ago, with this TTL.
    fn job(condition: Option<&str>, ago: i64, ttl: Option<i32>) -> Job {
        let at = Timestamp::from_second(NOW - ago).unwrap().to_string();
        let conditions: Vec<_> = condition
            .iter()
            .map(|type_| json!({"type": type_, "status": "True", "lastTransitionTime": at}))
            .collect();
        let spec = json!({"template": {}, "ttlSecondsAfterFinished": ttl});
        serde_json::from_value(json!({"spec": spec, "status": {"conditions": conditions}})).unwrap()
    }

    /// Upstream's `TestTimeLeft`.
    #[test]
    fn a_job_that_ended_is_kept_for_as_long_as_it_says() {
        let after = |seconds| Some(Next::After(Duration::from_secs(seconds)));
        for (condition, ago, ttl, expected) in [
            (None, 0, Some(100), Some(Next::Wait)),
            (Some("Complete"), 0, None, Some(Next::Wait)),
            (Some("Complete"), 0, Some(0), None),
            (Some("Complete"), 0, Some(10), after(10)),
            (Some("Complete"), 10, Some(15), after(5)),
            (Some("Failed"), 0, None, Some(Next::Wait)),
            (Some("Failed"), 0, Some(0), None),
            (Some("Failed"), 0, Some(10), after(10)),
            (Some("Failed"), 10, Some(15), after(5)),
        ] {
            let job = job(condition, ago, ttl);
            assert_eq!(
                wait(&job, Timestamp::from_second(NOW).unwrap()),
                expected,
                "{condition:?} {ago} {ttl:?}"
            );
        }
    }
}
