//! How long a Job waits after failures before it makes another pod: 10 seconds, doubled each time, at
//! most 10 minutes.
//!
//! **Spec:** upstream's `backoffRecord`; the moment a pod ended is that of its last container.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use mainstay_control::backoff::exponential;

use crate::pods;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(10);

/// The failures of a Job since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: Option<Timestamp>,
}

impl Failures {
    /// The failures after these pods succeeded and failed.
    #[must_use]
    pub fn after(self, succeeded: &[&Pod], failed: &[&Pod]) -> Self {
        let failed = failed.iter().map(|pod| finished(pod));
        let Some(success) = succeeded.iter().map(|pod| finished(pod)).max() else {
            return match failed.clone().max() {
                None => self,
                last => Self { count: self.count.saturating_add(number(failed.count())), last },
            };
        };
        let later = failed.filter(|at| *at > success);
        Self { count: number(later.clone().count()), last: later.max() }
    }

    /// How much longer to wait.
    pub fn remaining(self, now: Timestamp) -> Duration {
        let (Some(last), Some(doubled)) = (self.last, self.count.checked_sub(1)) else {
            return Duration::ZERO;
        };
        let until = last.checked_add(exponential(FIRST, LONGEST, doubled)).unwrap_or(Timestamp::MAX);
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// When the pod ended, as near as can be told.
pub fn finished(pod: &Pod) -> Timestamp {
    let created = || pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    containers_finished(pod)
        .or_else(|| unready_since(pod))
        .or_else(|| asked_to_go(pod))
        .or_else(created)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// When the last container ended, sidecars among them; `None` unless all have.
fn containers_finished(pod: &Pod) -> Option<Timestamp> {
    let status = pod.status.as_ref()?;
    let end = |status: &ContainerStatus| {
        status.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(|at| at.0)
    };
    let init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let sidecars: Vec<&str> = init
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
        .map(|container| &*container.name)
        .collect();
    let is_sidecar = |status: &&ContainerStatus| sidecars.contains(&&*status.name);
    let main: Option<Vec<_>> = status.container_statuses.iter().flatten().map(end).collect();
    let side: Option<Vec<_>> =
        status.init_container_statuses.iter().flatten().filter(is_sidecar).map(end).collect();
    side?.into_iter().chain(main.unwrap_or_default()).max()
}

fn unready_since(pod: &Pod) -> Option<Timestamp> {
    let ready = pods::condition(pod, "Ready").filter(|ready| ready.status == "False")?;
    ready.last_transition_time.as_ref().map(|time| time.0)
}

/// When its deletion was asked for: the time it is to be gone, less its grace.
fn asked_to_go(pod: &Pod) -> Option<Timestamp> {
    let gone = pod.metadata.deletion_timestamp.as_ref()?.0;
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
    gone.checked_sub(SignedDuration::from_secs(grace)).ok()
}
