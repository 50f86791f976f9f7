//! A region with an API server, this room's controllers, nodes and a scheduler.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use mainstay_apiserver::{ApiServer, Config};
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{Seed, World};
use mainstay_control::Component;
use mainstay_kinds::cluster_config::to_stored;
use mainstay_kinds::{NodeClaim, StoredClusterConfig};
use mainstay_resource::Identity;
use mainstay_store::{Observer, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::witness::Witness;

/// The parts of the region a test touches.
pub(crate) struct Region {
    world: World,
    pub(crate) api: ApiServer,
    pub(crate) client: Client,
    tree: Tree,
}

/// Any built-in kind.
pub(crate) trait Object:
    kube::Resource<DynamicType = ()> + DeserializeOwned + Serialize + Clone + Debug
{
}
impl<K: kube::Resource<DynamicType = ()> + DeserializeOwned + Serialize + Clone + Debug> Object for K {}

/// Runs `body` in a region of a virtual World with four nodes.
pub(crate) fn region<F, Fut, T>(seed: u64, body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    enter(4, seed, |_| None, body)
}

/// The same with so many nodes: the fewer, the sooner a day has passed.
pub(crate) fn region_of<F, Fut, T>(nodes: u32, seed: u64, body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    enter(nodes, seed, |_| None, body)
}

/// The same with four nodes, and somebody who sees every change.
pub(crate) fn region_seen_by<F, Fut, T>(witness: &Witness, seed: u64, body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    let witness = witness.clone();
    let observer = move |world: World| Some(witness.observer(move || world.now()));
    enter(4, seed, observer, body)
}

/// The same with one node, and somebody who is told of every change as it is committed.
pub(crate) fn region_told_to<F, Fut, T>(observer: Observer, seed: u64, body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    enter(1, seed, |_| Some(observer), body)
}

fn enter<F, Fut, T>(
    nodes: u32,
    seed: u64,
    observer: impl FnOnce(World) -> Option<Observer> + Send + 'static,
    body: F,
) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    World::enter(Seed(seed), start, move |world| async move {
        let observer = observer(world.clone());
        let region = Region::new(world, observer).await;
        region.start(&components());
        region.configure(nodes).await;
        region.sleep(5).await;
        body(region).await
    })
}

fn components() -> Vec<Component> {
    let mut components =
        vec![mainstay_capacity::component(), mainstay_agent::component(), mainstay_scheduler::component()];
    components.extend(mainstay_workloads::components(mainstay_pki::NOBODY));
    components
}

impl Region {
    async fn new(world: World, observer: Option<Observer>) -> Self {
        let rules =
            components().iter().map(|component| (component.user.to_owned(), component.rules)).collect();
        let api = ApiServer::new(Config {
            world: world.clone(),
            region: "us-east-1".to_owned(),
            store: Store::in_memory(observer),
            rules,
            tokens: mainstay_pki::Tokens::new(),
            advertise: "127.0.0.1:6443".to_owned(),
        });
        let client = Client::new(api.service(Identity::master("test")), "default");
        let region = Self { world, api, client, tree: Tree::new(Shutdown::new()) };
        region.api.bootstrap().await.unwrap();
        for crd in mainstay_kinds::crds() {
            Api::all(region.client.clone()).create(&PostParams::default(), &crd).await.unwrap();
        }
        region
    }

    fn start(&self, components: &[Component]) {
        for component in components.iter().cloned() {
            let (api, world) = (self.api.clone(), self.world.clone());
            self.tree.supervise(Kind::Controller, component.name, move || {
                let client = Client::new(api.service(Identity::of_user(component.user)), "default");
                component.run(client, world.clone())
            });
        }
    }

    /// Ends every component at the await it is in, and starts it anew with nothing remembered.
    pub(crate) fn restart(&mut self) {
        self.tree.kill();
        self.tree = Tree::new(Shutdown::new());
        self.start(&components());
    }

    async fn configure(&self, nodes: u32) {
        let document = json!({
            "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
            "metadata": { "name": "prod", "region": "us-east-1", "version": "1.28" },
            "nodeGroups": [{ "name": "g", "instanceType": "c5.2xlarge", "desiredCapacity": nodes }],
        });
        let api = Api::<StoredClusterConfig>::all(self.client.clone());
        let params = PatchParams::apply("test").force();
        api.patch("prod", &params, &Patch::Apply(to_stored(document))).await.unwrap();
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Objects of a kind in the namespace `default`.
    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Object + kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn sleep(&self, seconds: u64) {
        self.world.clock().sleep(Duration::from_secs(seconds)).await;
    }

    pub(crate) async fn all<K: Object>(&self) -> Vec<K> {
        Api::<K>::all(self.client.clone()).list(&ListParams::default()).await.unwrap().items
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) fn sets(&self) -> Api<ReplicaSet> {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }

    /// Creates the Deployment `web` with this many pods.
    pub(crate) async fn deploy(&self, replicas: i32) {
        let made = self.deployments().create(&PostParams::default(), &web(replicas)).await;
        made.unwrap();
    }

    pub(crate) async fn change(&self, patch: Value) {
        self.deployments().patch("web", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    }

    pub(crate) async fn web(&self) -> Deployment {
        self.deployments().get("web").await.unwrap()
    }

    /// Kills the machine of a node, or brings it back.
    pub(crate) async fn set_killed(&self, node: &str, is_killed: bool) {
        let claims = Api::<NodeClaim>::all(self.client.clone());
        let claim =
            self.all::<NodeClaim>().await.into_iter().find(|claim| {
                claim.status.as_ref().and_then(|status| status.node_name.as_deref()) == Some(node)
            });
        let fault = if is_killed { json!("killed") } else { Value::Null };
        let fault = Patch::Merge(json!({"metadata": {"annotations": {"mainstay.dev/fault": fault}}}));
        let name = claim.unwrap().metadata.name.unwrap();
        claims.patch(&name, &PatchParams::default(), &fault).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }

    pub(crate) async fn node(&self, name: &str) -> Node {
        Api::<Node>::all(self.client.clone()).get(name).await.unwrap()
    }

    /// The node that the first pod of `web` is on.
    pub(crate) async fn a_node_of_web(&self) -> String {
        let pods = self.pods().list(&ListParams::default().labels("app=web")).await.unwrap().items;
        pods[0].spec.as_ref().unwrap().node_name.clone().unwrap()
    }

    /// What was told of objects of a kind: reason, message and count, in order.
    pub(crate) async fn told(&self, kind: &str) -> Vec<(String, String, i32)> {
        let mut events: Vec<Event> = self.all::<Event>().await;
        events.retain(|event| event.involved_object.kind.as_deref() == Some(kind));
        events.sort_by_key(|event| event.metadata.resource_version.clone().unwrap().parse::<u64>().unwrap());
        let told = |event: Event| (event.reason.unwrap(), event.message.unwrap(), event.count.unwrap());
        events.into_iter().map(told).collect()
    }

    /// How many objects were written, by resource.
    pub(crate) fn writes(&self) -> BTreeMap<String, u64> {
        let mut writes = BTreeMap::new();
        for call in self.api.calls() {
            if matches!(&*call.verb, "create" | "update" | "patch" | "delete") {
                *writes
                    .entry(format!("{} {} {}/{}", call.user, call.verb, call.group, call.resource))
                    .or_default() += call.allowed;
            }
        }
        writes
    }

    /// No component was refused anything, and none has failed.
    pub(crate) fn assert_well(&self) {
        let denied: Vec<_> = self.api.calls().into_iter().filter(|call| call.denied > 0).collect();
        assert!(denied.is_empty(), "{denied:?}");
        for report in self.tree.report() {
            assert_eq!(report.restarts, 0, "{report:?}");
        }
    }
}

/// The Deployment `web`.
pub(crate) fn web(replicas: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
            },
        },
    }))
    .unwrap()
}
