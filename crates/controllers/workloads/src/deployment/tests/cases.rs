//! Upstream's tables: sizes of the new and the old sets in one turn, and shares out of proportion.

use super::*;
use crate::deployment::scaling;
use crate::deployment::set::Set;
use k8s_openapi::api::apps::v1::DeploymentStatus;
use std::collections::BTreeMap;

/// A set of this size, as big as `available` says, marked with the size of its Deployment then.
fn set(name: &str, second: i64, replicas: i32, available: i32, marked: Option<(i32, i32)>) -> Set {
    let annotations: BTreeMap<&str, String> = marked
        .iter()
        .flat_map(|(desired, most)| [(DESIRED, desired.to_string()), (MOST, most.to_string())])
        .collect();
    annotated(name, second, (replicas, available), &json!(annotations))
}

fn annotated(name: &str, second: i64, (replicas, available): (i32, i32), annotations: &Value) -> Set {
    let object = json!({
        "metadata": {"name": name, "uid": name, "annotations": annotations,
                     "creationTimestamp": at(second).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()},
        "spec": {"replicas": replicas, "selector": {}},
        "status": {"replicas": replicas, "availableReplicas": available},
    });
    Set::new(Arc::new(serde_json::from_value(object).unwrap()))
}

fn size(replicas: i32, surge: Value, unavailable: Value) -> Size {
    let mut deployment = deployment(replicas, "a");
    strategy(&mut deployment, rolling(surge, unavailable));
    Size::of(&deployment)
}

/// Upstream's `TestResolveFenceposts`, and more; what is neither a number nor a percentage, and what
/// is not given, never comes from the API.
#[test]
fn percentages_round_up_for_the_surge_and_down_for_the_unavailable() {
    for (replicas, surge, unavailable, expected) in [
        (10, json!("39%"), json!("39%"), (4, 3)),
        (10, json!("25%"), json!("25%"), (3, 2)),
        (1, json!("25%"), json!("25%"), (1, 0)),
        (3, json!(0), json!(0), (0, 1)),
        (3, json!("0%"), json!("10%"), (0, 1)),
        (2, json!(1), json!(5), (1, 2)),
        (0, json!("0%"), json!("0%"), (0, 0)),
        (0, json!("50%"), json!("50%"), (0, 0)),
        (5, json!("100%"), json!(0), (5, 0)),
    ] {
        let size = size(replicas, surge, unavailable);
        assert_eq!((size.max_surge, size.max_unavailable), expected, "{replicas}");
    }
}

/// Upstream's `TestMaxUnavailable` and `TestMinAvailable`.
#[test]
fn no_more_than_all_may_be_unavailable() {
    // wanted, unavailable → most unavailable, fewest available
    for (wanted, unavailable, expected) in [
        (10, json!(5), (5, 5)),
        (10, json!(10), (10, 0)),
        (5, json!(10), (5, 0)),
        (0, json!(10), (0, 0)),
        (10, json!("50%"), (5, 5)),
        (10, json!("60%"), (6, 4)),
        (10, json!("100%"), (10, 0)),
        (5, json!("100%"), (5, 0)),
    ] {
        let size = size(wanted, json!(1), unavailable);
        assert_eq!((size.max_unavailable, size.fewest_available()), expected, "{wanted}");
    }
    let mut recreated = deployment(5, "a");
    strategy(&mut recreated, json!({"type": "Recreate"}));
    assert_eq!(Size::of(&recreated).max_unavailable, 0);
}

/// Upstream's `reconcileNewReplicaSet` and `TestNewRSNewReplicas`.
#[test]
fn the_new_set_grows_into_the_room_there_is() {
    // wanted, surge, old, new → new
    for (wanted, surge, old, new, expected) in [
        (10, 0, 10, 0, 0),
        (10, 2, 10, 0, 2),
        (10, 2, 5, 0, 7),
        (10, 2, 10, 2, 2),
        (10, 2, 2, 11, 10),
        (10, 0, 5, 0, 5),
        (10, 2, 9, 2, 3),
        (10, 2, 2, 12, 10),
        (1, 0, 0, 0, 1),
        (6, 10, 3, 2, 6),
    ] {
        let size = size(wanted, json!(surge), json!(1));
        let (mut fresh, old) = (set("new", 2, new, 0, None), [set("old", 1, old, 0, None)]);
        let changed = scaling::scale_new(&size, false, &mut fresh, &old);
        assert_eq!((fresh.replicas, changed), (expected, expected != new), "{wanted} {surge} {new}");
    }
    let one = size(1, json!(1), json!(1));
    assert_eq!(scaling::next_size(&one, false, 5, 5), 5, "no room");
    let three = size(3, json!(1), json!(1));
    assert_eq!(scaling::next_size(&three, true, 5, 1), 3, "a recreation needs none");
}

/// Upstream's `reconcileOldReplicaSets`.
#[test]
fn the_old_sets_shrink_by_what_availability_spares() {
    // wanted, surge, unavailable, old (size, available), new (size, available) → old
    for (wanted, surge, unavailable, old, new, expected) in [
        (10, 0, 0, (10, 10), (0, 0), 9),
        (10, 0, 2, (10, 10), (0, 0), 8),
        (10, 0, 2, (10, 8), (0, 0), 8),
        (10, 0, 2, (10, 9), (0, 0), 8),
        (10, 0, 2, (8, 8), (2, 0), 8),
        (10, 3, 0, (10, 10), (0, 0), 10),
        (10, 3, 2, (10, 7), (0, 0), 8),
        (10, 3, 2, (8, 8), (2, 2), 6),
        (10, 3, 0, (10, 10), (3, 3), 7),
        (10, 3, 0, (0, 0), (10, 10), 0),
    ] {
        let size = size(wanted, json!(surge), json!(unavailable));
        let (fresh, mut old) = (set("new", 2, new.0, new.1, None), [set("old", 1, old.0, old.1, None)]);
        let changed = scaling::scale_old(&size, &fresh, &mut old);
        let before = old[0].object.spec.as_ref().unwrap().replicas.unwrap();
        assert_eq!(
            (old[0].replicas, changed),
            (expected, expected != before),
            "{wanted} {unavailable} {new:?}"
        );
    }
}

/// Upstream's `cleanupUnhealthyReplicas`.
#[test]
fn unavailable_pods_go_first_but_no_more_than_may_go() {
    for (old, available, most, expected) in [(10, 8, 1, 1), (10, 8, 3, 2), (10, 8, 0, 0), (10, 10, 3, 0)] {
        let mut old = [set("old", 1, old, available, None)];
        assert_eq!(
            scaling::drop_unhealthy(&size(10, json!(2), json!(2)), &mut old, most),
            expected,
            "{available} {most}"
        );
    }
}

/// Upstream's `scaleDownOldReplicaSetsForRollingUpdate`.
#[test]
fn available_pods_go_while_enough_remain() {
    for (unavailable, available, old, expected) in
        [(0, 10, 10, 9), (2, 10, 10, 8), (2, 8, 10, 10), (2, 10, 0, 0), (2, 1, 10, 10)]
    {
        let (fresh, mut sets) = (set("new", 2, 0, 0, None), [set("old", 1, old, available, None)]);
        let gone = scaling::drop_available(&size(10, json!(0), json!(unavailable)), &fresh, &mut sets);
        assert_eq!((sets[0].replicas, gone), (expected, old - expected), "{unavailable} {available} {old}");
    }
}

#[test]
fn a_recreation_takes_every_old_set_down() {
    let mut old = [set("a", 1, 3, 3, None), set("b", 2, 0, 0, None), set("c", 3, 2, 0, None)];
    assert!(scaling::drop_all(&size(3, json!(0), json!(1)), &mut old));
    assert!(old.iter().all(|set| set.replicas == 0));
    assert!(!scaling::drop_all(&size(3, json!(0), json!(1)), &mut old));
}

/// One row of upstream's `TestScale`: from a size to another, with these sets, the oldest first, of
/// which the last is the new one where there is one.
struct Row {
    name: &'static str,
    from: (i32, i32),
    to: (i32, i32),
    sets: &'static [i32],
    has_new: bool,
    expected: &'static [i32],
}

const fn row(
    name: &'static str,
    from: (i32, i32),
    to: (i32, i32),
    sets: &'static [i32],
    expected: &'static [i32],
) -> Row {
    Row { name, from, to, sets, has_new: true, expected }
}

const fn without_new(row: &Row) -> Row {
    Row { has_new: false, ..*row }
}

const ROWS: &[Row] = &[
    row("normal scaling event: 10 -> 12", (10, 0), (12, 0), &[10], &[12]),
    row("normal scaling event: 10 -> 5", (10, 0), (5, 0), &[10], &[5]),
    row("proportional scaling: 5 -> 10", (5, 0), (10, 0), &[3, 2], &[6, 4]),
    row("proportional scaling: 5 -> 3", (5, 0), (3, 0), &[3, 2], &[2, 1]),
    row("proportional scaling: 9 -> 4", (9, 0), (4, 0), &[1, 8], &[0, 4]),
    row("proportional scaling: 7 -> 10", (7, 0), (10, 0), &[2, 3, 2], &[3, 4, 3]),
    row("proportional scaling: 13 -> 8", (13, 0), (8, 0), &[3, 8, 2], &[2, 5, 1]),
    row("leftover distribution: 3 -> 4", (3, 0), (4, 0), &[1, 1, 1], &[1, 1, 2]),
    row("leftover distribution: 3 -> 2", (3, 0), (2, 0), &[1, 1, 1], &[0, 1, 1]),
    without_new(&row("proportional scaling (no new rs): 4 -> 5", (4, 0), (5, 0), &[2, 2], &[2, 3])),
    row("proportional scaling: 6 -> 0", (6, 0), (0, 0), &[1, 2, 3], &[0, 0, 0]),
    row("proportional scaling: 0 -> 6", (6, 0), (6, 0), &[0, 0, 0], &[0, 0, 6]),
    row("deployment with surge pods", (10, 2), (20, 2), &[6, 6], &[11, 11]),
    row("change both surge and size", (10, 3), (50, 6), &[8, 5], &[34, 22]),
    without_new(&row("change both size and template", (10, 0), (14, 0), &[3, 7], &[4, 10])),
    row("saturated but broken new set does not affect old pods", (2, 1), (2, 1), &[1, 2], &[1, 2]),
    row("three up", (10, 0), (20, 0), &[2, 3, 5], &[4, 6, 10]),
    row("three, none of them divisible", (10, 0), (11, 0), &[3, 3, 4], &[3, 3, 5]),
    row("the surge grows with the size", (10, 2), (20, 4), &[7, 5], &[14, 10]),
];

#[test]
fn sets_in_a_rollout_share_a_change_of_size_by_their_shares() {
    for Row { name, from, to, sets, has_new, expected } in ROWS {
        let marks = Some((from.0, from.0 + from.1));
        let aged = sets.iter().zip(0..);
        let mut old: Vec<Set> =
            aged.map(|(size, age)| set(&format!("set-{age}"), age, *size, 0, marks)).collect();
        let mut new = has_new.then(|| old.pop()).flatten();
        let size = Size { replicas: to.0, max_surge: to.1, max_unavailable: 0 };
        scaling::scale_in_proportion(&size, false, 0, new.as_mut(), &mut old);
        let sizes: Vec<i32> = old.iter().chain(&new).map(|set| set.replicas).collect();
        assert_eq!(sizes, *expected, "{name}");
    }
}

/// The row of upstream's `TestScale` in which one set was not written the last time.
#[test]
fn a_set_that_was_left_behind_catches_up() {
    let mark = |desired| Some((desired, desired));
    let mut old = [set("v1", 0, 1, 0, mark(5)), set("v2", 1, 1, 0, mark(3))];
    let mut new = set("v3", 2, 2, 0, mark(5));
    let size = Size { replicas: 5, max_surge: 0, max_unavailable: 0 };
    scaling::scale_in_proportion(&size, false, 0, Some(&mut new), &mut old);
    assert_eq!((old[0].replicas, old[1].replicas, new.replicas), (1, 2, 2));
    let is_changed = |set: &Set| set.patch().is_some();
    assert_eq!((is_changed(&old[0]), is_changed(&old[1]), is_changed(&new)), (false, true, false));
}

#[test]
fn a_saturated_new_set_takes_the_old_ones_down() {
    let size = Size { replicas: 5, max_surge: 1, max_unavailable: 0 };
    let mut new = set("new", 2, 5, 5, Some((5, 6)));
    let mut old = [set("old", 1, 2, 2, Some((5, 6)))];
    scaling::scale_in_proportion(&size, false, 7, Some(&mut new), &mut old);
    assert_eq!((old[0].replicas, new.replicas), (0, 5));
}

/// Upstream's `TestGetReplicaSetFraction`.
#[test]
fn a_set_keeps_its_fraction_of_all_pods() {
    // wanted, surge, pods there are, size, mark → change
    for (case, wanted, surge, before, replicas, mark, expected) in [
        ("to nothing", 0, 0, 0, 10, None, -10),
        ("nothing known", 10, 0, 0, 5, None, 0),
        ("a mark of zero", 10, 0, 0, 5, Some("0"), 0),
        ("by the pods there are", 120, 0, 100, 50, None, 10),
        ("by them, for the mark is zero", 120, 0, 100, 50, Some("0"), 10),
        ("by the mark", 120, 0, 0, 50, Some("100"), 10),
        ("with a surge", 120, 10, 0, 50, Some("110"), 9),
        ("down", 10, 0, 0, 6, Some("12"), -1),
        ("down with a surge", 100, 10, 0, 50, Some("130"), -8),
    ] {
        let annotations = mark.map_or_else(|| json!({}), |mark| json!({MOST: mark}));
        let set = annotated("set", 0, (replicas, 0), &annotations);
        let size = Size { replicas: wanted, max_surge: surge, max_unavailable: 1 };
        assert_eq!(scaling::fraction(&set, &size, before), expected, "{case}");
    }
}

/// Upstream's `TestGetNonNegativeInt32FromAnnotation`.
#[test]
fn a_number_of_pods_is_a_number_of_32_bits_without_a_sign() {
    for (text, expected) in [
        (None, None),
        (Some("invalid"), None),
        (Some("-1"), None),
        (Some("+1"), None),
        (Some(""), None),
        (Some("0"), Some(0)),
        (Some("13"), Some(13)),
        (Some("2147483647"), Some(i32::MAX)),
        (Some("2147483648"), None),
        (Some("4294967296"), None),
    ] {
        let annotations = text.map_or_else(|| json!({}), |text| json!({"test": text, "foo": "2"}));
        assert_eq!(annotated("set", 0, (0, 0), &annotations).number("test"), expected, "{text:?}");
    }
}

/// Upstream's `TestReplicasAnnotationsNeedUpdate`.
#[test]
fn a_set_is_marked_anew_where_its_marks_differ() {
    let size = Size { replicas: 10, max_surge: 10, max_unavailable: 0 };
    for (marks, expected) in
        [(None, true), (Some((8, 20)), true), (Some((10, 16)), true), (Some((10, 20)), false)]
    {
        let mut set = set("set", 0, 10, 0, marks);
        set.scale_and_mark(10, &size);
        assert_eq!(set.patch().is_some(), expected, "{marks:?}");
    }
}

/// Upstream's `TestGetReplicaCountForReplicaSets`, but for terminating pods, which are not counted.
#[test]
fn wanted_and_actual_pods_are_summed_up() {
    for (sets, expected) in [
        (vec![(1, 2)], (1, 2)),
        (vec![(1, 2), (2, 3)], (3, 5)),
        (vec![(1, 0), (2, 0)], (3, 0)),
        (vec![(1, 2), (2, 3), (3, 0)], (6, 5)),
        (vec![(1, 1)], (1, 1)),
    ] {
        let sets: Vec<Set> = sets
            .iter()
            .map(|(replicas, pods)| {
                let mut set = set("set", 0, *replicas, 0, None);
                Arc::make_mut(&mut set.object).status.as_mut().unwrap().replicas = *pods;
                set
            })
            .collect();
        let status = status::counted(
            &deployment(1, "a"),
            &DeploymentStatus::default(),
            &sets.iter().collect::<Vec<_>>(),
            None,
            at(0),
        );
        let wanted: i32 = sets.iter().map(|set| set.replicas).sum();
        assert_eq!((wanted, status.replicas.unwrap_or_default()), expected);
    }
}
