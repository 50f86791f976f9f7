//! What the stored ClusterConfig says about its own machines.

use jiff::Timestamp;
use mainstay_kinds::condition::{condition, set};
use mainstay_kinds::{ClusterConfig, ClusterConfigStatus};

use crate::{Plan, Problem, recorded::recorded};

/// Condition: the file says what can be done.
const VALID: &str = "Valid";
/// Condition: every machine it asks for is ready.
const READY: &str = "Ready";
/// Condition: some machines were made from an older file.
const DRIFTED: &str = "Drifted";

/// The status after `plan` was made of `config`.
pub(crate) fn status(
    previous: Option<&ClusterConfigStatus>,
    generation: i64,
    config: &ClusterConfig,
    plan: &Plan,
    now: Timestamp,
) -> ClusterConfigStatus {
    let mut status = ClusterConfigStatus {
        observed_generation: generation,
        node_groups: plan.groups.clone(),
        conditions: previous.map(|status| status.conditions.clone()).unwrap_or_default(),
    };
    let recorded = recorded(config);
    let valid = match plan.problems.first() {
        Some(first) => condition(VALID, false, first.reason, &told(&plan.problems), now),
        None if recorded.is_empty() => condition(VALID, true, "Accepted", "", now),
        None => {
            let message = format!("recorded, not acted on: {}", recorded.join(", "));
            condition(VALID, true, "Accepted", &message, now)
        }
    };
    set(&mut status.conditions, valid);
    let (ready, desired) =
        plan.groups.iter().fold((0, 0), |sum, group| (sum.0 + group.ready, sum.1 + group.desired));
    let is_ready = plan.problems.is_empty() && plan.groups.iter().all(|group| group.ready == group.desired);
    let reason = if is_ready { "MachinesReady" } else { "MachinesNotReady" };
    let message = format!("{ready} of {desired} machines are ready");
    set(&mut status.conditions, condition(READY, is_ready, reason, &message, now));
    let reason = if plan.drifted.is_empty() { "AsWritten" } else { "OlderFile" };
    let message = plan.drifted.join(", ");
    set(&mut status.conditions, condition(DRIFTED, !plan.drifted.is_empty(), reason, &message, now));
    status
}

/// The status of a stored object that is no ClusterConfig.
pub(crate) fn unreadable(
    previous: Option<&ClusterConfigStatus>,
    generation: i64,
    why: &str,
    now: Timestamp,
) -> ClusterConfigStatus {
    let mut status = previous.cloned().unwrap_or_default();
    status.observed_generation = generation;
    set(&mut status.conditions, condition(VALID, false, "Unreadable", why, now));
    set(&mut status.conditions, condition(READY, false, "Unreadable", "", now));
    status
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
