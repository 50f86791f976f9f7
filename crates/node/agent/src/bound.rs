//! A pod bound to a machine, as the agent holds it: what it acts on, and nothing else.
//!
//! The agent holds every bound pod of its region for as long as it is there, so what it never looks
//! at (volumes, environments, affinities) is not even read from the watch.
//!
//! **Invariants:** whatever the API server stores can be read: an absent field and `null` are the
//! default, an unknown word is the default's.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Resource;
use mainstay_control::meta::annotation;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::runtime::Which;

/// Annotation nobody here reads, and as large as the pod's manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BoundPod {
    /// Its metadata.
    #[serde(deserialize_with = "or_default")]
    pub metadata: ObjectMeta,
    /// What is to run.
    #[serde(deserialize_with = "or_default")]
    pub spec: Spec,
    /// What was said of it.
    #[serde(deserialize_with = "or_default")]
    pub status: Status,
}

/// What is to run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Its machine's Node.
    #[serde(deserialize_with = "or_default")]
    pub node_name: String,
    /// Whether its containers are started again.
    #[serde(deserialize_with = "or_default")]
    pub restart_policy: RestartPolicy,
    /// Whether it lives in its machine's network.
    #[serde(deserialize_with = "or_default")]
    pub host_network: bool,
    /// Init containers and sidecars, in order.
    #[serde(deserialize_with = "or_default")]
    pub init_containers: Vec<Container>,
    /// Containers, in order.
    #[serde(deserialize_with = "or_default")]
    pub containers: Vec<Container>,
    /// How long its containers may take to stop, in seconds.
    pub termination_grace_period_seconds: Option<i64>,
    /// How long it may run at all, in seconds.
    pub active_deadline_seconds: Option<i64>,
    /// Conditions of others its readiness waits for.
    #[serde(deserialize_with = "or_default")]
    pub readiness_gates: Vec<core::PodReadinessGate>,
}

/// Whether containers are started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum RestartPolicy {
    /// When they failed.
    OnFailure,
    /// Not at all.
    Never,
    /// Whenever they end.
    #[default]
    #[serde(other)]
    Always,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its image, as it was written.
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    /// Whether the image is pulled though it is there.
    #[serde(deserialize_with = "or_default")]
    pub image_pull_policy: PullPolicy,
    /// `Always` for a sidecar among the init containers.
    pub restart_policy: Option<RestartPolicy>,
    /// What it asks for and is limited to.
    pub resources: Option<Box<core::ResourceRequirements>>,
    /// Its ports.
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<Port>,
    /// Says when it has started.
    pub startup_probe: Option<Box<Probe>>,
    /// Says when it must be restarted.
    pub liveness_probe: Option<Box<Probe>>,
    /// Says when it can serve.
    pub readiness_probe: Option<Box<Probe>>,
    /// What runs before it is stopped.
    pub lifecycle: Option<Lifecycle>,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// Not at all: it is there.
    Never,
    /// When it is not there.
    #[default]
    #[serde(other)]
    IfNotPresent,
}

/// A port of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Port {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its number.
    #[serde(deserialize_with = "or_default")]
    pub container_port: u16,
}

/// A probe.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Probe {
    /// How long it waits first, in seconds.
    pub initial_delay_seconds: Option<i32>,
    /// How long between two looks, in seconds.
    pub period_seconds: Option<i32>,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: Option<i32>,
    /// How often it must succeed in a row.
    pub success_threshold: Option<i32>,
    /// How often it must fail in a row.
    pub failure_threshold: Option<i32>,
    /// How long the container may take to stop when this probe kills it, in seconds.
    pub termination_grace_period_seconds: Option<i64>,
    /// It asks over HTTP.
    pub http_get: Option<HttpGet>,
    /// It connects.
    pub tcp_socket: Option<TcpSocket>,
    /// It asks over gRPC.
    pub grpc: Option<Grpc>,
}

/// Where a probe asks over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HttpGet {
    /// The port's number or name.
    pub port: Option<IntOrString>,
    /// The path.
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    /// `HTTPS`, or not.
    #[serde(deserialize_with = "or_default")]
    pub scheme: String,
}

/// Where a probe connects to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TcpSocket {
    /// The port's number or name.
    pub port: Option<IntOrString>,
}

/// Where a probe asks over gRPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Grpc {
    /// The port.
    #[serde(deserialize_with = "or_default")]
    pub port: u16,
}

/// What runs at the turns of a container's life.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lifecycle {
    /// What runs before it is stopped.
    pub pre_stop: Option<PreStop>,
}

/// What runs before a container is stopped.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PreStop {
    /// Nothing but waiting.
    pub sleep: Option<Sleep>,
    /// A command.
    pub exec: Option<IgnoredAny>,
}

/// How long a hook waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sleep {
    /// In seconds.
    #[serde(deserialize_with = "or_default")]
    pub seconds: u64,
}

/// What was said of a pod.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Its phase.
    #[serde(deserialize_with = "or_default")]
    pub phase: String,
    /// Why it is in it.
    pub reason: Option<String>,
    /// Its address.
    #[serde(rename = "podIP")]
    pub pod_ip: Option<String>,
    /// When its machine first saw it.
    pub start_time: Option<Time>,
    /// Its conditions, of whoever wrote them.
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
    /// Its init containers.
    #[serde(deserialize_with = "or_default")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Its containers.
    #[serde(deserialize_with = "or_default")]
    pub container_statuses: Vec<ContainerStatus>,
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Why, for people.
    pub message: Option<String>,
    /// Since when.
    pub last_transition_time: Option<Time>,
}

/// How a container is, as it was said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Whether it can serve.
    #[serde(deserialize_with = "or_default")]
    pub ready: bool,
    /// Whether it has started.
    #[serde(deserialize_with = "or_default")]
    pub started: bool,
    /// How often it was started again.
    #[serde(deserialize_with = "or_default")]
    pub restart_count: u32,
    /// How it is.
    #[serde(deserialize_with = "or_default")]
    pub state: State,
    /// How its run before this one ended.
    #[serde(deserialize_with = "or_default")]
    pub last_state: State,
}

/// One of the states of a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct State {
    /// It runs.
    pub running: Option<core::ContainerStateRunning>,
    /// It ended.
    pub terminated: Option<Box<core::ContainerStateTerminated>>,
    /// It does neither yet.
    pub waiting: Option<Box<core::ContainerStateWaiting>>,
}

impl Container {
    /// Whether an init container keeps running beside the others.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy == Some(RestartPolicy::Always)
    }
}

impl Spec {
    /// The container.
    pub fn container(&self, which: Which) -> Option<&Container> {
        match which {
            Which::Init(index) => self.init_containers.get(index),
            Which::Main(index) => self.containers.get(index),
        }
    }

    /// Every container, in order.
    pub fn all(&self) -> impl Iterator<Item = (Which, &Container)> {
        let init = self.init_containers.iter().enumerate().map(|(index, one)| (Which::Init(index), one));
        let main = self.containers.iter().enumerate().map(|(index, one)| (Which::Main(index), one));
        init.chain(main)
    }

    /// Whether the container is a sidecar.
    pub fn is_sidecar(&self, which: Which) -> bool {
        matches!(which, Which::Init(_)) && self.container(which).is_some_and(Container::is_sidecar)
    }
}

impl BoundPod {
    /// Its uid; empty before it is stored.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Whether somebody asked for its deletion.
    pub fn is_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        matches!(&*self.status.phase, "Succeeded" | "Failed")
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        annotation(&self.metadata, key)
    }

    /// Whether a Job owns it.
    pub fn is_of_job(&self) -> bool {
        self.metadata.owner_references.iter().flatten().any(|owner| owner.kind == "Job")
    }

    /// Drops what was read and nobody asks for.
    pub fn slim(&mut self) {
        self.metadata.managed_fields = None;
        if let Some(annotations) = &mut self.metadata.annotations {
            annotations.remove(LAST_APPLIED);
        }
    }
}

impl Resource for BoundPod {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Reads a field that may be `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_null_and_unknown_are_the_default() {
        let pod: BoundPod = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "web", "creationTimestamp": null },
            "spec": {
                "containers": [{ "name": "web", "image": "nginx", "ports": null, "imagePullPolicy": "Sometimes",
                    "resources": null, "env": [{ "name": "A" }], "livenessProbe": { "exec": { "command": ["ls"] } } }],
                "initContainers": null, "restartPolicy": "Perhaps", "volumes": [{ "name": "v" }],
            },
            "status": null,
        }))
        .unwrap();
        assert_eq!(pod.spec.restart_policy, RestartPolicy::Always);
        assert_eq!(pod.spec.containers[0].image_pull_policy, PullPolicy::IfNotPresent);
        assert!(pod.spec.containers[0].liveness_probe.is_some() && pod.spec.init_containers.is_empty());
        assert_eq!(serde_json::from_value::<BoundPod>(json!({})).unwrap(), BoundPod::default());
    }
}
