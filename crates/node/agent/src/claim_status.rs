//! What a claim says about its machine.

use jiff::Timestamp;
use mainstay_kinds::NodeClaimStatus;
use mainstay_kinds::condition::{condition, holds, set};
use mainstay_kinds::node_claim::{INITIALIZED, LAUNCHED, READY, REGISTERED};

use crate::node::Resources;
use crate::plate::Plate;

/// How a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its Node is there.
    pub(crate) is_registered: bool,
    /// Its Node is ready.
    pub(crate) is_ready: bool,
    /// It was killed.
    pub(crate) is_dead: bool,
}

/// The status of a claim whose machine there is.
pub(crate) fn of_machine(
    previous: Option<&NodeClaimStatus>,
    plate: &Plate,
    resources: &Resources,
    standing: Standing,
    now: Timestamp,
) -> NodeClaimStatus {
    let mut status = NodeClaimStatus {
        node_name: Some(plate.node.clone()),
        provider_id: Some(plate.provider_id.clone()),
        capacity: resources.capacity.clone(),
        allocatable: resources.allocatable.clone(),
        conditions: previous.map(|status| status.conditions.clone()).unwrap_or_default(),
    };
    let Standing { is_registered, is_ready, is_dead } = standing;
    let was_initialized = holds(&status.conditions, INITIALIZED);
    let mut say = |type_: &str, holds: bool, otherwise: &str| {
        let reason = if holds { type_ } else { otherwise };
        set(&mut status.conditions, condition(type_, holds, reason, "", now));
    };
    say(LAUNCHED, true, "");
    say(REGISTERED, is_registered, "NodeNotFound");
    say(INITIALIZED, is_ready || was_initialized, "NodeNotReady");
    let otherwise = if is_dead { "MachineKilled" } else { "NodeNotReady" };
    say(READY, is_registered && is_ready && !is_dead, otherwise);
    status
}

/// The status of a claim that no machine can be made for.
pub(crate) fn impossible(
    previous: Option<&NodeClaimStatus>,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> NodeClaimStatus {
    let mut status = previous.cloned().unwrap_or_default();
    set(&mut status.conditions, condition(LAUNCHED, false, reason, message, now));
    set(&mut status.conditions, condition(READY, false, reason, message, now));
    status
}
