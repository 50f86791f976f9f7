//! The addresses behind a Service, grouped by the ports they are reached under.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Pod, Service, ServicePort};

use super::super::members;
use crate::pods;

/// How many addresses are told at the most.
const CAPACITY: usize = 1000;

/// An address and whether it is ready; both make it what it is.
type Address = (String, String, bool);

/// What is told of `pods`; whether something was left out for want of room.
pub fn subsets(service: &Service, pods: &[Arc<Pod>]) -> (Vec<EndpointSubset>, bool) {
    let mut addresses: BTreeMap<Address, EndpointAddress> = BTreeMap::new();
    let mut by_port: BTreeMap<PortKey, (Option<EndpointPort>, Vec<Address>)> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| is_told(service, pod)) {
        let Some(address) = address(service, pod) else { continue };
        let is_ready = members::publishes_unready(service) || pods::is_ready(pod);
        let key = (address.ip.clone(), pod.metadata.uid.clone().unwrap_or_default(), is_ready);
        for port in endpoint_ports(service, pod) {
            by_port.entry(port_key(port.as_ref())).or_insert_with(|| (port, Vec::new())).1.push(key.clone());
        }
        addresses.insert(key, address);
    }
    let mut grouped: BTreeMap<Vec<Address>, Vec<EndpointPort>> = BTreeMap::new();
    for (_, (port, mut reached)) in by_port {
        reached.sort();
        grouped.entry(reached).or_default().extend(port);
    }
    let mut subsets: Vec<EndpointSubset> =
        grouped.into_iter().map(|(reached, ports)| subset(&reached, ports, &addresses)).collect();
    subsets.sort_by_key(key_of_ports);
    let is_truncated = truncate(&mut subsets);
    (subsets, is_truncated)
}

fn is_told(service: &Service, pod: &Pod) -> bool {
    let may_go = members::publishes_unready(service) || pod.metadata.deletion_timestamp.is_none();
    members::has_address(pod) && may_go
}

fn address(service: &Service, pod: &Pod) -> Option<EndpointAddress> {
    let families = service.spec.as_ref().and_then(|spec| spec.ip_families.as_deref()).unwrap_or_default();
    let wants_ipv6 = families.first().is_some_and(|family| family == "IPv6");
    let ip = members::addresses(pod).find(|address| address.contains(':') == wants_ipv6)?;
    Some(EndpointAddress {
        ip: ip.to_owned(),
        hostname: members::hostname(pod, service),
        node_name: pods::node(pod).map(str::to_owned),
        target_ref: Some(members::reference(pod)),
    })
}

/// The ports a pod is reached under; a headless Service without ports has one that is none.
fn endpoint_ports(service: &Service, pod: &Pod) -> Vec<Option<EndpointPort>> {
    let ports = members::ports(service);
    if ports.is_empty() {
        return if members::is_headless(service) { vec![None] } else { Vec::new() };
    }
    let told = |port: &ServicePort| {
        Some(Some(EndpointPort {
            name: port.name.clone().filter(|name| !name.is_empty()),
            port: members::target_port(pod, port)?,
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
            app_protocol: port.app_protocol.clone(),
        }))
    };
    ports.iter().filter_map(told).collect()
}

type PortKey = Option<(Option<String>, Option<String>, i32, Option<String>)>;

fn port_key(port: Option<&EndpointPort>) -> PortKey {
    port.map(|port| (port.name.clone(), port.protocol.clone(), port.port, port.app_protocol.clone()))
}

fn key_of_ports(subset: &EndpointSubset) -> Vec<PortKey> {
    subset.ports.iter().flatten().map(|port| port_key(Some(port))).collect()
}

fn subset(
    reached: &[Address],
    ports: Vec<EndpointPort>,
    addresses: &BTreeMap<Address, EndpointAddress>,
) -> EndpointSubset {
    let of = |is_ready: bool| {
        let found = reached.iter().filter(|address| address.2 == is_ready);
        let found: Vec<_> = found.filter_map(|address| addresses.get(address).cloned()).collect();
        Some(found).filter(|found| !found.is_empty())
    };
    EndpointSubset {
        addresses: of(true),
        not_ready_addresses: of(false),
        ports: Some(ports).filter(|ports| !ports.is_empty()),
    }
}

/// Leaves out what is too many, unready addresses first; says whether there was any.
fn truncate(subsets: &mut [EndpointSubset]) -> bool {
    let mut room = CAPACITY;
    let mut is_truncated = false;
    let mut fit = |addresses: &mut Option<Vec<EndpointAddress>>| {
        let count = addresses.as_ref().map_or(0, Vec::len);
        is_truncated |= count > room;
        if let Some(list) = addresses {
            list.truncate(room);
        }
        room = room.saturating_sub(count);
    };
    for subset in &mut *subsets {
        fit(&mut subset.addresses);
    }
    for subset in subsets {
        fit(&mut subset.not_ready_addresses);
    }
    is_truncated
}
