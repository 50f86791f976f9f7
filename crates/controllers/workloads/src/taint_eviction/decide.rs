//! When a pod leaves a node with these taints.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodCondition, Taint, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::pods;

/// A pod that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// When.
    pub at: Timestamp,
    /// Whether its deletion has begun.
    pub is_due: bool,
}

/// What is to become of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What was decided before.
    Keep,
    /// It stays.
    Stay,
    /// It goes, at once.
    Go,
    /// It goes, then.
    GoAt(Timestamp),
}

/// Decides about a pod on a node with these `NoExecute` taints.
pub fn decide(
    taints: &[Taint],
    tolerations: &[Toleration],
    known: Option<Eviction>,
    now: Timestamp,
) -> Decision {
    if taints.is_empty() {
        return Decision::Stay;
    }
    let mut used = Vec::new();
    for taint in taints {
        match tolerations.iter().find(|toleration| tolerates(toleration, taint)) {
            Some(toleration) => used.push(toleration),
            None => {
                return if known.is_some_and(|known| known.is_due) { Decision::Keep } else { Decision::Go };
            }
        }
    }
    match patience(&used) {
        None => Decision::Stay,
        // The deadline it has counts from an earlier taint.
        Some(_) if known.is_some() => Decision::Keep,
        Some(Duration::ZERO) => Decision::Go,
        Some(patience) => Decision::GoAt(now.checked_add(patience).unwrap_or(Timestamp::MAX)),
    }
}

/// For how long all of these tolerate; `None` for ever.
pub fn patience(used: &[&Toleration]) -> Option<Duration> {
    if used.is_empty() {
        return Some(Duration::ZERO);
    }
    let seconds = used.iter().filter_map(|toleration| toleration.toleration_seconds).min()?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// Whether a toleration is meant for a taint.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match &*text(&toleration.operator) {
        "Exists" => true,
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        _ => false,
    }
}

/// The condition that announces a pod's end; `None` where it has it.
pub fn announcement(pod: &Pod, now: Timestamp) -> Option<PodCondition> {
    let (reason, message) = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
    let known = pods::condition(pod, "DisruptionTarget");
    let was_true = known.filter(|own| own.status == "True");
    let is_told = was_true
        .is_some_and(|own| own.reason.as_deref() == Some(reason) && own.message.as_deref() == Some(message));
    if is_told {
        return None;
    }
    let since = was_true.and_then(|own| own.last_transition_time.clone()).unwrap_or(Time(now));
    Some(PodCondition {
        type_: "DisruptionTarget".to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(since),
        ..PodCondition::default()
    })
}
