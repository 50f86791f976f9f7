//! What a pod's containers need next: which are to be started, or that nothing more will come.
//!
//! SPEC: kubelet's `computePodActions` and `computeInitContainerActions`.

use super::state::{ContainerState, PodState, Process};
use crate::bound::{RestartPolicy, Spec};
use crate::runtime::Which;

#[cfg(test)]
mod tests;

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The containers to start, in order.
    pub(super) start: Vec<Which>,
    /// Whether the pod has come to its end: what still runs is to be stopped.
    pub(super) is_over: bool,
}

/// What a pod with a sandbox needs.
pub(super) fn plan(spec: &Spec, state: &PodState) -> Plan {
    let mut start = Vec::new();
    match initialization(spec, state, &mut start) {
        Initialization::Failed => return Plan { start: Vec::new(), is_over: true },
        Initialization::UnderWay => return Plan { start, is_over: false },
        Initialization::Done => {}
    }
    let due: Vec<Which> = (state.main.iter().enumerate())
        .filter(|(_, container)| is_to_run(spec.restart_policy, container))
        .map(|(index, _)| Which::Main(index))
        .collect();
    let is_kept = |container: &ContainerState| container.running().is_some();
    if due.is_empty() && !state.main.iter().any(is_kept) {
        return Plan { start: Vec::new(), is_over: true };
    }
    start.extend(due);
    Plan { start, is_over: false }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Initialization {
    UnderWay,
    Done,
    Failed,
}

/// Looks at the init containers from the last to the first: the last one that has run says how far
/// the pod is; before that one only sidecars count.
fn initialization(spec: &Spec, state: &PodState, start: &mut Vec<Which>) -> Initialization {
    let last = state.init.len().wrapping_sub(1);
    let mut is_done = state.init.is_empty() || state.main.iter().any(|main| main.running().is_some());
    let mut is_past = is_done;
    for (index, container) in state.init.iter().enumerate().rev() {
        let is_sidecar = spec.is_sidecar(Which::Init(index));
        if is_past && !is_sidecar {
            continue;
        }
        let mut is_complete = false;
        match &container.process {
            Process::Never if is_past => start.push(Which::Init(index)),
            Process::Never => continue,
            Process::Running(running) => is_complete = is_sidecar && running.is_started,
            Process::Ended(_) if is_sidecar => start.push(Which::Init(index)),
            Process::Ended(ended) if ended.code == 0 => is_complete = true,
            Process::Ended(_) if spec.restart_policy == RestartPolicy::Never => {
                return Initialization::Failed;
            }
            Process::Ended(_) => start.push(Which::Init(index)),
        }
        if is_complete && index == last {
            is_done = true;
        } else if is_complete && !is_past {
            start.push(Which::Init(index + 1));
        }
        is_past = true;
    }
    if !is_past {
        start.push(Which::Init(0));
    }
    start.reverse();
    if is_done { Initialization::Done } else { Initialization::UnderWay }
}

/// Whether a container of the pod that does not run is to be started.
fn is_to_run(policy: RestartPolicy, container: &ContainerState) -> bool {
    match &container.process {
        Process::Never => true,
        Process::Running(_) => false,
        Process::Ended(_) if container.is_forced => true,
        Process::Ended(ended) => match policy {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => ended.code != 0,
            RestartPolicy::Never => false,
        },
    }
}
