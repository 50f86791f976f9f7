//! A region with an API server and the scheduler; nodes and pods are written by hand.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use mainstay_apiserver::{ApiServer, Config};
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{Seed, World};
use mainstay_resource::Identity;
use mainstay_store::Store;
use serde_json::{Value, json};

/// The parts of the region a test touches.
pub(crate) struct Region {
    pub(crate) world: World,
    pub(crate) api: ApiServer,
    client: Client,
    _tree: Tree,
}

/// Runs `body` in a region of a virtual World.
pub(crate) fn region<F, Fut, T>(seed: u64, body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    World::enter(Seed(seed), start, move |world| async move {
        let region = Region::new(world).await;
        body(region).await
    })
}

/// A pod that asks for so much CPU and is of a class of priority.
pub(crate) fn asking(name: &str, cpu: &str, class: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"priorityClassName": class, "containers": [
        {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}},
    ]}})
}

impl Region {
    async fn new(world: World) -> Self {
        let scheduler = mainstay_scheduler::component();
        let api = ApiServer::new(Config {
            world: world.clone(),
            region: "us-east-1".to_owned(),
            store: Store::in_memory(None),
            rules: vec![(scheduler.user.to_owned(), scheduler.rules)],
            tokens: mainstay_pki::Tokens::new(),
            advertise: "127.0.0.1:6443".to_owned(),
        });
        let client = Client::new(api.service(Identity::master("test")), "default");
        let tree = Tree::new(Shutdown::new());
        let (server, surroundings) = (api.clone(), world.clone());
        tree.supervise(Kind::Controller, scheduler.name, move || {
            let client = Client::new(server.service(Identity::of_user(scheduler.user)), "default");
            scheduler.run(client, surroundings.clone())
        });
        api.bootstrap().await.unwrap();
        Self { world, api, client, _tree: tree }
    }

    /// Registers a node of 4 cores and 16 GiB; its zone is its first letter.
    pub(crate) async fn node(&self, name: &str) {
        let node = json!({"metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": name[..1],
        }}});
        let api = Api::<Node>::all(self.client.clone());
        api.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
        let offers = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
        self.node_status(name, json!({"capacity": offers, "allocatable": offers})).await;
        // No controller is here that would see that it is ready.
        let ready = Patch::Merge(json!({"spec": {"taints": null}}));
        api.patch(name, &PatchParams::default(), &ready).await.unwrap();
    }

    pub(crate) async fn node_status(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        let api = Api::<Node>::all(self.client.clone());
        api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Creates a pod that asks for so much CPU.
    pub(crate) async fn pod(&self, name: &str, cpu: &str, controller: Option<&str>) {
        let owner = controller.map(|name| {
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": name, "controller": true})
        });
        let pod = json!({
            "metadata": {"name": name, "ownerReferences": owner.into_iter().collect::<Vec<_>>()},
            "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]},
        });
        let pod: Pod = serde_json::from_value(pod).unwrap();
        self.pods().create(&PostParams::default(), &pod).await.unwrap();
    }

    /// Creates a class of priority.
    pub(crate) async fn class(&self, name: &str, value: i32) {
        let class = json!({"metadata": {"name": name}, "value": value});
        let api = Api::<PriorityClass>::all(self.client.clone());
        api.create(&PostParams::default(), &serde_json::from_value(class).unwrap()).await.unwrap();
    }

    /// Creates a pod as it is written; returns its uid.
    pub(crate) async fn create(&self, pod: Value) -> String {
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let created = self.pods().create(&PostParams::default(), &pod).await.unwrap();
        created.metadata.uid.unwrap()
    }

    /// A pod as it is.
    pub(crate) async fn get(&self, name: &str) -> Pod {
        self.pods().get(name).await.unwrap()
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default().grace_period(0)).await.unwrap();
    }

    /// The node of a pod.
    pub(crate) async fn place(&self, name: &str) -> Option<String> {
        self.pods().get(name).await.unwrap().spec?.node_name
    }

    /// A pod's condition: status, reason, message.
    pub(crate) async fn scheduled(&self, name: &str) -> Option<(String, String, String)> {
        let conditions = self.pods().get(name).await.unwrap().status?.conditions?;
        let it = conditions.into_iter().find(|condition| condition.type_ == "PodScheduled")?;
        Some((it.status, it.reason.unwrap_or_default(), it.message.unwrap_or_default()))
    }

    /// All events: type, reason, message, component.
    pub(crate) async fn events(&self) -> Vec<[String; 4]> {
        let events = Api::<Event>::all(self.client.clone()).list(&ListParams::default()).await.unwrap();
        let texts = events.items.into_iter().map(|event| {
            let component = event.source.and_then(|source| source.component);
            [event.type_, event.reason, event.message, component].map(Option::unwrap_or_default)
        });
        texts.collect()
    }

    /// How many requests the scheduler made, by verb and resource, and how many were denied.
    pub(crate) fn requests(&self) -> Vec<(String, u64, u64)> {
        let calls = self.api.calls().into_iter().filter(|call| call.user == mainstay_scheduler::USER);
        calls.map(|call| (format!("{} {}", call.verb, call.resource), call.allowed, call.denied)).collect()
    }

    /// Lets everything happen that happens without time passing.
    pub(crate) async fn settle(&self) {
        self.world.clock().sleep(Duration::from_millis(1)).await;
    }

    pub(crate) async fn sleep(&self, seconds: u64) {
        self.world.clock().sleep(Duration::from_secs(seconds)).await;
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.client.clone())
    }
}
