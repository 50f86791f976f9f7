//! How many pods a Deployment wants, may have too many of, and may lack during a rollout.
//!
//! **Spec:** percentages round up for the surge and down for what may be unavailable; both zero
//! would stand still, so one may then be unavailable.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The three numbers, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The pods wanted.
    pub replicas: i32,
    /// The pods allowed above that.
    pub max_surge: i32,
    /// The pods allowed to be unavailable.
    pub max_unavailable: i32,
}

impl Size {
    /// The size a Deployment asks for.
    pub fn of(deployment: &Deployment) -> Self {
        let spec = deployment.spec.as_ref();
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        if is_recreate(deployment) {
            return Self { replicas, max_surge: 0, max_unavailable: 0 };
        }
        let rolling = spec.and_then(|spec| spec.strategy.as_ref()?.rolling_update.as_ref());
        let resolve = |value: Option<&IntOrString>, round_up| match value {
            Some(value) => scaled(value, replicas, round_up),
            None => percent(25, replicas, round_up),
        };
        let max_surge = resolve(rolling.and_then(|rolling| rolling.max_surge.as_ref()), true);
        let mut max_unavailable =
            resolve(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()), false);
        if max_surge == 0 && max_unavailable == 0 {
            max_unavailable = 1;
        }
        Self { replicas, max_surge, max_unavailable: max_unavailable.min(replicas) }
    }

    /// The most pods there may be.
    pub fn most(&self) -> i32 {
        self.replicas.saturating_add(self.max_surge)
    }

    /// The fewest that shall be available.
    pub fn fewest_available(&self) -> i32 {
        self.replicas - self.max_unavailable
    }
}

/// Whether all old pods go before a new one comes.
pub(crate) fn is_recreate(deployment: &Deployment) -> bool {
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate"))
}

/// A number, or a percentage of `total`; nothing where it is neither.
fn scaled(value: &IntOrString, total: i32, round_up: bool) -> i32 {
    match value {
        IntOrString::Int(number) => *number,
        IntOrString::String(text) => {
            let share = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
            share.map_or(0, |share| percent(share, total, round_up))
        }
    }
}

fn percent(share: i32, total: i32, round_up: bool) -> i32 {
    let hundredfold = i64::from(share) * i64::from(total);
    let rounded = if round_up { (hundredfold + 99).div_euclid(100) } else { hundredfold.div_euclid(100) };
    i32::try_from(rounded).unwrap_or(i32::MAX)
}
