//! What a Service's slices have to become.
//!
//! **Invariants:** every endpoint is in one slice; slices of one address type with the same ports
//! are filled before a new one is made; as few slices as possible change.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::{
    Endpoint, EndpointConditions, EndpointHints, EndpointPort, EndpointSlice, ForZone,
};
use mainstay_control::meta::{controller_reference, uid};

use super::super::members;
use super::fill::{Group, fill};
use crate::informers::SERVICE_NAME;
use crate::pods;

/// The label with who keeps the slice.
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Its value for this controller.
pub(super) const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// Annotations by which a Service asks for hints by zone; they rule `trafficDistribution` out.
const HINT_ANNOTATIONS: [&str; 2] =
    ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Slices to create.
    pub create: Vec<EndpointSlice>,
    /// Slices to change: as they are, and as they shall be.
    pub update: Vec<(Arc<EndpointSlice>, EndpointSlice)>,
    /// Slices to delete.
    pub delete: Vec<Arc<EndpointSlice>>,
    /// Pods that were left out because their node is not known, and that node.
    pub homeless: Vec<(String, String)>,
}

/// What the slices `existing` of `service` have to become so that they tell of `pods`.
pub fn plan(
    service: &Service,
    pods: &[Arc<Pod>],
    node: &dyn Fn(&str) -> Option<Arc<Node>>,
    existing: &[Arc<EndpointSlice>],
) -> Plan {
    let mut plan = Plan::default();
    let types = address_types(service);
    for slice in existing.iter().filter(|slice| !types.contains(&slice.address_type.as_str())) {
        plan.delete.push(slice.clone());
    }
    for address_type in types {
        let mut of_type: Vec<_> = existing.to_vec();
        of_type.retain(|slice| slice.address_type == address_type);
        plan_type(service, pods, node, &of_type, address_type, &mut plan);
    }
    plan
}

fn plan_type(
    service: &Service,
    pods: &[Arc<Pod>],
    node: &dyn Fn(&str) -> Option<Arc<Node>>,
    existing: &[Arc<EndpointSlice>],
    address_type: &str,
    plan: &mut Plan,
) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut delete = Vec::new();
    for slice in existing {
        if !is_owned(slice, service) {
            delete.push(slice.clone());
            continue;
        }
        let ports = slice.ports.clone().unwrap_or_default();
        groups.entry(port_key(&ports)).or_insert_with(|| Group::new(ports)).existing.push(slice.clone());
    }
    let has_pods = wanted(service, pods, node, address_type, &mut groups, &mut plan.homeless);
    let mut create = Vec::new();
    let mut update = Vec::new();
    for (key, group) in groups {
        if has_pods.contains(&key) {
            fill(service, address_type, group, &mut create, &mut update, &mut delete);
        } else {
            delete.extend(group.existing);
        }
    }
    if existing.len() == delete.len() && create.is_empty() {
        let placeholder = empty(service, address_type, Vec::new());
        match delete.as_slice() {
            [only] if is_placeholder(only, &placeholder) => delete.clear(),
            _ => create.push(placeholder),
        }
    }
    hint(service, existing, &mut create, &mut update, &delete);
    reuse(service, &mut create, &mut update, &mut delete);
    plan.create.extend(create);
    plan.update.extend(update);
    plan.delete.extend(delete);
}

/// Puts each pod's endpoint into the group of its ports; returns the groups that have pods.
fn wanted(
    service: &Service,
    pods: &[Arc<Pod>],
    node: &dyn Fn(&str) -> Option<Arc<Node>>,
    address_type: &str,
    groups: &mut BTreeMap<String, Group>,
    homeless: &mut Vec<(String, String)>,
) -> std::collections::BTreeSet<String> {
    let mut used = std::collections::BTreeSet::new();
    for pod in pods.iter().filter(|pod| members::has_address(pod)) {
        let ports = endpoint_ports(service, pod);
        let key = port_key(&ports);
        used.insert(key.clone());
        let group = groups.entry(key).or_insert_with(|| Group::new(ports));
        let host = pods::node(pod).and_then(node);
        if host.is_none() && !members::publishes_unready(service) {
            let node = pods::node(pod).unwrap_or_default().to_owned();
            homeless.push((pod.metadata.name.clone().unwrap_or_default(), node));
            continue;
        }
        let endpoint = endpoint(service, pod, host.as_deref(), address_type);
        if !endpoint.addresses.is_empty() {
            group.want(endpoint);
        }
    }
    used
}

/// What is told of a pod.
fn endpoint(service: &Service, pod: &Pod, node: Option<&Node>, address_type: &str) -> Endpoint {
    let is_serving = pods::is_ready(pod);
    let is_terminating = pod.metadata.deletion_timestamp.is_some();
    let is_ready = members::publishes_unready(service) || (is_serving && !is_terminating);
    let addresses = members::addresses(pod).filter_map(|text| text.parse::<IpAddr>().ok());
    let labels = node.and_then(|node| node.metadata.labels.as_ref());
    Endpoint {
        addresses: addresses
            .filter(|address| address.is_ipv6() == (address_type == "IPv6"))
            .map(|address| address.to_string())
            .collect(),
        conditions: Some(EndpointConditions {
            ready: Some(is_ready),
            serving: Some(is_serving),
            terminating: Some(is_terminating),
        }),
        hostname: members::hostname(pod, service),
        node_name: pods::node(pod).map(str::to_owned),
        target_ref: Some(members::reference(pod)),
        zone: labels
            .and_then(|labels| labels.get("topology.kubernetes.io/zone"))
            .filter(|zone| !zone.is_empty())
            .cloned(),
        ..Endpoint::default()
    }
}

/// The ports under which a pod is reached.
fn endpoint_ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let port = |port: &k8s_openapi::api::core::v1::ServicePort| {
        Some(EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(members::target_port(pod, port)?),
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
            app_protocol: port.app_protocol.clone(),
        })
    };
    members::ports(service).iter().filter_map(port).collect()
}

/// Slices with the same ports, in whatever order, have the same key.
fn port_key(ports: &[EndpointPort]) -> String {
    let text = |port: &EndpointPort| {
        format!("{:?}/{:?}/{:?}/{:?}", port.name, port.protocol, port.port, port.app_protocol)
    };
    let mut texts: Vec<String> = ports.iter().map(text).collect();
    texts.sort();
    texts.join(",")
}

/// The families of addresses the Service has.
fn address_types(service: &Service) -> Vec<&'static str> {
    let spec = service.spec.as_ref();
    let families = spec.and_then(|spec| spec.ip_families.as_deref()).unwrap_or_default();
    let has = |family: &str| families.iter().any(|one| one == family);
    match (has("IPv4"), has("IPv6")) {
        (true, true) => vec!["IPv4", "IPv6"],
        (false, true) => vec!["IPv6"],
        (true, false) => vec!["IPv4"],
        (false, false) => match spec.and_then(|spec| spec.cluster_ip.as_deref()) {
            Some(address) if address.contains(':') => vec!["IPv6"],
            Some(address) if !matches!(address, "" | "None") => vec!["IPv4"],
            _ => vec!["IPv4", "IPv6"],
        },
    }
}

/// A slice without endpoints.
pub(super) fn empty(service: &Service, address_type: &str, ports: Vec<EndpointPort>) -> EndpointSlice {
    let mut slice = EndpointSlice { address_type: address_type.to_owned(), ..EndpointSlice::default() };
    let name = service.metadata.name.as_deref().unwrap_or_default();
    slice.metadata.generate_name = Some(format!("{name}-"));
    slice.metadata.namespace.clone_from(&service.metadata.namespace);
    slice.metadata.owner_references = Some(vec![controller_reference(service)]);
    slice.metadata.labels = Some(labels(service));
    slice.ports = Some(ports);
    slice
}

/// The labels of a Service's slices: its own, and those that are ours to give.
pub(super) fn labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(members::HEADLESS);
    if members::is_headless(service) {
        labels.insert(members::HEADLESS.to_owned(), String::new());
    }
    labels.insert(SERVICE_NAME.to_owned(), service.metadata.name.clone().unwrap_or_default());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    labels
}

fn is_owned(slice: &EndpointSlice, service: &Service) -> bool {
    let owners = slice.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.kind == "Service" && owner.uid == uid(&service.metadata))
}

fn is_placeholder(slice: &EndpointSlice, placeholder: &EndpointSlice) -> bool {
    slice.endpoints.is_empty()
        && slice.ports.iter().flatten().next().is_none()
        && slice.metadata.labels == placeholder.metadata.labels
        && slice.metadata.owner_references == placeholder.metadata.owner_references
}

/// What is to be deleted and what is to be created are better one slice that changes.
fn reuse(
    service: &Service,
    create: &mut Vec<EndpointSlice>,
    update: &mut Vec<(Arc<EndpointSlice>, EndpointSlice)>,
    delete: &mut Vec<Arc<EndpointSlice>>,
) {
    let mut kept = Vec::new();
    for slice in std::mem::take(delete) {
        match create.pop_if(|_| is_owned(&slice, service)) {
            Some(new) => {
                let changed =
                    EndpointSlice { endpoints: new.endpoints, ports: new.ports, ..slice.as_ref().clone() };
                update.push((slice, with_labels(changed, service)));
            }
            None => kept.push(slice),
        }
    }
    *delete = kept;
}

pub(super) fn with_labels(mut slice: EndpointSlice, service: &Service) -> EndpointSlice {
    slice.metadata.labels = Some(labels(service));
    slice
}

/// Whether the Service wants its clients to prefer endpoints of their own zone.
fn prefers_close(service: &Service) -> bool {
    let preference = service.spec.as_ref().and_then(|spec| spec.traffic_distribution.as_deref());
    let annotations = service.metadata.annotations.as_ref();
    let has_hints = HINT_ANNOTATIONS.iter().find_map(|name| annotations?.get(*name));
    preference == Some("PreferClose") && !has_hints.is_some_and(|value| value.eq_ignore_ascii_case("auto"))
}

/// Gives every ready endpoint the hint of its zone, or takes all hints away.
fn hint(
    service: &Service,
    existing: &[Arc<EndpointSlice>],
    create: &mut [EndpointSlice],
    update: &mut Vec<(Arc<EndpointSlice>, EndpointSlice)>,
    delete: &[Arc<EndpointSlice>],
) {
    let is_close = prefers_close(service);
    for slice in existing {
        let is_one = |other: &Arc<EndpointSlice>| Arc::ptr_eq(other, slice);
        let is_touched = update.iter().any(|(old, _)| is_one(old)) || delete.iter().any(is_one);
        let hinted = hinted(slice, is_close);
        if !is_touched && hinted.endpoints != slice.endpoints {
            update.push((slice.clone(), hinted));
        }
    }
    for slice in create.iter_mut().chain(update.iter_mut().map(|(_, new)| new)) {
        *slice = hinted(slice, is_close);
    }
}

fn hinted(slice: &EndpointSlice, is_close: bool) -> EndpointSlice {
    let mut slice = slice.clone();
    for endpoint in &mut slice.endpoints {
        let is_ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) == Some(true);
        if is_close && !is_ready {
            continue;
        }
        let zone = endpoint.zone.clone().filter(|_| is_close);
        endpoint.hints = zone.map(|name| EndpointHints {
            for_zones: Some(vec![ForZone { name }]),
            ..EndpointHints::default()
        });
    }
    slice
}
