//! Upstream's cases of its node lifecycle controller: health, taints, labels, the pace of zones.
//!
//! What it writes, tells and in which order is in this crate's `tests/region`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::Value;

use super::health::{Health, Judgement, judge};
use super::zones::{Count, LARGE, Limiter, PACE, SLOW_PACE, Shift, State, Zones, state};
use super::*;

fn now() -> Timestamp {
    "2015-01-01T12:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// A node made at `created`, whose `Ready` has a status and a heartbeat, if it has one.
fn node(created: Timestamp, ready: Option<(&str, Timestamp)>) -> Node {
    let conditions: Vec<Value> = ready
        .iter()
        .map(|(status, beat)| json!({"type": "Ready", "status": status, "lastHeartbeatTime": Time(*beat), "lastTransitionTime": Time(now())}))
        .collect();
    serde_json::from_value(json!({
        "metadata": {"name": "node0", "creationTimestamp": Time(created)}, "spec": {},
        "status": {"conditions": conditions},
    }))
    .unwrap()
}

fn renewal(at: Timestamp) -> Renewal {
    Renewal { time: MicroTime(at), seen_at: at }
}

/// Type, status, reason and heartbeat of what is written.
fn written(judgement: &Judgement) -> Vec<(&str, &str, &str, Timestamp)> {
    let text = |own: &Option<String>| own.clone().unwrap_or_default().leak() as &str;
    let changed = judgement.changed.iter();
    changed
        .map(|own| {
            (&*own.type_, &*own.status, text(&own.reason), own.last_heartbeat_time.as_ref().unwrap().0)
        })
        .collect()
}

const LONG_AGO: i64 = -100_000_000;
const PRESSURES: [&str; 3] = ["MemoryPressure", "DiskPressure", "PIDPressure"];

#[test]
fn a_node_that_never_said_anything_has_its_startup_grace() {
    // Age, renewal of the lease, whether it counts as silent at the first look.
    let cases = [
        (0, None, false),
        (0, Some(0), false),
        (LONG_AGO, None, true),
        (LONG_AGO, Some(0), false),
        (-60, None, false),
        (-61, None, true),
    ];
    for (created, renewed, is_silent) in cases {
        let node = node(later(created), None);
        let lease = renewed.map(|at| renewal(later(at)));
        let found = judge(&node, None, lease.as_ref(), now());
        let expected: Vec<_> = ["Ready"]
            .into_iter()
            .chain(PRESSURES)
            .map(|type_| (type_, "Unknown", "NodeStatusNeverUpdated", later(created)))
            .collect();
        assert_eq!(written(&found), if is_silent { expected } else { Vec::new() }, "{created} {renewed:?}");
        assert_eq!(found.current, is_silent.then_some(Ready::Unknown));
        assert_eq!(found.observed, Ready::Unknown);
    }
}

#[test]
fn a_lease_that_is_not_renewed_counts_from_when_it_was_seen() {
    let node = node(later(LONG_AGO), None);
    let lease = renewal(later(-40));
    let first = judge(&node, None, Some(&lease), now());
    assert_eq!((written(&first).len(), first.silent_after), (0, Some(later(60))));
    let second = judge(&node, Some(&first.health), Some(&lease), later(3600));
    assert_eq!(written(&second).len(), 4);
}

#[test]
fn a_node_that_spoke_once_is_silent_after_its_grace_whatever_renews_its_lease_late() {
    // Later status and lease, both in seconds; whether it is silent an hour after the first look.
    let cases = [
        ("the status is old, the lease is renewed", 0, Some(3600), false),
        ("the status is new, the lease is old", 3600, Some(-50), false),
        ("both are old", 0, Some(-50), true),
        ("the status is old, there is no lease", 0, None, true),
        ("the status is new, there is no lease", 3600, None, false),
    ];
    for (name, beat, renewed, is_silent) in cases {
        let before = node(later(LONG_AGO), Some(("True", now())));
        let old_lease = renewed.map(|_| renewal(later(-50)));
        let first = judge(&before, None, old_lease.as_ref(), now());
        assert_eq!(
            (first.observed, first.current, written(&first).len()),
            (Ready::True, Some(Ready::True), 0)
        );
        let after = node(later(LONG_AGO), Some(("True", later(beat))));
        let lease = renewed.map(|at| renewal(later(at)));
        let second = judge(&after, Some(&first.health), lease.as_ref(), later(3600));
        assert_eq!(second.observed, Ready::True, "{name}");
        if !is_silent {
            assert_eq!((written(&second).len(), second.current), (0, Some(Ready::True)), "{name}");
            continue;
        }
        let mut expected = vec![("Ready", "Unknown", "NodeStatusUnknown", now())];
        expected.extend(PRESSURES.map(|type_| (type_, "Unknown", "NodeStatusNeverUpdated", later(LONG_AGO))));
        assert_eq!((written(&second), second.current), (expected, Some(Ready::Unknown)), "{name}");
        assert_eq!(second.changed[0].message.as_deref(), Some("Kubelet stopped posting node status."));
    }
}

#[test]
fn what_is_judged_is_the_condition_before_and_after() {
    let cases = [("True", Ready::True), ("False", Ready::False), ("Unknown", Ready::Unknown)];
    for (status, expected) in cases {
        let node = node(now(), Some((status, now())));
        let found = judge(&node, None, None, now());
        assert_eq!((found.observed, found.current), (expected, Some(expected)));
        let health = Health { probed_at: later(-51), ..found.health };
        let silent = judge(&node, Some(&health), None, now());
        assert_eq!((silent.observed, silent.current), (expected, Some(Ready::Unknown)), "{status}");
        assert_eq!(silent.changed.is_empty(), status == "Unknown");
    }
    let nothing = judge(&node(now(), None), None, None, now());
    assert_eq!((nothing.observed, nothing.current), (Ready::Unknown, None));
}

#[test]
fn a_silent_node_is_told_of_at_the_first_look_after_its_grace() {
    let node = node(later(LONG_AGO), Some(("True", now())));
    let first = judge(&node, None, Some(&renewal(now())), now());
    assert_eq!(first.silent_after, Some(later(50)));
    let at = |seconds| judge(&node, Some(&first.health), Some(&renewal(now())), later(seconds)).changed.len();
    assert_eq!((at(50), at(51)), (0, 4));
    let renewed = Renewal { time: MicroTime(later(8)), seen_at: later(10) };
    assert_eq!(judge(&node, Some(&first.health), Some(&renewed), later(55)).silent_after, Some(later(60)));
}

/// Conditions by type and status, whether the node is cordoned, and its taints.
type Tainted = (&'static [(&'static str, &'static str)], bool, &'static [&'static str]);

#[test]
fn conditions_and_cordons_are_taints() {
    let tainted = |conditions: &[(&str, &str)], taints: Value, cordoned: bool| {
        let conditions: Vec<Value> =
            conditions.iter().map(|(type_, status)| json!({"type": type_, "status": status})).collect();
        let node: Node = serde_json::from_value(json!({
            "metadata": {}, "spec": {"taints": taints, "unschedulable": cordoned}, "status": {"conditions": conditions},
        }))
        .unwrap();
        taints::no_schedule(&node, now()).map(|taints| {
            taints
                .into_iter()
                .map(|taint| {
                    format!("{}:{}", taint.key.trim_start_matches("node.kubernetes.io/"), taint.effect)
                })
                .collect::<Vec<_>>()
        })
    };
    let none = json!([]);
    let cases: &[Tainted] = &[
        (&[("Ready", "True"), ("NetworkUnavailable", "True")], false, &["network-unavailable:NoSchedule"]),
        (&[("Ready", "True"), ("NetworkUnavailable", "Unknown")], false, &[]),
        (&[("Ready", "False")], false, &["not-ready:NoSchedule"]),
        (&[("Ready", "Unknown")], false, &["unreachable:NoSchedule"]),
        (&[("Ready", "True"), ("MemoryPressure", "True")], false, &["memory-pressure:NoSchedule"]),
        (
            &[("DiskPressure", "True"), ("PIDPressure", "True")],
            false,
            &["disk-pressure:NoSchedule", "pid-pressure:NoSchedule"],
        ),
        (&[("Ready", "True")], true, &["unschedulable:NoSchedule"]),
    ];
    for (conditions, cordoned, expected) in cases {
        let found = tainted(conditions, none.clone(), *cordoned).unwrap_or_default();
        assert_eq!(found, *expected, "{conditions:?}");
    }
    let own = json!([
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}, {"key": "dedicated", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
    ]);
    let found = tainted(&[("Ready", "Unknown")], own.clone(), false).unwrap();
    assert_eq!(found, ["dedicated:NoSchedule", "not-ready:NoExecute", "unreachable:NoSchedule"]);
    assert_eq!(tainted(&[("Ready", "False")], own, true), None, "all is as it should be");
}

#[test]
fn the_taint_that_drives_away_is_one_of_two() {
    let with = |taints: &[&str]| -> Node {
        let taints: Vec<Value> =
            taints.iter().map(|key| json!({"key": key, "effect": "NoExecute"})).collect();
        serde_json::from_value(json!({"metadata": {}, "spec": {"taints": taints}})).unwrap()
    };
    let keys = |taints: Option<Vec<Taint>>| {
        taints.map(|taints| taints.into_iter().map(|taint| taint.key).collect::<Vec<_>>())
    };
    let (not_ready, unreachable) = (taints::NOT_READY, taints::UNREACHABLE);
    let driven = |own: &[&str], ready| keys(taints::driven(&with(own), ready, now()));
    assert_eq!(driven(&[], Ready::False).unwrap(), [not_ready]);
    assert_eq!(driven(&["x", not_ready], Ready::Unknown).unwrap(), ["x", unreachable]);
    assert_eq!(driven(&[unreachable], Ready::False).unwrap(), [not_ready]);
    assert_eq!(driven(&[unreachable], Ready::Unknown), None);
    assert_eq!(driven(&["x", unreachable], Ready::True).unwrap(), ["x"]);
    assert_eq!(driven(&["x"], Ready::True), None);
}

#[test]
fn old_labels_follow_the_stable_ones() {
    let missing = |labels: Value| {
        let node: Node = serde_json::from_value(json!({"metadata": {"labels": labels}})).unwrap();
        taints::labels(&node).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    let both = ["beta.kubernetes.io/arch=amd64", "beta.kubernetes.io/os=linux"];
    assert!(missing(json!(null)).is_empty());
    assert!(missing(json!({"topology.kubernetes.io/region": "region1"})).is_empty());
    assert_eq!(missing(json!({"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"})), both);
    let wrong = json!({"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "windows", "beta.kubernetes.io/arch": "arm"});
    assert_eq!(missing(wrong), both);
    let right = json!({"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"});
    assert!(missing(right).is_empty());
}

fn count(ready: usize, unready: usize) -> Count {
    Count { ready, unready }
}

#[test]
fn a_zone_is_as_its_nodes_are() {
    let cases = [
        (0, 0, State::Normal),
        (1, 0, State::Normal),
        (0, 1, State::Full),
        (1, 2, State::Normal),
        (2, 3, State::Partial),
        (3, 3, State::Normal),
        (9, 11, State::Partial),
    ];
    for (ready, unready, expected) in cases {
        assert_eq!(state(count(ready, unready)), expected, "{ready} {unready}");
    }
}

#[test]
fn zones_go_down_and_come_back() {
    use State::{Full, Normal, Partial};
    type Step = (&'static [(usize, usize)], &'static [State], Shift);
    let cases: &[(&str, &[Step])] = &[
        (
            "a young node without a zone",
            &[(&[(1, 0)], &[Normal], Shift::None), (&[(1, 0)], &[Normal], Shift::None)],
        ),
        (
            "both zones are down, one comes back",
            &[
                (&[(0, 1), (0, 1)], &[Full, Full], Shift::AllDown),
                (&[(0, 1), (1, 0)], &[Full, Normal], Shift::NoLongerAllDown),
            ],
        ),
        (
            "all down, then most of it",
            &[(&[(0, 4)], &[Full], Shift::AllDown), (&[(1, 3)], &[Partial], Shift::NoLongerAllDown)],
        ),
        (
            "well, then most of it is down",
            &[(&[(5, 0)], &[Normal], Shift::None), (&[(2, 3)], &[Partial], Shift::None)],
        ),
        (
            "well, then all is down",
            &[(&[(3, 0)], &[Normal], Shift::None), (&[(0, 3)], &[Full], Shift::AllDown)],
        ),
        (
            "both are down for good",
            &[
                (&[(0, 1), (0, 1)], &[Full, Full], Shift::AllDown),
                (&[(0, 1), (0, 1)], &[Full, Full], Shift::None),
            ],
        ),
        (
            "one is down, the other well",
            &[
                (&[(0, 1), (1, 0)], &[Full, Normal], Shift::None),
                (&[(0, 1), (1, 0)], &[Full, Normal], Shift::None),
            ],
        ),
        (
            "the second goes down too",
            &[
                (&[(1, 0), (0, 1)], &[Normal, Full], Shift::None),
                (&[(0, 1), (0, 1)], &[Full, Full], Shift::AllDown),
            ],
        ),
        (
            "a zone goes away",
            &[(&[(1, 0), (0, 1)], &[Normal, Full], Shift::None), (&[(1, 0)], &[Normal], Shift::None)],
        ),
    ];
    for (name, steps) in cases {
        let mut zones = Zones::default();
        for (counts, states, shift) in *steps {
            let counts: BTreeMap<String, Count> = counts
                .iter()
                .enumerate()
                .map(|(index, (ready, unready))| (format!("zone{index}"), count(*ready, *unready)))
                .collect();
            assert_eq!(zones.shift(&counts, now()), *shift, "{name}");
            let found: Vec<_> = (0..3).filter_map(|index| zones.state(&format!("zone{index}"))).collect();
            assert_eq!(found, *states, "{name}");
        }
    }
}

/// When the nodes that wait in one zone get their turns, in seconds from now.
fn turns(zones: &mut Zones, seconds: i64) -> Vec<(i64, String)> {
    let mut turns = Vec::new();
    for second in 0..seconds {
        while let Some(node) = zones.next(later(second)) {
            turns.push((second, node.to_string()));
        }
    }
    turns
}

fn waiting(counts: Count) -> Zones {
    let mut zones = Zones::default();
    zones.shift(&[("other".to_owned(), count(1, 0)), ("z".to_owned(), count(1, 0))].into(), later(-100));
    zones.shift(&[("other".to_owned(), count(1, 0)), ("z".to_owned(), counts)].into(), later(-50));
    for name in ["b", "a", "c"] {
        zones.enqueue("z", &name.into(), now());
        zones.enqueue("z", &name.into(), later(1));
    }
    zones
}

#[test]
fn nodes_get_their_turns_at_the_pace_of_their_zone() {
    let at = |counts, seconds| {
        turns(&mut waiting(counts), seconds)
            .into_iter()
            .map(|(at, name)| format!("{at} {name}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(at(count(3, 3), 300), ["0 a", "10 b", "20 c"]);
    assert_eq!(at(count(0, 3), 300), ["0 a", "10 b", "20 c"], "one zone of two is down");
    assert_eq!(at(count(10, 30), 300), [""; 0], "much of a small zone is down");
    let large = count(LARGE / 5, LARGE);
    assert_eq!(at(large, 300), ["0 a", "100 b", "200 c"], "much of a large zone is down");
}

#[test]
fn a_node_waits_once_until_it_is_taken_away() {
    let mut zones = waiting(count(3, 3));
    assert!(zones.dequeue("a") && !zones.dequeue("a"));
    assert_eq!(zones.due(), Some(later(-100)));
    assert_eq!(turns(&mut zones, 30), [(0, "b".to_owned()), (10, "c".to_owned())]);
    assert_eq!(zones.due(), None, "nobody waits");
    zones.enqueue("z", &"a".into(), later(15));
    assert_eq!(zones.due(), Some(later(20)));
}

#[test]
fn no_node_gets_its_turn_while_all_are_down() {
    let mut zones = waiting(count(3, 3));
    let down: BTreeMap<String, Count> =
        [("other".to_owned(), count(0, 1)), ("z".to_owned(), count(0, 6))].into();
    assert_eq!(zones.shift(&down, now()), Shift::AllDown);
    assert!(turns(&mut zones, 100).is_empty() && zones.due().is_none());
    let back: BTreeMap<String, Count> =
        [("other".to_owned(), count(1, 0)), ("z".to_owned(), count(0, 6))].into();
    assert_eq!(zones.shift(&back, now()), Shift::NoLongerAllDown);
    assert_eq!(turns(&mut zones, 25), [(10, "a".to_owned()), (20, "b".to_owned())]);
}

#[test]
fn a_limiter_that_was_empty_is_so_at_its_new_pace() {
    let mut limiter = Limiter::new(Some(PACE), now());
    assert!(limiter.try_take(now()) && !limiter.try_take(later(9)));
    limiter.set_pace(Some(SLOW_PACE), later(9));
    assert!(!limiter.try_take(later(108)) && limiter.try_take(later(109)));
    limiter.set_pace(None, later(300));
    assert!(!limiter.try_take(later(999)));
    limiter.set_pace(Some(Duration::from_secs(1)), later(1000));
    assert!(!limiter.try_take(later(1000)) && limiter.try_take(later(1001)));
}
