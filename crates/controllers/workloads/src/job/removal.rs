//! Which active pods go: those whose index is none or taken, then those that have come least far.
//!
//! **Spec:** upstream's `activePodsForRemoval` with its order of active pods.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::view::View;
use crate::pods;
use crate::replica_set::restarts;

/// At least `count` of the active pods.
pub(super) fn surplus(view: &View<'_>, count: usize) -> Vec<Arc<Pod>> {
    let (mut surplus, mut left) = misplaced(view);
    if surplus.len() < count {
        sort(&mut left);
        left.truncate(count - surplus.len());
        surplus.append(&mut left);
    }
    surplus
}

/// The pods that have no index of the Job, or one that another has; and the others.
pub(super) fn misplaced(view: &View<'_>) -> (Vec<Arc<Pod>>, Vec<Arc<Pod>>) {
    if !view.is_indexed() {
        return (Vec::new(), view.active.clone());
    }
    let (mut surplus, mut left) = (Vec::new(), Vec::new());
    let mut by_index: BTreeMap<i32, Vec<Arc<Pod>>> = BTreeMap::new();
    for pod in &view.active {
        match view.index(pod) {
            Some(index) => by_index.entry(index).or_default().push(pod.clone()),
            None => surplus.push(pod.clone()),
        }
    }
    for mut same in by_index.into_values() {
        sort(&mut same);
        left.extend(same.pop());
        surplus.append(&mut same);
    }
    (surplus, left)
}

/// Those that have come least far first.
fn sort(pods: &mut [Arc<Pod>]) {
    pods.sort_by_cached_key(|pod| {
        let phase = match pods::phase(pod) {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        let ready = pods::ready_since(pod);
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let newest_first = |time: Option<jiff::Timestamp>| (time.is_some(), Reverse(time));
        (
            (pods::node(pod).is_some(), phase, pods::is_ready(pod)),
            (newest_first(ready), Reverse(restarts(pod)), newest_first(created)),
        )
    });
}
