//! What a pod is to a Service: whether it stands behind it, where, and under which ports.

use k8s_openapi::api::core::v1::{ContainerPort, ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::pods;

/// The label a slice or Endpoints of a Service without an address of its own bears.
pub(super) const HEADLESS: &str = "service.kubernetes.io/headless";

/// Whether the Service selects the pod; one without a selector selects nothing.
pub(super) fn selects(service: &Service, pod: &Pod) -> bool {
    let Some(selector) = selector(service) else { return false };
    let labels = pod.metadata.labels.as_ref();
    selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// The labels the Service selects its pods by; `None` for one whose pods are not looked for.
pub(super) fn selector(service: &Service) -> Option<&std::collections::BTreeMap<String, String>> {
    let spec = service.spec.as_ref()?;
    spec.selector.as_ref().filter(|_| spec.type_.as_deref() != Some("ExternalName"))
}

/// Whether the pod has an address that may be told, terminating or not.
pub(super) fn has_address(pod: &Pod) -> bool {
    !pods::is_ended(pod) && addresses(pod).next().is_some()
}

/// The pod's addresses.
pub(super) fn addresses(pod: &Pod) -> impl Iterator<Item = &str> {
    let status = pod.status.as_ref();
    let all = status.and_then(|status| status.pod_ips.as_deref()).unwrap_or_default();
    all.iter().map(|one| one.ip.as_str())
}

/// Whether the Service has no address of its own.
pub(super) fn is_headless(service: &Service) -> bool {
    let address = service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref());
    matches!(address, None | Some("" | "None"))
}

/// Whether the Service wants pods told that are not ready.
pub(super) fn publishes_unready(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses).unwrap_or_default()
}

/// The Service's ports.
pub(super) fn ports(service: &Service) -> &[ServicePort] {
    service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default()
}

/// The pod's host name, where it is found under the Service's name.
pub(super) fn hostname(pod: &Pod, service: &Service) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let is_below =
        spec.subdomain.as_deref().unwrap_or_default() == service.metadata.name.as_deref().unwrap_or_default();
    spec.hostname.clone().filter(|hostname| is_below && !hostname.is_empty())
}

/// The pod's port that a port of the Service leads to; `None` where it has none of that name.
pub(super) fn target_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    let name = match port.target_port.as_ref() {
        None => return Some(port.port),
        Some(IntOrString::Int(number)) => return Some(*number),
        Some(IntOrString::String(name)) => name,
    };
    let protocol = |protocol: Option<&String>| protocol.map_or("TCP", String::as_str).to_owned();
    let is_it = |candidate: &&ContainerPort| {
        candidate.name.as_ref() == Some(name)
            && protocol(candidate.protocol.as_ref()) == protocol(port.protocol.as_ref())
    };
    let spec = pod.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let mut all =
        spec.containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
    all.find(is_it).map(|found| found.container_port)
}

/// What a told address refers to.
pub(super) fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// Whether a change of a pod can change what is told of it.
pub(super) fn is_told_differently(old: &Pod, new: &Pod) -> bool {
    let node = |pod: &Pod| pods::node(pod).map(str::to_owned);
    old.metadata.uid != new.metadata.uid
        || old.metadata.deletion_timestamp.is_some() != new.metadata.deletion_timestamp.is_some()
        || pods::is_ready(old) != pods::is_ready(new)
        || pods::is_ended(old) != pods::is_ended(new)
        || !addresses(old).eq(addresses(new))
        || node(old) != node(new)
        || has_other_membership(old, new)
}

/// Whether a change of a pod can change which Services it stands behind, or under which name.
fn has_other_membership(old: &Pod, new: &Pod) -> bool {
    let name = |pod: &Pod| pod.spec.as_ref().map(|spec| (spec.hostname.clone(), spec.subdomain.clone()));
    old.metadata.labels != new.metadata.labels || name(old) != name(new)
}
