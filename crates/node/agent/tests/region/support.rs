//! A region with nothing but an API server, `capacity` and the agent.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use mainstay_apiserver::{ApiServer, Config};
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{Seed, World};
use mainstay_kinds::cluster_config::to_stored;
use mainstay_kinds::{NodeClaim, StoredClusterConfig};
use mainstay_resource::Identity;
use mainstay_store::Store;
use serde_json::{Value, json};

/// The parts of the region a test touches.
pub(crate) struct Region {
    pub(crate) world: World,
    pub(crate) api: ApiServer,
    pub(crate) client: Client,
    pub(crate) tree: Tree,
}

/// Runs `body` in a region of a virtual World.
pub(crate) fn region<F, Fut, T>(body: F) -> T
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    World::enter(Seed(7), start, move |world| async move { body(Region::new(world).await).await })
}

impl Region {
    async fn new(world: World) -> Self {
        let rules = vec![
            (mainstay_agent::USER.to_owned(), mainstay_agent::RULES),
            (mainstay_capacity::USER.to_owned(), mainstay_capacity::RULES),
        ];
        let api = ApiServer::new(Config {
            world: world.clone(),
            region: "us-east-1".to_owned(),
            store: Store::in_memory(None),
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

    /// Starts the agent and `capacity`, each with its own identity.
    pub(crate) fn start(&self) {
        for component in [mainstay_capacity::component(), mainstay_agent::component()] {
            let (api, world) = (self.api.clone(), self.world.clone());
            self.tree.supervise(Kind::Controller, component.name, move || {
                let client = Client::new(api.service(Identity::of_user(component.user)), "default");
                component.run(client, world.clone())
            });
        }
    }

    /// Stores a ClusterConfig with these node groups.
    pub(crate) async fn configure(&self, groups: Value) {
        let document = json!({
            "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
            "metadata": { "name": "prod", "region": "us-east-1", "version": "1.28" },
            "nodeGroups": groups,
        });
        let api = Api::<StoredClusterConfig>::all(self.client.clone());
        let params = PatchParams::apply("test").force();
        api.patch("prod", &params, &Patch::Apply(to_stored(document))).await.unwrap();
    }

    /// Says what is wrong with a claim's machine; nothing with null.
    pub(crate) async fn fault(&self, claim: &str, fault: &Value) {
        let patch = json!({ "metadata": { "annotations": { "mainstay.dev/fault": fault } } });
        let claims = Api::<NodeClaim>::all(self.client.clone());
        claims.patch(claim, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn nodes(&self) -> Vec<Node> {
        self.all().await
    }

    pub(crate) async fn claims(&self) -> Vec<NodeClaim> {
        self.all().await
    }

    pub(crate) async fn config(&self) -> StoredClusterConfig {
        Api::all(self.client.clone()).get("prod").await.unwrap()
    }

    pub(crate) async fn all<K>(&self) -> Vec<K>
    where
        K: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned + Clone + std::fmt::Debug,
    {
        Api::<K>::all(self.client.clone()).list(&kube::api::ListParams::default()).await.unwrap().items
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn sleep(&self, seconds: u64) {
        self.world.clock().sleep(Duration::from_secs(seconds)).await;
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

/// Whether a Node is ready.
pub(crate) fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The node groups of an enterprise's production cluster.
pub(crate) fn enterprise() -> Value {
    let taint = |key: &str| json!([{ "key": key, "value": "true", "effect": "NoSchedule" }]);
    json!([
        { "name": "system-nodes", "instanceType": "c5.2xlarge", "desiredCapacity": 3, "minSize": 3, "maxSize": 6,
          "labels": { "workload": "system" }, "taints": taint("system") },
        { "name": "app-nodes", "instanceType": "c5.4xlarge", "desiredCapacity": 6, "minSize": 6, "maxSize": 50,
          "labels": { "workload": "application" } },
        { "name": "data-nodes", "instanceType": "r5.4xlarge", "desiredCapacity": 3, "minSize": 3, "maxSize": 12,
          "volumeSize": 500, "labels": { "workload": "data" }, "taints": taint("data-intensive") },
        { "name": "spot-nodes", "desiredCapacity": 5, "minSize": 0, "maxSize": 20,
          "instancesDistribution": { "instanceTypes": ["t3.large", "t3a.large"],
              "onDemandBaseCapacity": 0, "onDemandPercentageAboveBaseCapacity": 0, "spotInstancePools": 3 },
          "labels": { "workload": "batch" }, "taints": taint("spot") },
    ])
}
