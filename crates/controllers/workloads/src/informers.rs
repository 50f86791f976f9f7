//! The caches this room's controllers share, and the kinds the API serves.
//!
//! **Invariants:** an object with a controller is found under that controller's uid; one without,
//! under its namespace's [`orphans`].

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::PartialObjectMeta;
use kube::{Api, Resource};
use mainstay_base::task::Outcome;
use mainstay_control::meta::controller_uid;
use mainstay_control::reflect::watch_config;
use mainstay_control::{Component, Counters, Informer};
use mainstay_resource::Rule;

use crate::discovery::Kinds;

/// The user the shared caches are filled as.
pub const USER: &str = "system:kube-controller-manager";

/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule { groups: &[""], resources: &["namespaces", "nodes", "pods"], verbs: &["list", "watch"] },
    Rule { groups: &["apps"], resources: &["deployments", "replicasets"], verbs: &["list", "watch"] },
    Rule {
        groups: &["apiextensions.k8s.io"],
        resources: &["customresourcedefinitions"],
        verbs: &["list", "watch"],
    },
];

/// The index of objects by the controller that owns them.
pub(crate) const BY_CONTROLLER: &str = "controller";
/// The index of pods by the node they are bound to.
pub(crate) const BY_NODE: &str = "node";

/// The shared caches; clones share them.
#[derive(Clone)]
pub struct Informers {
    pub(crate) deployments: Informer<Deployment>,
    pub(crate) replica_sets: Informer<ReplicaSet>,
    pub(crate) pods: Informer<Pod>,
    pub(crate) nodes: Informer<Node>,
    pub(crate) namespaces: Informer<Namespace>,
    pub(crate) definitions: Informer<PartialObjectMeta<CustomResourceDefinition>>,
    pub(crate) kinds: Kinds,
}

impl Informers {
    /// Empty caches.
    pub fn new() -> Self {
        Self {
            deployments: Informer::default(),
            replica_sets: Informer::new([(BY_CONTROLLER, by_controller as _)]),
            pods: Informer::new([(BY_CONTROLLER, by_controller as _), (BY_NODE, by_node as _)]),
            nodes: Informer::default(),
            namespaces: Informer::default(),
            definitions: Informer::default(),
            kinds: Kinds::default(),
        }
    }

    /// Keeps the caches, for as long as it is polled.
    pub async fn run(&self, client: kube::Client) -> Outcome {
        tokio::select! {
            biased;
            ended = self.deployments.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.replica_sets.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.pods.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.nodes.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.namespaces.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.definitions.run(Api::all(client.clone()), watch_config()) => ended,
            ended = self.kinds.run(client.clone(), &self.definitions) => ended,
        }
    }
}

impl Default for Informers {
    fn default() -> Self {
        Self::new()
    }
}

/// The component that fills the caches.
pub fn component(informers: &Informers) -> Component {
    let informers = informers.clone();
    Component::new("informers", USER, RULES, Counters::default(), move |client, _world| {
        let informers = informers.clone();
        async move { informers.run(client).await }
    })
}

/// The index value of a namespace's objects that no controller owns.
pub(crate) fn orphans(namespace: &str) -> String {
    format!("/{namespace}")
}

fn by_controller<K: Resource>(object: &K) -> Vec<String> {
    let meta = object.meta();
    let owner = controller_uid(meta).map(str::to_owned);
    vec![owner.unwrap_or_else(|| orphans(meta.namespace.as_deref().unwrap_or_default()))]
}

fn by_node(pod: &Pod) -> Vec<String> {
    pod.spec.iter().filter_map(|spec| spec.node_name.clone()).filter(|node| !node.is_empty()).collect()
}
