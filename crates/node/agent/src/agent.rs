//! The loop: claims, pods and heartbeats are items of one queue, each worked on once at a time.
//!
//! The queue is the timer wheel too: an item that has nothing to do before a moment comes back then.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Node, ObjectReference};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use mainstay_base::World;
use mainstay_base::task::Outcome;
use mainstay_control::events::{self, EventType};
use mainstay_control::informer::Subscription;
use mainstay_control::reconcile;
use mainstay_control::reflect::watch_config;
use mainstay_control::{Component, Counters, Informer, Key, Queue, Recorder, Writer};
use mainstay_kinds::NodeClaim;
use mainstay_resource::Rule;

use crate::bound::BoundPod;
use crate::described::Described;
use crate::machine::Fleet;

mod claims;
mod cordons;
mod heartbeats;
mod pods;
mod scrapes;

use pods::News;

/// Who asks.
pub const USER: &str = "system:serviceaccount:kube-system:node-agent";
/// What it may ask.
pub const RULES: &[Rule] = &[
    Rule { groups: &["mainstay.dev"], resources: &["nodeclaims"], verbs: &["list", "watch", "patch"] },
    Rule { groups: &["mainstay.dev"], resources: &["nodeclaims/status"], verbs: &["patch"] },
    Rule { groups: &["mainstay.dev"], resources: &["podbehaviours"], verbs: &["list", "watch"] },
    Rule { groups: &[""], resources: &["nodes"], verbs: &["list", "watch", "create", "delete"] },
    Rule { groups: &[""], resources: &["nodes/status"], verbs: &["patch"] },
    Rule { groups: &[""], resources: &["pods"], verbs: &["list", "watch", "delete"] },
    Rule { groups: &[""], resources: &["pods/status"], verbs: &["patch"] },
    Rule { groups: &["coordination.k8s.io"], resources: &["leases"], verbs: &["create", "patch"] },
    events::RULE,
];
/// The component's name.
const NAME: &str = "node-agent";
/// Who the Events are from: each machine speaks as its kubelet.
const EVENT_SOURCE: &str = "kubelet";
/// Whose fields the statuses are.
const FIELD_MANAGER: &str = "kubelet";
/// Items worked on at a time.
const WORKERS: usize = 32;
/// Index of pods: the Node they are bound to.
const BY_NODE: &str = "node";

/// The agent as the platform starts it.
pub fn component() -> Component {
    let counters = Counters::default();
    let counted = counters.clone();
    Component::new(NAME, USER, RULES, counters, move |client, world| serve(client, world, counted.clone()))
}

/// Runs the agent until it is dropped or a watch ends.
pub async fn run(client: Client, world: World) -> Outcome {
    component().run(client, world).await
}

/// What there is to work on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// A claim, by name.
    Claim(Arc<str>),
    /// A machine's lease, by its Node's name.
    Lease(Arc<str>),
    /// A machine's status, by its Node's name.
    Status(Arc<str>),
    /// Whether a machine takes new pods, by its Node's name.
    Cordon(Arc<str>),
    /// A pod.
    Pod(Key),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(name) => write!(f, "claim {name}"),
            Self::Lease(node) => write!(f, "lease of {node}"),
            Self::Status(node) => write!(f, "status of {node}"),
            Self::Cordon(node) => write!(f, "cordon of {node}"),
            Self::Pod(key) => write!(f, "pod {key}"),
        }
    }
}

/// The agent's hands and memory.
struct Agent {
    client: Client,
    writer: Writer,
    world: World,
    claims: Informer<NodeClaim>,
    pods: Informer<BoundPod>,
    behaviours: Informer<Described>,
    /// The Nodes that are closed to new pods.
    cordoned: Informer<PartialObjectMeta<Node>>,
    queue: Queue<Item>,
    recorder: Recorder,
    fleet: Mutex<Fleet>,
    /// The Nodes there were at the start, to be taken over by the claims they were made for.
    found: Mutex<Vec<Node>>,
}

async fn serve(client: Client, world: World, counters: Counters) -> Outcome {
    let (recorder, sink) = events::recorder_of_hosts(&world, EVENT_SOURCE);
    let agent = Arc::new(Agent {
        client: client.clone(),
        writer: Writer::new(client.clone(), FIELD_MANAGER),
        world,
        claims: Informer::default(),
        pods: Informer::new([(BY_NODE, node_name as fn(&BoundPod) -> Vec<String>)]),
        behaviours: Informer::default(),
        cordoned: Informer::default(),
        queue: Queue::default(),
        recorder,
        fleet: Mutex::default(),
        found: Mutex::default(),
    });
    let (doors, arrivals) = agent.world.net().doors();
    agent.fleet().reach(doors, agent.world.scope());
    let _subscriptions =
        (agent.queue_claims(), agent.queue_pods(), agent.queue_described(), agent.queue_cordons());
    let claims = agent.claims.run(Api::all(client.clone()), watch_config());
    let behaviours = agent.behaviours.run(Api::all(client.clone()), watch_config());
    let bound = watcher::Config { field_selector: Some("spec.nodeName!=".to_owned()), ..watch_config() };
    let bound = watcher(Api::<BoundPod>::all(client.clone()), bound).modify(BoundPod::slim);
    let pods = agent.pods.follow(bound.boxed());
    let cordoned = agent.cordoned.run(Api::all(client.clone()), cordons::watched());
    tokio::select! {
        biased;
        outcome = claims => outcome,
        outcome = behaviours => outcome,
        outcome = pods => outcome,
        outcome = cordoned => outcome,
        outcome = agent.answer(arrivals) => outcome,
        () = sink.run(client) => Err("the event sink ended".into()),
        outcome = agent.work(&counters) => outcome,
    }
}

impl Agent {
    async fn work(&self, counters: &Counters) -> Outcome {
        self.claims.synced().await;
        self.behaviours.synced().await;
        self.pods.synced().await;
        let nodes = Api::<Node>::all(self.client.clone()).list(&ListParams::default()).await?;
        self.fleet().taken.nodes.extend(nodes.items.iter().filter_map(|node| node.metadata.name.clone()));
        *lock(&self.found) = nodes.items;
        reconcile::run(NAME, &self.queue, WORKERS, counters, |item| self.pass(item)).await;
        Err("the work queue ended".into())
    }

    async fn pass(&self, item: Item) -> reconcile::Outcome {
        match item {
            Item::Claim(name) => Box::pin(self.claim(&name)).await,
            Item::Lease(node) => self.lease(&node).await,
            Item::Status(node) => Box::pin(self.status(&node)).await,
            Item::Cordon(node) => Box::pin(self.cordon(&node)).await,
            Item::Pod(key) => Box::pin(self.pod(&key)).await,
        }
    }

    fn queue_claims(&self) -> Subscription<NodeClaim> {
        let queue = self.queue.clone();
        self.claims.subscribe(move |change| queue.add(Item::Claim(Key::of(change.latest().as_ref()).name)))
    }

    fn queue_pods(self: &Arc<Self>) -> Subscription<BoundPod> {
        let agent = Arc::downgrade(self);
        self.pods.subscribe(move |change| {
            let Some(agent) = agent.upgrade() else { return };
            let key = Key::of(change.latest().as_ref());
            match pods::news(change) {
                News::Nothing => return,
                News::Described => agent.fleet().revise(&key),
                News::Some => {}
            }
            agent.queue.add(Item::Pod(key));
        })
    }

    /// Looks at every pod of a namespace again of which something else is described.
    fn queue_described(self: &Arc<Self>) -> Subscription<Described> {
        let agent = Arc::downgrade(self);
        self.behaviours.subscribe(move |change| {
            let Some(agent) = agent.upgrade() else { return };
            let namespace = change.latest().metadata.namespace.as_deref().unwrap_or_default();
            for pod in agent.pods.within(namespace) {
                let key = Key::of(pod.as_ref());
                agent.fleet().revise(&key);
                agent.queue.add(Item::Pod(key));
            }
        })
    }

    /// Looks at every pod of a Node again; others may have spoken of them.
    fn queue_pods_of(&self, node: &str) {
        for pod in self.pods.by(BY_NODE, node) {
            let key = Key::of(pod.as_ref());
            self.fleet().listen(&key, &pod);
            self.queue.add(Item::Pod(key));
        }
    }

    /// Tells something of a Node; kubelets name it by its name in both places.
    fn tell_of_node(&self, node: &str, reason: &'static str, message: String) {
        let object = ObjectReference {
            kind: Some("Node".to_owned()),
            name: Some(node.to_owned()),
            uid: Some(node.to_owned()),
            ..ObjectReference::default()
        };
        self.recorder.on(node).record(object, EventType::Normal, reason, message);
    }

    fn fleet(&self) -> MutexGuard<'_, Fleet> {
        lock(&self.fleet)
    }
}

fn node_name(pod: &BoundPod) -> Vec<String> {
    vec![pod.spec.node_name.clone()]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}

/// Whether the API server said that there is no such object.
fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Whether it said that there is one already, or another one.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}
