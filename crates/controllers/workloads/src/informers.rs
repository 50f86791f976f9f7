//! The caches this room's controllers share, and the kinds the API serves.
//!
//! **Invariants:** an object with a controller is found under that controller's uid; one without,
//! under its namespace's [`orphans`].

use std::fmt::Debug;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, Endpoints, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod,
    ReplicationController, ResourceQuota, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::{Api, Resource};
use mainstay_base::task::Outcome;
use mainstay_control::meta::{controller_uid, label};
use mainstay_control::reflect::watch_config;
use mainstay_control::{Component, Counters, Informer};
use mainstay_resource::Rule;
use serde::de::DeserializeOwned;

use crate::discovery::Kinds;

/// The user the shared caches are filled as.
pub const USER: &str = "system:kube-controller-manager";

/// What that user may do.
pub const RULES: &[Rule] = &[
    Rule {
        groups: &[""],
        resources: &[
            "configmaps",
            "endpoints",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
        verbs: &["list", "watch"],
    },
    Rule {
        groups: &["apps"],
        resources: &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"],
        verbs: &["list", "watch"],
    },
    Rule { groups: &["batch"], resources: &["cronjobs", "jobs"], verbs: &["list", "watch"] },
    Rule { groups: &["coordination.k8s.io"], resources: &["leases"], verbs: &["list", "watch"] },
    Rule { groups: &["discovery.k8s.io"], resources: &["endpointslices"], verbs: &["list", "watch"] },
    Rule { groups: &["policy"], resources: &["poddisruptionbudgets"], verbs: &["list", "watch"] },
    Rule { groups: &["storage.k8s.io"], resources: &["storageclasses"], verbs: &["list", "watch"] },
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
/// The index of EndpointSlices by the Service they belong to, `namespace/name`.
pub(crate) const BY_SERVICE: &str = "service";

/// The label of an EndpointSlice with its Service's name.
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The name of the ConfigMap with the cluster's certificate authority in each namespace.
pub(crate) const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";
/// Where the leases of Nodes are.
pub(crate) const NODE_LEASES: &str = "kube-node-lease";

/// The shared caches; clones share them.
#[derive(Clone)]
pub struct Informers {
    pub(crate) config_maps: Informer<ConfigMap>,
    pub(crate) controller_revisions: Informer<ControllerRevision>,
    pub(crate) cron_jobs: Informer<CronJob>,
    pub(crate) daemon_sets: Informer<DaemonSet>,
    pub(crate) definitions: Informer<PartialObjectMeta<CustomResourceDefinition>>,
    pub(crate) deployments: Informer<Deployment>,
    pub(crate) disruption_budgets: Informer<PodDisruptionBudget>,
    pub(crate) endpoint_slices: Informer<EndpointSlice>,
    pub(crate) endpoints: Informer<Endpoints>,
    pub(crate) jobs: Informer<Job>,
    /// Those of Nodes.
    pub(crate) leases: Informer<Lease>,
    pub(crate) namespaces: Informer<Namespace>,
    pub(crate) nodes: Informer<Node>,
    pub(crate) pods: Informer<Pod>,
    pub(crate) replica_sets: Informer<ReplicaSet>,
    pub(crate) replication_controllers: Informer<ReplicationController>,
    pub(crate) resource_quotas: Informer<ResourceQuota>,
    pub(crate) service_accounts: Informer<ServiceAccount>,
    pub(crate) services: Informer<Service>,
    pub(crate) stateful_sets: Informer<StatefulSet>,
    pub(crate) storage_classes: Informer<StorageClass>,
    pub(crate) volume_claims: Informer<PersistentVolumeClaim>,
    pub(crate) volumes: Informer<PersistentVolume>,
    pub(crate) kinds: Kinds,
}

impl Informers {
    /// Empty caches.
    pub fn new() -> Self {
        Self {
            config_maps: Informer::default(),
            controller_revisions: Informer::new([(BY_CONTROLLER, by_controller as _)]),
            cron_jobs: Informer::default(),
            daemon_sets: Informer::default(),
            definitions: Informer::default(),
            deployments: Informer::default(),
            disruption_budgets: Informer::default(),
            endpoint_slices: Informer::new([(BY_SERVICE, by_service as _)]),
            endpoints: Informer::default(),
            jobs: Informer::new([(BY_CONTROLLER, by_controller as _)]),
            leases: Informer::default(),
            namespaces: Informer::default(),
            nodes: Informer::default(),
            pods: Informer::new([(BY_CONTROLLER, by_controller as _), (BY_NODE, by_node as _)]).slimmed(slim),
            replica_sets: Informer::new([(BY_CONTROLLER, by_controller as _)]),
            replication_controllers: Informer::default(),
            resource_quotas: Informer::default(),
            service_accounts: Informer::default(),
            services: Informer::default(),
            stateful_sets: Informer::default(),
            storage_classes: Informer::default(),
            volume_claims: Informer::default(),
            volumes: Informer::default(),
            kinds: Kinds::default(),
        }
    }

    /// Keeps the caches, for as long as it is polled.
    pub async fn run(&self, client: kube::Client) -> Outcome {
        let named = |name: &str| watcher::Config {
            field_selector: Some(format!("metadata.name={name}")),
            ..watch_config()
        };
        let leases = Api::namespaced(client.clone(), NODE_LEASES);
        let certificates = Api::all(client.clone());
        let mut watches: FuturesUnordered<BoxFuture<'_, Outcome>> = FuturesUnordered::new();
        watches.push(watch(&self.controller_revisions, &client));
        watches.push(watch(&self.cron_jobs, &client));
        watches.push(watch(&self.daemon_sets, &client));
        watches.push(watch(&self.definitions, &client));
        watches.push(watch(&self.deployments, &client));
        watches.push(watch(&self.disruption_budgets, &client));
        watches.push(watch(&self.endpoint_slices, &client));
        watches.push(watch(&self.endpoints, &client));
        watches.push(watch(&self.jobs, &client));
        watches.push(watch(&self.namespaces, &client));
        watches.push(watch(&self.nodes, &client));
        watches.push(watch(&self.pods, &client));
        watches.push(watch(&self.replica_sets, &client));
        watches.push(watch(&self.replication_controllers, &client));
        watches.push(watch(&self.resource_quotas, &client));
        watches.push(watch(&self.service_accounts, &client));
        watches.push(watch(&self.services, &client));
        watches.push(watch(&self.stateful_sets, &client));
        watches.push(watch(&self.storage_classes, &client));
        watches.push(watch(&self.volume_claims, &client));
        watches.push(watch(&self.volumes, &client));
        watches.push(Box::pin(self.leases.run(leases, watch_config())));
        watches.push(Box::pin(self.config_maps.run(certificates, named(ROOT_CERTIFICATE))));
        watches.push(Box::pin(self.kinds.run(client, &self.definitions)));
        watches.next().await.unwrap_or_else(|| Err("there is nothing to watch".into()))
    }
}

/// Keeps a cache of all objects of a kind.
fn watch<'a, K>(informer: &'a Informer<K>, client: &kube::Client) -> BoxFuture<'a, Outcome>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    Box::pin(informer.run(Api::all(client.clone()), watch_config()))
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

fn by_service(slice: &EndpointSlice) -> Vec<String> {
    let namespace = slice.metadata.namespace.as_deref().unwrap_or_default();
    label(&slice.metadata, SERVICE_NAME).map(|name| format!("{namespace}/{name}")).into_iter().collect()
}

/// Takes from a pod what only its node reads: what its containers run and mount.
fn slim(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    if let Some(volumes) = &mut spec.volumes {
        volumes.retain(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some());
        volumes.shrink_to_fit();
    }
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        *container = Container {
            name: std::mem::take(&mut container.name),
            ports: container.ports.take(),
            restart_policy: container.restart_policy.take(),
            ..Container::default()
        };
    }
}
