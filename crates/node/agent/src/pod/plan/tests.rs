//! Upstream's cases of what a pod's containers need, and some of our own.
//!
//! A letter is a container: `-` never ran, `r` runs (`u`: not started yet), `0` ended well, `1` failed,
//! `k` ended because a probe killed it.

use jiff::Timestamp;
use serde_json::json;

use super::{Plan, plan};
use crate::bound::{RestartPolicy, Spec};
use crate::pod::state::{ContainerState, Ended, PodState, Process, Running};
use crate::runtime::Which;

fn container(letter: char) -> ContainerState {
    let at = Timestamp::UNIX_EPOCH;
    let running = |is_started| {
        Process::Running(Running {
            since: at,
            is_started,
            is_ready: true,
            is_stopping: false,
            probers: None,
            usage: None,
        })
    };
    let ended = |code| Process::Ended(Ended { started: at, at, code, reason: "".into() });
    let process = match letter {
        'r' => running(true),
        'u' => running(false),
        '0' | 'k' => ended(0),
        '1' => ended(1),
        _ => Process::Never,
    };
    ContainerState { process, is_forced: letter == 'k', ..ContainerState::default() }
}

/// A pod whose init containers are sidecars or not.
fn spec(policy: &str, is_sidecar: bool, init: usize, main: usize) -> Spec {
    let init_policy = if is_sidecar { json!("Always") } else { json!(null) };
    let all = |count: usize, name: &str| -> Vec<_> {
        (0..count)
            .map(|index| json!({ "name": format!("{name}{index}"), "restartPolicy": init_policy }))
            .collect()
    };
    serde_json::from_value(json!({
        "restartPolicy": policy, "initContainers": all(init, "init"), "containers": all(main, "main"),
    }))
    .unwrap()
}

fn planned(policy: &str, is_sidecar: bool, init: &str, main: &str) -> String {
    let spec = spec(policy, is_sidecar, init.len(), main.len());
    let state = PodState {
        init: init.chars().map(container).collect(),
        main: main.chars().map(container).collect(),
        ..PodState::default()
    };
    let Plan { start, is_over } = plan(&spec, &state);
    if is_over {
        assert_eq!(start, []);
        return "over".to_owned();
    }
    let name = |which: &Which| match which {
        Which::Init(index) => format!("i{index}"),
        Which::Main(index) => index.to_string(),
    };
    start.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn containers_are_started_again_as_the_policy_says() {
    for (policy, main, expected) in [
        ("Always", "rrr", ""),
        ("Always", "---", "0 1 2"),
        ("Always", "01r", "0 1"),
        ("OnFailure", "01r", "1"),
        ("OnFailure", "0-r", "1"),
        ("Never", "01r", ""),
        ("Never", "r-r", "1"),
        ("Always", "rkr", "1"),
        ("OnFailure", "rkr", "1"),
        ("Never", "000", "over"),
        ("Never", "010", "over"),
        ("OnFailure", "000", "over"),
        ("OnFailure", "00k", "2"),
        ("Always", "000", "0 1 2"),
    ] {
        assert_eq!(planned(policy, false, "", main), expected, "{policy} {main}");
    }
}

#[test]
fn init_containers_run_one_after_the_other() {
    for (policy, init, main, expected) in [
        ("Always", "000", "---", "0 1 2"),
        ("Always", "---", "---", "i0"),
        ("Always", "00u", "---", ""),
        ("Always", "001", "---", "i2"),
        ("OnFailure", "001", "---", "i2"),
        ("Never", "001", "---", "over"),
        ("Always", "--u", "---", ""),
        ("Always", "0--", "---", "i1"),
        ("Always", "1--", "---", "i0"),
        ("Never", "0--", "---", "i1"),
        ("Always", "000", "r1-", "1 2"),
    ] {
        assert_eq!(planned(policy, false, init, main), expected, "{policy} {init} {main}");
    }
}

#[test]
fn sidecars_start_in_order_and_are_started_again_whatever_the_policy() {
    for (policy, init, main, expected) in [
        ("Always", "rrr", "---", "0 1 2"),
        ("Always", "---", "---", "i0"),
        ("Always", "r--", "---", "i1"),
        ("Always", "rr-", "---", "i2"),
        ("Always", "ru-", "---", ""),
        ("Always", "r1-", "---", "i1"),
        ("Always", "0r1", "---", "i0 i2"),
        ("Always", "0rr", "---", "i0 0 1 2"),
        ("Never", "rr1", "---", "i2"),
        ("Never", "rr1", "rrr", "i2"),
        ("Never", "rrr", "000", "over"),
        ("Always", "--r", "---", "i0 i1 0 1 2"),
        ("OnFailure", "rrr", "010", "1"),
        ("OnFailure", "rr1", "000", "i2"),
    ] {
        assert_eq!(planned(policy, true, init, main), expected, "{policy} {init} {main}");
    }
    assert_eq!(spec("Never", true, 1, 1).restart_policy, RestartPolicy::Never);
}
