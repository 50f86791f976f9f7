//! A machine as its Node says it: labels, taints, what it has, how it is.
//!
//! SPEC: what the kubelet and the AWS cloud provider write on EKS.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use mainstay_catalogue::{Allocatable, InstanceType};
use mainstay_kinds::{NodeClaim, NodeClaimSpec};

use crate::plate::Plate;
use crate::runtime;

/// Where a kubelet answers.
const KUBELET_PORT: i32 = 10250;
/// The event and the condition's reason when a Node becomes ready.
pub(crate) const READY_REASON: &str = "KubeletReady";

/// What a machine has, and what of it pods can have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resources {
    pub(crate) capacity: BTreeMap<String, Quantity>,
    pub(crate) allocatable: BTreeMap<String, Quantity>,
    pub(crate) pods: u32,
}

/// The resources of a claimed machine.
pub(crate) fn resources(spec: &NodeClaimSpec, instance_type: &InstanceType) -> Resources {
    let capacity = instance_type.capacity(spec.max_pods, spec.volume_size_gi);
    let allocatable = instance_type.allocatable(spec.max_pods, spec.volume_size_gi);
    Resources {
        pods: capacity.pods,
        capacity: quantities(&capacity, format!("{}Ki", capacity.storage_bytes / 1024)),
        allocatable: quantities(&allocatable, allocatable.storage_bytes.to_string()),
    }
}

fn quantities(amount: &Allocatable, storage: String) -> BTreeMap<String, Quantity> {
    let cpu = match amount.cpu_milli % 1000 {
        0 => (amount.cpu_milli / 1000).to_string(),
        _ => format!("{}m", amount.cpu_milli),
    };
    let entries = [
        ("cpu", cpu),
        ("ephemeral-storage", storage),
        ("hugepages-1Gi", "0".to_owned()),
        ("hugepages-2Mi", "0".to_owned()),
        ("memory", format!("{}Ki", u64::from(amount.memory_mib) * 1024)),
        ("pods", amount.pods.to_string()),
    ];
    entries.into_iter().map(|(name, text)| (name.to_owned(), Quantity(text))).collect()
}

/// The Node a machine registers, not ready yet.
pub(crate) fn node(
    claim: &NodeClaim,
    instance_type: &InstanceType,
    plate: &Plate,
    resources: &Resources,
    now: Timestamp,
) -> Node {
    Node {
        metadata: ObjectMeta {
            name: Some(plate.node.clone()),
            labels: Some(labels(&claim.spec, instance_type, plate)),
            annotations: Some(annotations(plate)),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            pod_cidr: Some(plate.pod_cidr()),
            pod_cidrs: Some(vec![plate.pod_cidr()]),
            provider_id: Some(plate.provider_id.clone()),
            taints: (!claim.spec.taints.is_empty()).then(|| claim.spec.taints.clone()),
            ..NodeSpec::default()
        }),
        status: Some(NodeStatus {
            conditions: Some(conditions(false, now, now, now)),
            ..facts(instance_type, plate, resources)
        }),
    }
}

/// What a machine says of itself that does not change.
pub(crate) fn facts(instance_type: &InstanceType, plate: &Plate, resources: &Resources) -> NodeStatus {
    NodeStatus {
        addresses: Some(addresses(plate)),
        allocatable: Some(resources.allocatable.clone()),
        capacity: Some(resources.capacity.clone()),
        daemon_endpoints: Some(NodeDaemonEndpoints {
            kubelet_endpoint: Some(DaemonEndpoint { port: KUBELET_PORT }),
        }),
        node_info: Some(system(instance_type, plate)),
        ..NodeStatus::default()
    }
}

fn labels(spec: &NodeClaimSpec, instance_type: &InstanceType, plate: &Plate) -> BTreeMap<String, String> {
    let own = [
        ("beta.kubernetes.io/arch", instance_type.architecture),
        ("beta.kubernetes.io/instance-type", &spec.instance_type),
        ("beta.kubernetes.io/os", "linux"),
        ("failure-domain.beta.kubernetes.io/region", &spec.region),
        ("failure-domain.beta.kubernetes.io/zone", &spec.zone),
        ("kubernetes.io/arch", instance_type.architecture),
        ("kubernetes.io/hostname", &plate.node),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &spec.instance_type),
        ("topology.kubernetes.io/region", &spec.region),
        ("topology.kubernetes.io/zone", &spec.zone),
    ];
    let mut labels = spec.labels.clone();
    labels.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
    labels
}

fn annotations(plate: &Plate) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("alpha.kubernetes.io/provided-node-ip".to_owned(), plate.address.to_string()),
        ("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned()),
    ])
}

fn addresses(plate: &Plate) -> Vec<NodeAddress> {
    let address = |type_: &str, address: String| NodeAddress { type_: type_.to_owned(), address };
    vec![
        address("InternalIP", plate.address.to_string()),
        address("InternalDNS", plate.node.clone()),
        address("Hostname", plate.node.clone()),
    ]
}

fn system(instance_type: &InstanceType, plate: &Plate) -> NodeSystemInfo {
    let image = mainstay_catalogue::image();
    NodeSystemInfo {
        architecture: instance_type.architecture.to_owned(),
        boot_id: plate.boot_id.clone(),
        container_runtime_version: runtime::VERSION.to_owned(),
        kernel_version: image.kernel.to_owned(),
        kube_proxy_version: String::new(),
        kubelet_version: image.kubelet.to_owned(),
        machine_id: plate.machine_id.clone(),
        operating_system: "linux".to_owned(),
        os_image: image.operating_system.to_owned(),
        system_uuid: plate.machine_id.clone(),
        ..NodeSystemInfo::default()
    }
}

/// What a machine says of itself `now`: free of pressure since it was made, `ready` or not `since`.
pub(crate) fn conditions(
    ready: bool,
    made_at: Timestamp,
    since: Timestamp,
    now: Timestamp,
) -> Vec<NodeCondition> {
    let condition = |type_: &str, status: &str, reason: &str, message: &str| NodeCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_heartbeat_time: Some(Time(now)),
        last_transition_time: Some(Time(if type_ == "Ready" { since } else { made_at })),
    };
    let pressures = [
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ];
    let mut conditions: Vec<_> = pressures
        .into_iter()
        .map(|(type_, reason, message)| condition(type_, "False", reason, message))
        .collect();
    conditions.push(if ready {
        condition("Ready", "True", READY_REASON, "kubelet is posting ready status")
    } else {
        let why = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                   message:Network plugin returns error: cni plugin not initialized";
        condition("Ready", "False", "KubeletNotReady", why)
    });
    conditions
}

/// The patch (strategic) that reports these conditions, with the facts where they may be news.
pub(crate) fn report(conditions: Vec<NodeCondition>, facts: Option<&NodeStatus>) -> serde_json::Value {
    let facts = facts.cloned().unwrap_or_default();
    serde_json::json!({ "status": NodeStatus { conditions: Some(conditions), ..facts } })
}

#[cfg(test)]
mod tests;
