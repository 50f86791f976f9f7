//! How many pods a rolling update may add, and how many it may miss.
//!
//! **Spec:** percentages are of the nodes that shall have a pod, and round up; both zero would stand
//! still, so one may then be missing.

use k8s_openapi::api::apps::v1::{DaemonSet, RollingUpdateDaemonSet};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The two numbers, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The pods allowed above one per node.
    pub max_surge: i32,
    /// The pods allowed to be unavailable.
    pub max_unavailable: i32,
}

impl Size {
    /// The size for so many nodes.
    pub fn of(set: &DaemonSet, desired: i32) -> Self {
        let rolling = rolling(set);
        let scaled = |value: Option<&IntOrString>| value.map_or(0, |value| scaled(value, desired));
        let max_surge = scaled(rolling.and_then(|rolling| rolling.max_surge.as_ref()));
        let mut max_unavailable = scaled(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()));
        if desired > 0 && max_surge == 0 && max_unavailable == 0 {
            max_unavailable = 1;
        }
        Self { max_surge, max_unavailable }
    }
}

/// Whether there may be two pods on a node.
pub(super) fn allows_surge(set: &DaemonSet) -> bool {
    let surge = rolling(set).and_then(|rolling| rolling.max_surge.as_ref());
    surge.is_some_and(|surge| scaled(surge, 1) > 0)
}

/// Whether pods are replaced by the controller.
pub(super) fn is_rolling(set: &DaemonSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    strategy == Some("RollingUpdate")
}

fn rolling(set: &DaemonSet) -> Option<&RollingUpdateDaemonSet> {
    let strategy = set.spec.as_ref()?.update_strategy.as_ref()?;
    strategy.rolling_update.as_ref().filter(|_| is_rolling(set))
}

/// A number, or a percentage of `total`; nothing where it is neither.
fn scaled(value: &IntOrString, total: i32) -> i32 {
    match value {
        IntOrString::Int(number) => *number,
        IntOrString::String(text) => {
            let share = text.strip_suffix('%').and_then(|digits| digits.parse::<i64>().ok());
            let hundredfold = share.unwrap_or_default() * i64::from(total);
            i32::try_from((hundredfold + 99).div_euclid(100)).unwrap_or(i32::MAX)
        }
    }
}
