//! Upstream's cases of the phase.
//!
//! A letter is a container: `w` waits and never ran, `r` runs (`R`: and has started), `0` ended well,
//! `1` failed, `b` waits after a failure, `c` waits after a good end.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Phase, phase};
use crate::bound::Spec;
use crate::pod::shown::{Shown, ShownPod, State};
use crate::pod::state::{Ended, Wait};

fn shown(letter: char) -> Shown {
    let at = Timestamp::UNIX_EPOCH;
    let ended = |code| Ended { started: at, at, code, reason: "".into() };
    let wait = || State::Waiting(Wait { reason: "".into(), message: None });
    let (state, last) = match letter {
        'r' | 'R' => (State::Running(at), None),
        '0' => (State::Ended(ended(0)), None),
        '1' => (State::Ended(ended(1)), None),
        'b' => (wait(), Some(ended(1))),
        'c' => (wait(), Some(ended(0))),
        _ => (wait(), None),
    };
    Shown { state, last, restarts: 0, is_ready: false, is_started: letter == 'R' }
}

/// The phase of a pod with plain init containers, sidecars and containers like these.
fn of(policy: &str, plain: &str, sidecars: &str, main: &str, is_over: bool) -> Phase {
    let all = |count: usize, policy: Value| vec![json!({ "restartPolicy": policy }); count];
    let mut init = all(plain.len(), json!(null));
    init.extend(all(sidecars.len(), json!("Always")));
    let spec: Spec = serde_json::from_value(json!({
        "restartPolicy": policy, "initContainers": init, "containers": all(main.len(), json!(null)),
    }))
    .unwrap();
    let pod = ShownPod {
        init: plain.chars().chain(sidecars.chars()).map(shown).collect(),
        main: main.chars().map(shown).collect(),
    };
    phase(&spec, &pod, is_over)
}

#[test]
fn containers_alone_decide_by_the_policy() {
    use Phase::{Failed, Pending, Running, Succeeded};
    for (policy, main, is_over, expected) in [
        ("Always", "ww", false, Pending),
        ("Always", "rr", false, Running),
        ("Always", "00", false, Running),
        ("Always", "00", true, Succeeded),
        ("Always", "01", true, Failed),
        ("Always", "r0", false, Running),
        ("Always", "rw", false, Pending),
        ("Always", "rb", false, Running),
        ("Never", "ww", false, Pending),
        ("Never", "rr", false, Running),
        ("Never", "00", false, Succeeded),
        ("Never", "11", false, Failed),
        ("Never", "r0", false, Running),
        ("Never", "rw", false, Pending),
        ("OnFailure", "ww", false, Pending),
        ("OnFailure", "rr", false, Running),
        ("OnFailure", "00", false, Succeeded),
        ("OnFailure", "11", false, Running),
        ("OnFailure", "r0", false, Running),
        ("OnFailure", "rw", false, Pending),
        ("OnFailure", "rb", false, Running),
    ] {
        assert_eq!(of(policy, "", "", main, is_over), expected, "{policy} {main} {is_over}");
    }
}

#[test]
fn a_pod_is_pending_until_its_init_containers_are_done() {
    use Phase::{Failed, Pending, Running};
    for (policy, plain, main, expected) in [
        ("Always", "r", "ww", Pending),
        ("Always", "1", "ww", Pending),
        ("Always", "c", "ww", Pending),
        ("Always", "b", "ww", Pending),
        ("Always", "w", "ww", Pending),
        ("Always", "0", "rr", Running),
        ("Never", "r", "ww", Pending),
        ("Never", "1", "ww", Failed),
        ("Never", "c", "ww", Pending),
        ("Never", "b", "ww", Failed),
        ("Never", "w", "ww", Pending),
        ("Never", "0", "rr", Running),
    ] {
        assert_eq!(of(policy, plain, "", main, false), expected, "{policy} {plain} {main}");
    }
}

#[test]
fn sidecars_count_as_far_as_they_run() {
    use Phase::{Pending, Running, Succeeded};
    for (policy, plain, sidecars, main, is_over, expected) in [
        ("Always", "", "w", "ww", false, Pending),
        ("Always", "", "r", "ww", false, Pending),
        ("Always", "", "0", "ww", false, Pending),
        ("Always", "", "c", "ww", false, Pending),
        ("Always", "", "b", "ww", false, Pending),
        ("Always", "", "R", "rw", false, Pending),
        ("Always", "", "R", "rr", false, Running),
        ("Always", "", "r", "rr", false, Running),
        ("Always", "", "0", "rr", false, Running),
        ("Always", "", "b", "rr", false, Running),
        ("Always", "", "1", "00", true, Succeeded),
        ("Always", "", "0", "00", true, Succeeded),
        ("Never", "", "w", "ww", false, Pending),
        ("Never", "", "r", "ww", false, Pending),
        ("Never", "", "0", "ww", false, Pending),
        ("Never", "", "c", "ww", false, Pending),
        ("Never", "", "b", "ww", false, Pending),
        ("Never", "", "R", "rw", false, Pending),
        ("Never", "", "R", "00", false, Running),
        ("Never", "", "r", "00", false, Running),
        ("Never", "", "0", "00", false, Succeeded),
        ("Never", "", "1", "00", false, Succeeded),
        ("Never", "", "c", "00", false, Succeeded),
        ("Never", "", "b", "00", false, Succeeded),
        ("Always", "r", "r", "r", false, Pending),
        ("Always", "r", "r", "0", false, Pending),
        ("Always", "0", "r", "0", false, Running),
        ("Always", "0", "r", "r", false, Running),
    ] {
        let phase = of(policy, plain, sidecars, main, is_over);
        assert_eq!(phase, expected, "{policy} {plain} {sidecars} {main} {is_over}");
    }
}
