//! Which pods go first when there are too many.
//!
//! **Spec:** upstream's `ActivePodsWithRanks` with the logarithmic scale-down of
//! `LogarithmicScaleDown`: ages of one order of magnitude count as equal.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use mainstay_control::meta::{annotation, uid};

use crate::pods;

/// The annotation by which a pod says what its deletion costs.
pub const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// `count` of `pods`, those to delete first; `related` are the pods of the same application, the
/// ones in question among them.
pub(crate) fn to_delete(
    mut pods: Vec<Arc<Pod>>,
    related: &[Arc<Pod>],
    count: usize,
    now: Timestamp,
) -> Vec<Arc<Pod>> {
    if count < pods.len() {
        let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
        for node in related.iter().filter(|pod| pods::is_active(pod)).filter_map(|pod| pods::node(pod)) {
            *on_node.entry(node).or_default() += 1;
        }
        let crowd =
            |pod: &Pod| pods::node(pod).and_then(|node| on_node.get(node)).copied().unwrap_or_default();
        pods.sort_by(|a, b| compare(a, b, (crowd(a), crowd(b)), now));
        pods.truncate(count);
    }
    pods
}

pub(super) fn compare(a: &Pod, b: &Pod, crowds: (usize, usize), now: Timestamp) -> Ordering {
    let coarse = |pod| {
        let phase = match pods::phase(pod) {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        (pods::node(pod).is_some(), phase, pods::is_ready(pod), cost(pod))
    };
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    coarse(a)
        .cmp(&coarse(b))
        .then_with(|| crowds.1.cmp(&crowds.0))
        .then_with(|| match (pods::is_ready(a), pods::is_ready(b)) {
            (true, true) => younger_first(pods::ready_since(a), pods::ready_since(b), (a, b), now),
            _ => Ordering::Equal,
        })
        .then_with(|| Reverse(restarts(a)).cmp(&Reverse(restarts(b))))
        .then_with(|| younger_first(created(a), created(b), (a, b), now))
        .then_with(|| uid(&a.metadata).cmp(uid(&b.metadata)))
}

fn cost(pod: &Pod) -> i32 {
    let cost = annotation(&pod.metadata, DELETION_COST).filter(|cost| !cost.starts_with('+'));
    let is_padded = |cost: &&str| cost.starts_with('0') && *cost != "0";
    cost.filter(|cost| !is_padded(cost)).and_then(|cost| cost.parse().ok()).unwrap_or_default()
}

/// How often the container was started again that was so most often; the same of the sidecars.
pub(crate) fn restarts(pod: &Pod) -> (i32, i32) {
    let Some(status) = pod.status.as_ref() else { return (0, 0) };
    let init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let sidecars: Vec<&str> = init
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
        .map(|container| &*container.name)
        .collect();
    let is_sidecar = |status: &&ContainerStatus| sidecars.contains(&&*status.name);
    let regular = status.container_statuses.iter().flatten();
    let side = status.init_container_statuses.iter().flatten().filter(is_sidecar);
    (
        regular.map(|status| status.restart_count).max().unwrap_or_default(),
        side.map(|status| status.restart_count).max().unwrap_or_default(),
    )
}

fn younger_first(a: Option<Timestamp>, b: Option<Timestamp>, pods: (&Pod, &Pod), now: Timestamp) -> Ordering {
    match (a, b) {
        (a, b) if a == b => Ordering::Equal,
        (Some(a), Some(b)) => magnitude(a, now)
            .cmp(&magnitude(b, now))
            .then_with(|| uid(&pods.0.metadata).cmp(uid(&pods.1.metadata))),
        // What has no time yet is the youngest.
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The order of magnitude of an age, in powers of two of nanoseconds; nothing for what is to come.
fn magnitude(since: Timestamp, now: Timestamp) -> Option<u32> {
    let age = u128::try_from(now.duration_since(since).as_nanos()).unwrap_or_default();
    age.checked_ilog2()
}
