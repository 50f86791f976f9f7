//! Upstream's cases of the kubelet's conditions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::verdicts;
use crate::bound::{Spec, Status};
use crate::pod::phase::Phase;
use crate::pod::shown::{Shown, ShownPod, State};
use crate::pod::state::Wait;

/// `x` waits, `r` runs, `y` runs and is ready and started, `s` runs and has started.
fn shown(letter: char) -> Shown {
    let state = match letter {
        'x' | 'p' => State::Waiting(Wait { reason: "".into(), message: None }),
        _ => State::Running(Timestamp::UNIX_EPOCH),
    };
    let (is_ready, is_started) = (matches!(letter, 'y' | 'p'), matches!(letter, 'y' | 's'));
    Shown { state, last: None, restarts: 0, is_ready, is_started }
}

fn pod(init: &str, sidecars: &str, main: &str, rest: &Value) -> (Spec, Status, ShownPod) {
    let named = |name: &str, count: usize, policy: &Value| -> Vec<Value> {
        let one = |index| json!({ "name": format!("{name}{index}"), "restartPolicy": policy });
        (1..=count).map(one).collect()
    };
    let mut first = named("init", init.len(), &json!(null));
    first.extend(named("side", sidecars.len(), &json!("Always")));
    let spec = json!({
        "initContainers": first, "containers": named("", main.len(), &json!(null)),
        "readinessGates": rest["gates"],
    });
    let shown = ShownPod {
        init: init.chars().chain(sidecars.chars()).map(shown).collect(),
        main: main.chars().map(shown).collect(),
    };
    let status = json!({ "conditions": rest["conditions"] });
    (serde_json::from_value(spec).unwrap(), serde_json::from_value(status).unwrap(), shown)
}

/// One of the conditions, `Initialized` 1, `Ready` 2, `ContainersReady` 3, as text.
fn said(index: usize, (spec, status, shown): &(Spec, Status, ShownPod), phase: Phase) -> String {
    let verdict = &verdicts(spec, status, shown, phase, true)[index];
    format!("{} {} {}", verdict.holds, verdict.reason, verdict.message).trim_end().to_owned()
}

#[test]
fn containers_are_ready_when_all_that_go_on_are() {
    let unready = |names: &str| format!("false ContainersNotReady containers with unready status: [{names}]");
    for (sidecars, main, phase, expected) in [
        ("", "", Phase::Running, "true".to_owned()),
        ("", "y", Phase::Running, "true".to_owned()),
        ("", "yy", Phase::Running, "true".to_owned()),
        ("", "xy", Phase::Pending, unready("1")),
        ("", "xr", Phase::Pending, unready("1 2")),
        ("", "xx", Phase::Succeeded, "false PodCompleted".to_owned()),
        ("y", "x", Phase::Succeeded, "false PodCompleted".to_owned()),
        ("", "yy", Phase::Failed, "false PodFailed".to_owned()),
        ("y", "y", Phase::Running, "true".to_owned()),
        ("r", "y", Phase::Running, unready("side1")),
        ("x", "y", Phase::Running, unready("side1")),
        ("y", "r", Phase::Running, unready("1")),
    ] {
        let pod = pod("", sidecars, main, &json!({}));
        assert_eq!(said(3, &pod, phase), expected, "{sidecars} {main}");
        assert_eq!(said(2, &pod, phase), expected, "{sidecars} {main}");
    }
}

#[test]
fn a_pod_is_ready_when_its_containers_and_gates_are() {
    let gates = json!([{ "conditionType": "gate1" }, { "conditionType": "gate2" }]);
    let gate = |type_: &str, status: &str| json!({ "type": type_, "status": status });
    let missing =
        |gate: &str| format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.");
    let closed = "the status of pod readiness gate \"gate1\" is not \"True\", but False";
    for (conditions, expected) in [
        (json!([]), format!("false ReadinessGatesNotReady {}, {}", missing("gate1"), missing("gate2"))),
        (
            json!([gate("gate1", "False")]),
            format!("false ReadinessGatesNotReady {closed}, {}", missing("gate2")),
        ),
        (json!([gate("gate1", "True")]), format!("false ReadinessGatesNotReady {}", missing("gate2"))),
        (json!([gate("gate1", "True"), gate("gate2", "True")]), "true".to_owned()),
    ] {
        let pod = pod("", "", "y", &json!({ "gates": gates, "conditions": conditions }));
        assert_eq!(said(2, &pod, Phase::Running), expected);
        assert_eq!(said(3, &pod, Phase::Running), "true");
    }
    let unready = pod("", "", "x", &json!({ "gates": gates }));
    assert!(said(2, &unready, Phase::Pending).contains("unready status: [1]"));
}

#[test]
fn a_pod_is_initialized_when_its_init_containers_are_or_were() {
    let incomplete =
        |names: &str| format!("false ContainersNotInitialized containers with incomplete status: [{names}]");
    for (init, sidecars, main, phase, expected) in [
        ("", "", "x", Phase::Running, "true".to_owned()),
        ("p", "", "x", Phase::Running, "true".to_owned()),
        ("pp", "", "x", Phase::Running, "true".to_owned()),
        ("xp", "", "x", Phase::Pending, incomplete("init1")),
        ("xr", "", "x", Phase::Pending, incomplete("init1 init2")),
        ("x", "", "x", Phase::Succeeded, "true PodCompleted".to_owned()),
        ("", "r", "x", Phase::Pending, incomplete("side1")),
        ("", "s", "x", Phase::Running, "true".to_owned()),
        ("p", "r", "x", Phase::Pending, incomplete("side1")),
        ("", "r", "r", Phase::Running, "true".to_owned()),
        ("x", "x", "x", Phase::Pending, incomplete("init1 side1")),
    ] {
        let pod = pod(init, sidecars, main, &json!({}));
        assert_eq!(said(1, &pod, phase), expected, "{init} {sidecars} {main}");
    }
}
