//! Sharing the endpoints of one set of ports out among slices.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};

use super::plan::{empty, labels, with_labels};

/// How many endpoints a slice holds at the most.
const LARGEST: usize = 100;

/// Slices and wanted endpoints of one set of ports.
pub(super) struct Group {
    ports: Vec<EndpointPort>,
    pub(super) existing: Vec<Arc<EndpointSlice>>,
    wanted: BTreeMap<Identity, Endpoint>,
}

/// What makes an endpoint the same one.
type Identity = (Vec<String>, Option<String>, Option<String>, Option<String>);

fn identity(endpoint: &Endpoint) -> Identity {
    let mut addresses = endpoint.addresses.clone();
    addresses.sort();
    let target = endpoint.target_ref.as_ref();
    let namespace = target.and_then(|target| target.namespace.clone());
    (addresses, endpoint.hostname.clone(), namespace, target.and_then(|target| target.name.clone()))
}

impl Group {
    pub(super) fn new(ports: Vec<EndpointPort>) -> Self {
        Self { ports, existing: Vec::new(), wanted: BTreeMap::new() }
    }

    pub(super) fn want(&mut self, endpoint: Endpoint) {
        self.wanted.insert(identity(&endpoint), endpoint);
    }
}

type Changed = (Arc<EndpointSlice>, EndpointSlice);

/// Puts every wanted endpoint of the group into a slice.
pub(super) fn fill(
    service: &Service,
    address_type: &str,
    mut group: Group,
    create: &mut Vec<EndpointSlice>,
    update: &mut Vec<Changed>,
    delete: &mut Vec<Arc<EndpointSlice>>,
) {
    let mut changed: Vec<Changed> = Vec::new();
    let mut same: Vec<Arc<EndpointSlice>> = Vec::new();
    for slice in &group.existing {
        match keep(slice, &mut group.wanted, service) {
            Kept::All => same.push(slice.clone()),
            Kept::Some(new) => changed.push((slice.clone(), *new)),
            Kept::None => delete.push(slice.clone()),
        }
    }
    let mut rest: Vec<Endpoint> = group.wanted.into_values().rev().collect();
    changed.sort_by_key(|(_, slice)| std::cmp::Reverse(slice.endpoints.len()));
    for (_, slice) in &mut changed {
        top_up(slice, &mut rest);
    }
    while !rest.is_empty() {
        let Some(index) = closest(&same, rest.len()) else {
            let mut new = empty(service, address_type, group.ports.clone());
            top_up(&mut new, &mut rest);
            create.push(new);
            continue;
        };
        let old = same.remove(index);
        let mut new = old.as_ref().clone();
        top_up(&mut new, &mut rest);
        changed.push((old, new));
    }
    update.extend(changed);
}

/// What is left of a slice.
enum Kept {
    /// All of it, as it is.
    All,
    /// Something of it, or all of it changed.
    Some(Box<EndpointSlice>),
    /// Nothing.
    None,
}

/// Takes from `wanted` what the slice holds already.
fn keep(slice: &EndpointSlice, wanted: &mut BTreeMap<Identity, Endpoint>, service: &Service) -> Kept {
    let mut endpoints = Vec::new();
    let mut is_changed = false;
    for old in &slice.endpoints {
        if let Some(new) = wanted.remove(&identity(old)) {
            is_changed |= !tells_the_same(old, &new);
            // Hints are given at the end: until then it keeps its own.
            endpoints.push(Endpoint { hints: old.hints.clone(), ..new });
        }
    }
    is_changed |= endpoints.len() != slice.endpoints.len();
    if is_changed && endpoints.is_empty() {
        return Kept::None;
    }
    if !is_changed && slice.metadata.labels.as_ref() == Some(&labels(service)) {
        return Kept::All;
    }
    Kept::Some(Box::new(with_labels(EndpointSlice { endpoints, ..slice.clone() }, service)))
}

fn tells_the_same(old: &Endpoint, new: &Endpoint) -> bool {
    let uid = |endpoint: &Endpoint| endpoint.target_ref.as_ref().and_then(|target| target.uid.clone());
    old.conditions == new.conditions
        && old.node_name == new.node_name
        && old.zone == new.zone
        && uid(old) == uid(new)
}

fn top_up(slice: &mut EndpointSlice, rest: &mut Vec<Endpoint>) {
    while slice.endpoints.len() < LARGEST {
        let Some(endpoint) = rest.pop() else { return };
        slice.endpoints.push(endpoint);
    }
}

/// The fullest of the slices that has room for `count` more.
fn closest(slices: &[Arc<EndpointSlice>], count: usize) -> Option<usize> {
    let room = |slice: &EndpointSlice| (LARGEST.checked_sub(count)?).checked_sub(slice.endpoints.len());
    let fitting = slices.iter().enumerate().filter_map(|(index, slice)| Some((room(slice)?, index)));
    fitting.filter(|(room, _)| *room < LARGEST).min().map(|(_, index)| index)
}
