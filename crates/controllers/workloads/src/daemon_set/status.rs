//! The status of a DaemonSet.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSetStatus;

use super::board::Board;
use crate::follow::PodOwner as _;
use crate::pods;

/// The status of a set; `observed` is the generation it tells of.
pub(super) fn status(board: &Board<'_>, observed: Option<i64>) -> DaemonSetStatus {
    let old = board.set.status.clone().unwrap_or_default();
    let mut status = DaemonSetStatus {
        observed_generation: observed,
        collision_count: old.collision_count,
        conditions: old.conditions,
        ..DaemonSetStatus::default()
    };
    let (mut available, mut updated) = (0, 0);
    for (node, fit) in &board.nodes {
        let pods = board.pods.get(node).map(Vec::as_slice).unwrap_or_default();
        if !fit.runs {
            status.number_misscheduled += i32::from(!pods.is_empty());
            continue;
        }
        status.desired_number_scheduled += 1;
        let Some(oldest) = pods.first() else { continue };
        status.current_number_scheduled += 1;
        status.number_ready += i32::from(pods::is_ready(oldest));
        available += i32::from(board.is_available(oldest));
        updated += i32::from(board.is_updated(oldest));
    }
    status.number_available = some(available);
    status.updated_number_scheduled = some(updated);
    status.number_unavailable = some(status.desired_number_scheduled - available);
    status
}

/// How long until the next ready pod counts as available.
pub(super) fn next_available(board: &Board<'_>) -> Option<Duration> {
    let seconds = board.set.min_ready_seconds();
    let all = board.pods.values().flatten();
    let next = all.filter_map(|pod| pods::available_at(pod, seconds)).filter(|at| *at > board.now).min()?;
    Duration::try_from(next.duration_since(board.now)).ok()
}

/// Upstream leaves a zero out.
fn some(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}
