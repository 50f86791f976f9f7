//! The conditions of a pod that are the kubelet's, in its order and words.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::containers::{self, incomplete, is_sidecar};
use crate::runtime::{PodState, Which};

/// What a condition says: whether it holds, and if not, why.
type Verdict = Result<Option<&'static str>, (&'static str, String)>;

/// The conditions, with transition times kept from `known` where nothing changed.
pub(super) fn conditions(
    pod: &Pod,
    state: &PodState,
    (init, main): (&[ContainerStatus], &[ContainerStatus]),
    phase: &str,
    known: Option<&PodStatus>,
    now: Timestamp,
) -> Vec<PodCondition> {
    let containers = containers_ready(pod, init, main, phase);
    let verdicts: [(&str, Verdict); 4] = [
        ("PodReadyToStartContainers", sandbox(state, phase)),
        ("Initialized", initialized(pod, state, phase)),
        ("Ready", ready(pod, known, containers.clone())),
        ("ContainersReady", containers),
    ];
    let before = |type_: &str| {
        let conditions = known.and_then(|status| status.conditions.as_ref());
        conditions.and_then(|all| all.iter().find(|condition| condition.type_ == type_))
    };
    verdicts.into_iter().map(|(type_, verdict)| condition(type_, verdict, before(type_), now)).collect()
}

fn condition(type_: &str, verdict: Verdict, before: Option<&PodCondition>, now: Timestamp) -> PodCondition {
    let (status, reason, message) = match verdict {
        Ok(reason) => ("True", reason, None),
        Err((reason, message)) => {
            let reason = (!reason.is_empty()).then_some(reason);
            ("False", reason, (!message.is_empty()).then_some(message))
        }
    };
    let kept = before.filter(|before| before.status == status);
    PodCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        message,
        last_transition_time: kept.map_or(Some(Time(now)), |before| before.last_transition_time.clone()),
        ..PodCondition::default()
    }
}

fn sandbox(state: &PodState, phase: &str) -> Verdict {
    if state.sandbox.is_some() && !is_over(phase) { Ok(None) } else { Err(("", String::new())) }
}

fn initialized(pod: &Pod, state: &PodState, phase: &str) -> Verdict {
    let incomplete: Vec<&str> = incomplete(pod, state).collect();
    if phase == "Succeeded" {
        Ok(Some("PodCompleted"))
    } else if incomplete.is_empty() {
        Ok(None)
    } else {
        let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
        Err(("ContainersNotInitialized", message))
    }
}

fn containers_ready(pod: &Pod, init: &[ContainerStatus], main: &[ContainerStatus], phase: &str) -> Verdict {
    match phase {
        "Succeeded" => return Err(("PodCompleted", String::new())),
        "Failed" => return Err(("PodFailed", String::new())),
        _ => {}
    }
    let sidecars = init
        .iter()
        .enumerate()
        .filter(|(index, _)| containers::spec(pod, Which::Init(*index)).is_some_and(is_sidecar));
    let waited_for = sidecars.map(|(_, status)| status).chain(main);
    let unready: Vec<&str> = waited_for.filter(|status| !status.ready).map(|status| &*status.name).collect();
    if unready.is_empty() {
        Ok(None)
    } else {
        Err(("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" "))))
    }
}

/// The containers' verdict, and then that of the pod's readiness gates.
fn ready(pod: &Pod, known: Option<&PodStatus>, containers: Verdict) -> Verdict {
    containers?;
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_ref()).into_iter().flatten();
    let status_of = |type_: &str| {
        let conditions = pod.status.as_ref().or(known).and_then(|status| status.conditions.as_ref());
        conditions.and_then(|all| all.iter().find(|condition| condition.type_ == type_))
    };
    let closed: Vec<String> = gates
        .filter_map(|gate| match status_of(&gate.condition_type) {
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{}\" does not exist.",
                gate.condition_type
            )),
            Some(condition) if condition.status == "True" => None,
            Some(condition) => Some(format!(
                "the status of pod readiness gate \"{}\" is not \"True\", but {}",
                gate.condition_type, condition.status
            )),
        })
        .collect();
    if closed.is_empty() { Ok(None) } else { Err(("ReadinessGatesNotReady", closed.join(", "))) }
}

fn is_over(phase: &str) -> bool {
    matches!(phase, "Succeeded" | "Failed")
}
