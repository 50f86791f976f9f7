//! The conditions of a pod that are the kubelet's, in its order and words.
//!
//! SPEC: kubelet's `status/generate.go`.

use std::borrow::Cow;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::phase::Phase;
use super::shown::{Shown, ShownPod, State};
use crate::bound::{self, Container, Spec};

#[cfg(test)]
mod tests;

/// The kubelet's conditions in the order they are listed.
pub(super) const TYPES: [&str; 4] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) holds: bool,
    pub(super) reason: Cow<'static, str>,
    pub(super) message: String,
}

/// A condition as it was said, and since when its status is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) verdict: Verdict,
    pub(super) since: Timestamp,
}

impl Verdict {
    fn yes() -> Self {
        Self { holds: true, reason: "".into(), message: String::new() }
    }

    fn no(reason: &'static str, message: String) -> Self {
        Self { holds: false, reason: reason.into(), message }
    }
}

/// What each of [`TYPES`] says.
pub(super) fn verdicts(
    spec: &Spec,
    status: &bound::Status,
    shown: &ShownPod,
    phase: Phase,
    has_sandbox: bool,
) -> [Verdict; 4] {
    let containers = containers_ready(spec, shown, phase);
    let sandbox =
        if has_sandbox && !phase.is_over() { Verdict::yes() } else { Verdict::no("", String::new()) };
    [sandbox, initialized(spec, shown, phase), ready(spec, status, &containers), containers]
}

fn initialized(spec: &Spec, shown: &ShownPod, phase: Phase) -> Verdict {
    if phase == Phase::Succeeded {
        return Verdict { reason: "PodCompleted".into(), ..Verdict::yes() };
    }
    let is_done = |container: &Container, shown: &Shown| {
        if container.is_sidecar() { shown.is_started } else { shown.is_ready }
    };
    let incomplete = names(&spec.init_containers, &shown.init, |one, shown| !is_done(one, shown));
    let has_begun = |shown: &Shown| !matches!(shown.state, State::Waiting(_));
    if incomplete.is_empty() || shown.main.iter().any(has_begun) {
        return Verdict::yes();
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    Verdict::no("ContainersNotInitialized", message)
}

fn containers_ready(spec: &Spec, shown: &ShownPod, phase: Phase) -> Verdict {
    match phase {
        Phase::Succeeded => return Verdict::no("PodCompleted", String::new()),
        Phase::Failed => return Verdict::no("PodFailed", String::new()),
        Phase::Pending | Phase::Running => {}
    }
    let mut unready =
        names(&spec.init_containers, &shown.init, |one, shown| one.is_sidecar() && !shown.is_ready);
    unready.extend(names(&spec.containers, &shown.main, |_, shown| !shown.is_ready));
    if unready.is_empty() {
        return Verdict::yes();
    }
    Verdict::no("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" ")))
}

/// The containers' verdict, and then that of the pod's readiness gates.
fn ready(spec: &Spec, status: &bound::Status, containers: &Verdict) -> Verdict {
    if !containers.holds {
        return containers.clone();
    }
    let closed = |type_: &String| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == *type_);
        match condition {
            None => {
                Some(format!("corresponding condition of pod readiness gate \"{type_}\" does not exist."))
            }
            Some(condition) if condition.status == "True" => None,
            Some(condition) => Some(format!(
                "the status of pod readiness gate \"{type_}\" is not \"True\", but {}",
                condition.status
            )),
        }
    };
    let closed: Vec<String> =
        spec.readiness_gates.iter().filter_map(|gate| closed(&gate.condition_type)).collect();
    if closed.is_empty() { Verdict::yes() } else { Verdict::no("ReadinessGatesNotReady", closed.join(", ")) }
}

/// The names of the containers of which this is so.
fn names<'a>(
    containers: &'a [Container],
    shown: &[Shown],
    is_so: impl Fn(&Container, &Shown) -> bool,
) -> Vec<&'a str> {
    let so = containers.iter().zip(shown).filter(|(container, shown)| is_so(container, shown));
    so.map(|(container, _)| &*container.name).collect()
}

/// What a status said of [`TYPES`]; none where it does not speak of each.
pub(super) fn said(status: &bound::Status) -> Option<[Said; 4]> {
    let one = |type_: &str| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == type_)?;
        let verdict = Verdict {
            holds: condition.status == "True",
            reason: condition.reason.clone().unwrap_or_default().into(),
            message: condition.message.clone().unwrap_or_default(),
        };
        Some(Said { verdict, since: condition.last_transition_time.as_ref()?.0 })
    };
    let [a, b, c, d] = TYPES.map(one);
    Some([a?, b?, c?, d?])
}

/// The condition as it is written.
pub(super) fn condition(type_: &str, said: &Said) -> PodCondition {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PodCondition {
        type_: type_.to_owned(),
        status: if said.verdict.holds { "True" } else { "False" }.to_owned(),
        reason: text(&said.verdict.reason),
        message: text(&said.verdict.message),
        last_transition_time: Some(Time(said.since)),
        ..PodCondition::default()
    }
}
