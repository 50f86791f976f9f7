//! What preemption asks of a pod on a node beside its state: it changes without any decision's changing.

use jiff::Timestamp;

use crate::seen::Seen;

/// How far a pod is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// When its node took it on.
    pub(crate) started: Option<Timestamp>,
    /// Whether it was told to give way to another.
    pub(crate) is_preempted: bool,
}

impl Life {
    /// What `pod` says of it.
    pub(crate) fn of(pod: &Seen) -> Self {
        let mut conditions = pod.status.conditions.iter().flatten();
        let is_preempted = conditions.any(|it| {
            it.type_ == "DisruptionTarget"
                && it.status == "True"
                && it.reason.as_deref() == Some("PreemptionByScheduler")
        });
        Self { started: pod.status.start_time.as_ref().map(|time| time.0), is_preempted }
    }
}
