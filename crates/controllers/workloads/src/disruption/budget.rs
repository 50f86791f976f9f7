//! What a budget's status should say, from its spec, its pods and their owners' sizes.
//!
//! **Spec:** upstream's `disruption` controller; a share of the pods is rounded up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mainstay_control::meta::is_terminating;

use crate::pods;

/// How long an evicted pod may live on before it counts as kept after all.
pub const DELETION_TIMEOUT: SignedDuration = SignedDuration::from_mins(2);

/// The condition's type.
const ALLOWED: &str = "DisruptionAllowed";

/// How many pods a budget is about, and how many of them it wants healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// All of them.
    pub pods: i32,
    /// Those that must stay.
    pub healthy: i32,
}

/// Whether the expectation depends on the sizes of the pods' owners.
pub fn needs_scale(budget: &PodDisruptionBudget) -> bool {
    let Some(spec) = &budget.spec else { return false };
    spec.max_unavailable.is_some() || matches!(spec.min_available, Some(IntOrString::String(_)))
}

/// What a budget expects of so many selected pods, whose owners' sizes add up to `scale`.
///
/// # Errors
/// The text of a share that is none.
pub fn expected(budget: &PodDisruptionBudget, selected: usize, scale: i32) -> Result<Expected, String> {
    let Some(spec) = &budget.spec else { return Ok(Expected::default()) };
    if let Some(most) = &spec.max_unavailable {
        let healthy = scale.saturating_sub(scaled(most, scale)?).max(0);
        return Ok(Expected { pods: scale, healthy });
    }
    match &spec.min_available {
        Some(IntOrString::Int(least)) => {
            Ok(Expected { pods: i32::try_from(selected).unwrap_or(i32::MAX), healthy: *least })
        }
        Some(share) => Ok(Expected { pods: scale, healthy: scaled(share, scale)? }),
        None => Ok(Expected::default()),
    }
}

/// A number, or a share of `total` rounded up.
fn scaled(value: &IntOrString, total: i32) -> Result<i32, String> {
    let text = match value {
        IntOrString::Int(number) => return Ok(*number),
        IntOrString::String(text) => text,
    };
    let wrong = |why: &str| format!("invalid value for IntOrString: {why}");
    let digits = text.strip_suffix('%').ok_or_else(|| wrong("invalid type: string is not a percentage"))?;
    let share: i64 = digits.parse().map_err(|_| {
        wrong(&format!("invalid value {text:?}: strconv.Atoi: parsing {digits:?}: invalid syntax"))
    })?;
    let hundredfold = share.saturating_mul(i64::from(total));
    Ok(i32::try_from(hundredfold.saturating_add(99).div_euclid(100)).unwrap_or(i32::MAX))
}

/// The pods that were let go and are not gone yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disrupted {
    /// Those still expected to go, since when.
    pub since: BTreeMap<String, Time>,
    /// Those that stayed.
    pub kept: Vec<Arc<Pod>>,
    /// When the first of the expected ones counts as kept.
    pub next: Option<Timestamp>,
}

/// Of the pods a budget's status calls disrupted, those that still are.
pub fn disrupted(budget: &PodDisruptionBudget, selected: &[Arc<Pod>], now: Timestamp) -> Disrupted {
    let mut result = Disrupted::default();
    let Some(known) = budget.status.as_ref().and_then(|status| status.disrupted_pods.as_ref()) else {
        return result;
    };
    for pod in selected.iter().filter(|pod| !is_terminating(&pod.metadata)) {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let Some(since) = known.get(name) else { continue };
        let until = since.0.checked_add(DELETION_TIMEOUT).unwrap_or(Timestamp::MAX);
        if until < now {
            result.kept.push(pod.clone());
        } else {
            result.next = Some(result.next.map_or(until, |next| next.min(until)));
            result.since.insert(name.to_owned(), since.clone());
        }
    }
    result
}

/// How many pods are ready and stay.
pub fn healthy(selected: &[Arc<Pod>], disrupted: &BTreeMap<String, Time>, now: Timestamp) -> i32 {
    let is_going = |pod: &Pod| {
        let since = disrupted.get(pod.metadata.name.as_deref().unwrap_or_default());
        let until = since.map(|since| since.0.checked_add(DELETION_TIMEOUT).unwrap_or(Timestamp::MAX));
        until.is_some_and(|until| until > now)
    };
    let healthy =
        selected.iter().filter(|pod| !is_terminating(&pod.metadata) && !is_going(pod) && pods::is_ready(pod));
    i32::try_from(healthy.count()).unwrap_or(i32::MAX)
}

/// The status of a budget; the one it has where nothing of it changes.
pub fn status(
    budget: &PodDisruptionBudget,
    expected: Expected,
    healthy: i32,
    disrupted: BTreeMap<String, Time>,
    now: Timestamp,
) -> PodDisruptionBudgetStatus {
    let old = budget.status.clone().unwrap_or_default();
    // A budget without pods is safe when the first ones come and it has not seen them yet.
    let spare = healthy.saturating_sub(expected.healthy).max(0);
    let allowed = if expected.pods <= 0 { 0 } else { spare };
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let observed_generation = budget.metadata.generation;
    let wanted = PodDisruptionBudgetStatus {
        current_healthy: healthy,
        desired_healthy: expected.healthy,
        expected_pods: expected.pods,
        disruptions_allowed: allowed,
        disrupted_pods: Some(disrupted).filter(|pods| !pods.is_empty()),
        observed_generation,
        conditions: old.conditions.clone(),
    };
    let same_numbers = PodDisruptionBudgetStatus {
        disrupted_pods: old.disrupted_pods.clone().filter(|pods| !pods.is_empty()),
        ..old.clone()
    };
    let condition = old.conditions.iter().flatten().find(|own| own.type_ == ALLOWED);
    let is_told = condition.is_some_and(|own| own.status == status && own.reason == reason);
    if same_numbers == wanted && is_told {
        return old;
    }
    let told = allowed_condition(status, reason, "", observed_generation);
    PodDisruptionBudgetStatus { conditions: Some(set_condition(old.conditions, told, now)), ..wanted }
}

/// The status of a budget that could not be calculated: nothing may be evicted.
pub fn failed(budget: &PodDisruptionBudget, why: &str, now: Timestamp) -> PodDisruptionBudgetStatus {
    let old = budget.status.clone().unwrap_or_default();
    let told = allowed_condition("False", "SyncFailed", why, old.observed_generation);
    PodDisruptionBudgetStatus {
        disruptions_allowed: 0,
        conditions: Some(set_condition(old.conditions.clone(), told, now)),
        ..old
    }
}

fn allowed_condition(status: &str, reason: &str, message: &str, generation: Option<i64>) -> Condition {
    Condition {
        type_: ALLOWED.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: generation.filter(|generation| *generation != 0),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    }
}

/// The conditions with this one among them, whose time changes with its status alone.
fn set_condition(old: Option<Vec<Condition>>, new: Condition, now: Timestamp) -> Vec<Condition> {
    let mut conditions = old.unwrap_or_default();
    match conditions.iter_mut().find(|own| own.type_ == new.type_) {
        Some(own) => {
            let is_same = own.status == new.status;
            let since = if is_same { own.last_transition_time.clone() } else { Time(now) };
            *own = Condition { last_transition_time: since, ..new };
        }
        None => conditions.push(Condition { last_transition_time: Time(now), ..new }),
    }
    conditions
}

/// How long until the next disrupted pod counts as kept; a little more, as it must be past.
pub fn recheck(disrupted: &Disrupted, now: Timestamp) -> Option<Duration> {
    let next = disrupted.next?;
    let delay = Duration::try_from(next.duration_since(now)).unwrap_or_default();
    Some(delay + Duration::from_millis(5))
}

/// A selector as upstream's event prints it.
pub fn selector_text(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "nil".to_owned() };
    let labels = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}: {value},"));
    let labels: Vec<String> = labels.collect();
    let expressions = selector.match_expressions.iter().flatten().map(|one| {
        let values = one.values.clone().unwrap_or_default().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", one.key, one.operator)
    });
    let (labels, expressions) = (labels.concat(), expressions.collect::<Vec<String>>().concat());
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}
