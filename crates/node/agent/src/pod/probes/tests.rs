//! When probes look, and when what they see holds.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Prober, Probers, Settings, When, settings};
use crate::bound::{Container, Probe};
use crate::runtime::{Answer, Behaviour, No, Question};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(second: i64) -> Timestamp {
    START + SignedDuration::from_secs(second)
}

fn numbers(probe: &Value) -> Settings {
    let probe: Probe = serde_json::from_value(probe.clone()).unwrap();
    Settings::of(Some(&probe))
}

const YES: Answer = Answer { verdict: Ok(()), until: None };
const NO: Answer = Answer { verdict: Err(No::Denied), until: None };

/// Looks at each tick until something holds; returns when and what, and how many answers it took.
fn until_it_holds(settings: Settings, answers: impl Fn(i64) -> Answer) -> (i64, bool, u32) {
    let mut prober = Prober::new(START);
    let mut asked = 0;
    loop {
        let next = prober.next.unwrap();
        let look = prober.look(settings, START, next, answers(next.as_second()));
        asked += 1;
        if let Some(verdict) = look.verdict {
            return (next.as_second(), verdict, asked);
        }
        assert!(asked < 100, "it never holds");
    }
}

#[test]
fn a_verdict_holds_after_delay_and_threshold() {
    for (probe, answer, expected) in [
        (json!({}), YES, (0, true, 1)),
        (json!({ "initialDelaySeconds": 10 }), YES, (10, true, 2)),
        (json!({ "initialDelaySeconds": 12, "periodSeconds": 5 }), YES, (15, true, 4)),
        (json!({ "periodSeconds": 5, "successThreshold": 3 }), YES, (10, true, 3)),
        (json!({ "periodSeconds": 5 }), NO, (10, false, 3)),
        (json!({ "periodSeconds": 1, "failureThreshold": 1 }), NO, (0, false, 1)),
        (json!({ "periodSeconds": 0, "failureThreshold": 0 }), NO, (20, false, 3)),
    ] {
        assert_eq!(until_it_holds(numbers(&probe), |_| answer), expected, "{probe}");
    }
}

#[test]
fn another_answer_starts_the_count_again() {
    let probe = numbers(&json!({ "periodSeconds": 1, "failureThreshold": 3, "successThreshold": 3 }));
    let flapping = |second: i64| if second % 2 == 0 || second > 5 { YES } else { NO };
    assert_eq!(until_it_holds(probe, flapping), (8, true, 9));
}

#[test]
fn a_prober_of_a_healthy_container_looks_again_when_the_answer_may_change() {
    let probe = numbers(&json!({ "periodSeconds": 10 }));
    let mut prober = Prober::new(START);
    prober.look(probe, START, START, Answer { verdict: Ok(()), until: Some(at(61)) });
    assert_eq!(prober.next, Some(at(70)));
    prober.look(probe, START, at(70), YES);
    assert_eq!(prober.next, None);
    prober.look(probe, START, at(80), NO);
    assert_eq!(prober.next, Some(at(90)), "a failing one at each tick");
}

#[test]
fn nothing_but_the_startup_probe_looks_before_the_container_has_started() {
    let container: Container = serde_json::from_value(json!({
        "startupProbe": { "periodSeconds": 3 }, "livenessProbe": {}, "readinessProbe": { "initialDelaySeconds": 5 },
    }))
    .unwrap();
    let mut probers = Probers::of(&container, &Behaviour::default(), START).unwrap();
    assert_eq!(probers.next(false), Some((START, Question::Startup)));
    probers.begin(&container, at(12));
    assert_eq!(probers.next(true), Some((at(12), Question::Readiness)), "at once");
    let readiness = probers.get_mut(Question::Readiness).unwrap();
    readiness.look(settings(&container, Question::Readiness), START, at(12), YES);
    assert_eq!(probers.next(true), Some((at(20), Question::Liveness)), "at its next tick");
    assert_eq!(settings(&container, Question::Readiness).patience(), Duration::from_secs(1));
}

#[test]
fn readiness_without_a_probe_is_looked_at_only_where_something_is_said_of_it() {
    let container = Container::default();
    assert!(Probers::of(&container, &Behaviour::default(), START).is_none());
    let late = Behaviour { ready: When::After(Duration::from_secs(30)), ..Behaviour::default() };
    let mut probers = Probers::of(&container, &late, START).unwrap();
    let readiness = probers.get_mut(Question::Readiness).unwrap();
    assert!(readiness.is_silent);
    let answer = Answer { verdict: Err(No::Denied), until: Some(at(30)) };
    let look = readiness.look(Settings::of(None), START, START, answer);
    assert_eq!((look.verdict, readiness.next), (Some(false), Some(at(30))));
}
