//! The loop: changes of nodes and pods are taken in, pods are decided on one after the other,
//! bound several at a time.

use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Client};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::reflect::watch_config;
use mainstay_control::{Component, Counters, Informer, Recorder, Writer, events, writes};
use mainstay_resource::Rule;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::demand::SCHEDULER;
use crate::queue::Waiting;
use crate::state::{Act, State};

mod report;

#[cfg(test)]
mod tests;

/// Its name, and the field manager it writes as.
const NAME: &str = "kube-scheduler";
/// Who asks.
pub const USER: &str = "system:kube-scheduler";
/// What it may ask.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["nodes", "pods"], verbs: &["list", "watch"] },
    Rule { groups: &[""], resources: &["pods/binding"], verbs: &["create"] },
    Rule { groups: &[""], resources: &["pods/status"], verbs: &["patch"] },
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
    let (nodes, pods) = (Informer::<Node>::default(), Informer::<Pod>::default());
    let listener = scheduler.clone();
    let _nodes = nodes.subscribe(move |change| listener.take_in(|state, now| state.on_node(change, now)));
    let listener = scheduler.clone();
    let _pods = pods.subscribe(move |change| listener.take_in(|state, now| state.on_pod(change, now)));
    let work = async {
        nodes.synced().await;
        pods.synced().await;
        scheduler.work(&counters).await;
    };
    tokio::select! {
        biased;
        ended = nodes.run(Api::all(client.clone()), watch_config()) => ended,
        ended = pods.run(Api::all(client.clone()), watch_config()) => ended,
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
            Act::Tell(waiting, why) => {
                let result = self.tell(&waiting.pod, "Unschedulable", &why.to_string()).await;
                self.take_in(|state, now| state.told(&waiting, now));
                result
            }
        }
    }

    async fn bind(&self, waiting: &Waiting, node: &str) -> Result<(), kube::Error> {
        match report::bind(&self.writer, &waiting.demand, node).await {
            Ok(()) => {
                let message = format!("Successfully assigned {} to {node}", waiting.demand.key);
                self.recorder.normal(waiting.pod.as_ref(), "Scheduled", message);
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
                self.tell(&waiting.pod, "SchedulerError", &message).await?;
                Err(error)
            }
        }
    }

    /// Says in an Event and in the pod's conditions why it has no node.
    async fn tell(&self, pod: &Pod, reason: &str, message: &str) -> Result<(), kube::Error> {
        self.recorder.warning(pod, "FailedScheduling", report::shortened(message));
        match report::condition(pod, reason, message, self.world.now()) {
            Some(patch) => report::patch_status(&self.writer, pod, &patch).await,
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
