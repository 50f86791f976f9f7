//! The loop: changes of nodes and pods are taken in, pods are decided on one after the other,
//! bound several at a time.

use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kube::Client;
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::EventType;
use mainstay_control::{Component, Counters, Recorder, Writer, events, writes};
use mainstay_resource::Rule;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::queue::Waiting;
use crate::seen::SCHEDULER;
use crate::state::{Act, State};

mod claims;
mod displace;
mod report;
mod watches;

#[cfg(test)]
mod tests;

use displace::Prospect;
use watches::Listed;

/// Its name, and the field manager it writes as.
const NAME: &str = "kube-scheduler";
/// Who asks.
pub const USER: &str = "system:kube-scheduler";
/// What it may ask.
pub const RULES: &[Rule] = &[
    Rule {
        groups: &[""],
        resources: &["namespaces", "nodes", "pods", "replicationcontrollers", "services"],
        verbs: &["list", "watch"],
    },
    Rule { groups: &["apps"], resources: &["replicasets", "statefulsets"], verbs: &["list", "watch"] },
    Rule { groups: &["policy"], resources: &["poddisruptionbudgets"], verbs: &["list", "watch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["delete"] },
    Rule { groups: &[""], resources: &["pods/binding"], verbs: &["create"] },
    Rule { groups: &[""], resources: &["pods/status"], verbs: &["patch"] },
    Rule {
        groups: &[""],
        resources: &["persistentvolumeclaims", "persistentvolumes"],
        verbs: &["list", "watch", "patch"],
    },
    Rule {
        groups: &["storage.k8s.io"],
        resources: &["csinodes", "storageclasses"],
        verbs: &["list", "watch"],
    },
    events::RULE,
];
/// The random stream that settles ties.
const TIES: &str = "scheduler/ties";
/// Requests under way at a time.
const REQUESTS: usize = 16;

/// The scheduler as the platform starts it.
pub fn component() -> Component {
    let counters = Counters::default();
    let counted = counters.clone();
    Component::new(NAME, USER, RULES, counters, move |client, world| serve(client, world, counted.clone()))
}

/// Runs the scheduler until it is dropped or a watch ends.
pub async fn run(client: Client, world: World) -> Outcome {
    component().run(client, world).await
}

#[derive(Clone)]
struct Scheduler {
    writer: Writer,
    world: World,
    recorder: Recorder,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

async fn serve(client: Client, world: World, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder(&world, SCHEDULER);
    let scheduler = Scheduler {
        writer: Writer::new(client.clone(), NAME),
        state: Arc::new(Mutex::new(State::new(world.random(TIES)))),
        world,
        recorder,
        changed: Arc::new(Notify::new()),
    };
    let listed = Listed::default();
    let work = async {
        listed.all().await;
        scheduler.work(&counters).await;
    };
    tokio::select! {
        biased;
        ended = watches::run(&client, &scheduler, &listed) => ended,
        () = sink.run(client.clone()) => Err("the event sink ended".into()),
        () = work => Err("the work loop ended".into()),
    }
}

impl Scheduler {
    fn take_in(&self, change: impl FnOnce(&mut State, Instant)) {
        change(&mut self.state(), Instant::now());
        self.changed.notify_one();
    }

    async fn work(&self, counters: &Counters) {
        let mut requests = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(result) = requests.next(), if !requests.is_empty() => count(counters, result),
                act = self.next(), if requests.len() < REQUESTS => requests.push(self.act(act)),
            }
        }
    }

    async fn next(&self) -> Act {
        loop {
            let due = {
                let mut state = self.state();
                if let Some(act) = state.next(Instant::now()) {
                    return act;
                }
                state.due()
            };
            match due {
                None => self.changed.notified().await,
                Some(at) => tokio::select! {
                    biased;
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(at) => {}
                },
            }
        }
    }

    async fn act(&self, act: Act) -> Result<(), kube::Error> {
        match act {
            Act::Bind(waiting, node) => self.bind(&waiting, &node).await,
            Act::Prepare(waiting, node, steps) => self.prepare(&waiting, &node, &steps).await,
            Act::GiveUp(waiting, steps) => self.give_up(&waiting, &steps).await,
            Act::Tell(waiting, why) => self.leave(&waiting, &why).await,
        }
    }

    async fn bind(&self, waiting: &Waiting, node: &str) -> Result<(), kube::Error> {
        match report::bind(&self.writer, &waiting.pod, node).await {
            Ok(()) => {
                let message = format!("Successfully assigned {} to {node}", waiting.pod.key);
                self.recorder.record(report::reference(waiting), EventType::Normal, "Scheduled", message);
                self.take_in(|state, _| state.bound(waiting));
                Ok(())
            }
            Err(error) => {
                self.take_in(|state, now| state.refused(waiting, now));
                if writes::is_not_found(&error) {
                    // It was deleted meanwhile, as the watch will show.
                    return Ok(());
                }
                let message = format!("binding rejected: {}", writes::text(&error));
                self.tell(waiting, "SchedulerError", &message, Prospect::Same).await?;
                Err(error)
            }
        }
    }

    /// Says in an Event and in the pod's conditions why it has no node.
    async fn tell(
        &self,
        waiting: &Waiting,
        reason: &str,
        message: &str,
        prospect: Prospect<'_>,
    ) -> Result<(), kube::Error> {
        let (about, text) = (report::reference(waiting), report::shortened(message));
        self.recorder.record(about, EventType::Warning, "FailedScheduling", text);
        let condition = report::condition(waiting, reason, message, self.world.now());
        match prospect.added_to(condition, waiting.in_prospect.as_deref()) {
            Some(patch) => report::patch_status(&self.writer, &waiting.pod.key, &patch).await,
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("invariant: no panic under this lock")
    }
}

fn count(counters: &Counters, result: Result<(), kube::Error>) {
    match result {
        Ok(()) => counters.succeeded(),
        Err(error) => {
            counters.failed();
            tracing::warn!(controller = NAME, %error, "failed, tried again");
        }
    }
}
