//! Which pods of an older template go, and which nodes get a second pod, within the bounds of the
//! rolling update.
//!
//! **Invariants:** it is asked only once each node has what [`super::plan`] wants there. Pods being
//! deleted do not count as unavailable, so that an update goes on while nodes are down.
//!
//! **Spec:** upstream's `rollingUpdate`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::board::Board;
use super::plan::{Plan, live};
use super::size::{self, Size};

/// Decides the next part of the rollout.
pub fn advance(board: &Board<'_>) -> Plan {
    if !size::is_rolling(board.set) {
        return Plan::default();
    }
    let desired = board.desired();
    let size = Size::of(board.set, desired);
    if size.max_surge == 0 { replace(board, size.max_unavailable) } else { surge(board, size, desired) }
}

/// One pod of the set's template and one of an older, where there are such.
type Pair = (Option<Arc<Pod>>, Option<Arc<Pod>>);

/// The pods of a node; `None` where there are more.
fn pair(board: &Board<'_>, pods: &[&Arc<Pod>]) -> Option<Pair> {
    let (mut new, mut old) = (None, None);
    for pod in live(pods) {
        let place = if board.is_updated(&pod) { &mut new } else { &mut old };
        if place.replace(pod).is_some() {
            return None;
        }
    }
    Some((new, old))
}

/// Every node with a pod, and those that shall have one.
fn nodes<'b>(board: &'b Board<'_>) -> impl Iterator<Item = (&'b str, &'b [&'b Arc<Pod>])> {
    let missing = board.nodes.iter().filter(|(node, fit)| fit.runs && !board.pods.contains_key(*node));
    let missing = missing.map(|(node, _)| (*node, [].as_slice()));
    board.pods.iter().map(|(node, pods)| (*node, pods.as_slice())).chain(missing)
}

/// Old pods go as long as few enough are unavailable; those that are unavailable go at once.
fn replace(board: &Board<'_>, max_unavailable: i32) -> Plan {
    let mut unavailable = 0;
    let mut plan = Plan::default();
    let mut candidates = Vec::new();
    for (_, pods) in nodes(board) {
        match pair(board, pods) {
            Some((Some(new), None)) => unavailable += i32::from(!board.is_available(&new)),
            Some((None, Some(old))) if !board.is_available(&old) => {
                plan.delete.push(old);
                unavailable += 1;
            }
            Some((None, Some(old))) if unavailable < max_unavailable => candidates.push(old),
            Some((None, Some(_))) => {}
            _ => unavailable += 1,
        }
    }
    let left = usize::try_from(max_unavailable - unavailable).unwrap_or_default();
    plan.delete.extend(candidates.into_iter().take(left));
    plan
}

/// New pods come next to old ones, which go once the new ones are available.
fn surge(board: &Board<'_>, size: Size, desired: i32) -> Plan {
    let (mut surging, mut available) = (0, 0);
    let mut plan = Plan::default();
    let (mut candidates, mut unwanted) = (Vec::new(), Vec::new());
    for (node, pods) in nodes(board) {
        let Some((new, old)) = pair(board, pods) else {
            surging += 1;
            continue;
        };
        available +=
            i32::from(old.as_ref().or(new.as_ref()).is_some_and(|counts| board.is_available(counts)));
        let Some(old) = old else { continue };
        let runs = board.nodes.get(node).is_some_and(|fit| fit.runs);
        match new {
            Some(new) if board.is_available(&new) => plan.delete.push(old),
            Some(_) => surging += 1,
            None => match (board.is_available(&old), runs) {
                (false, false) => plan.delete.push(old),
                (false, true) => plan.create.push(node.to_owned()),
                (true, false) => unwanted.push(old),
                (true, true) if surging < size.max_surge => candidates.push(node.to_owned()),
                (true, true) => {}
            },
        }
    }
    // A pod that moves to another node stays until it is available there.
    let spare = usize::try_from(available - desired).unwrap_or_default();
    plan.delete.extend(unwanted.into_iter().take(spare));
    let left = usize::try_from(size.max_surge - surging).unwrap_or_default();
    plan.create.extend(candidates.into_iter().take(left));
    plan
}
