//! A pod's phase.
//!
//! SPEC: kubelet's `getPhase`.

use super::shown::{Shown, ShownPod, State};
use crate::bound::{RestartPolicy, Spec};
use crate::runtime::Which;

#[cfg(test)]
mod tests;

/// A pod's phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed]
            .into_iter()
            .find(|phase| phase.text() == text)
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// The phase of a pod whose containers are shown like this; `is_over` says that none will be
/// started again.
pub(super) fn phase(spec: &Spec, shown: &ShownPod, is_over: bool) -> Phase {
    let init = || shown.init.iter().enumerate();
    let (sidecars, plain): (Vec<_>, Vec<_>) =
        init().partition(|(index, _)| spec.is_sidecar(Which::Init(*index)));
    let policy = spec.restart_policy;
    let is_pending = |one: &Shown| one.is_running() || one.waits_first();
    if policy == RestartPolicy::Never && plain.iter().any(|(_, one)| one.code().is_some_and(|code| code != 0))
    {
        return Phase::Failed;
    }
    let was_initialized = shown.main.iter().any(|one| !one.waits_first());
    let waits_for_sidecar = |one: &Shown| one.waits_first() || one.is_running() && !one.is_started;
    let waits = plain.iter().any(|(_, one)| is_pending(one))
        || !was_initialized && sidecars.iter().any(|(_, one)| waits_for_sidecar(one))
        || sidecars.iter().any(|(_, one)| one.waits_first())
        || shown.main.iter().any(Shown::waits_first);
    if waits {
        return Phase::Pending;
    }
    if shown.main.iter().any(Shown::is_running) || sidecars.iter().any(|(_, one)| one.is_running()) {
        return Phase::Running;
    }
    // A container that waits to be restarted has stopped, but not succeeded.
    let has_succeeded = |one: &Shown| matches!(&one.state, State::Ended(ended) if ended.code == 0);
    let is_success = shown.main.iter().all(has_succeeded);
    match (is_success, policy) {
        _ if shown.main.is_empty() => Phase::Pending,
        (true, _) if is_over => Phase::Succeeded,
        (false, _) if is_over => Phase::Failed,
        (_, RestartPolicy::Always) => Phase::Running,
        (true, _) => Phase::Succeeded,
        (false, RestartPolicy::Never) => Phase::Failed,
        (false, RestartPolicy::OnFailure) => Phase::Running,
    }
}
