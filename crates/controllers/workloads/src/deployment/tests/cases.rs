//! Upstream's tables: sizes of the new and the old sets in one turn, and shares out of proportion.

use super::*;
use crate::deployment::scaling;
use crate::deployment::set::Set;
use std::collections::BTreeMap;

/// A set of this size, as big as `available` says, marked with the size of its Deployment then.
fn set(name: &str, second: i64, replicas: i32, available: i32, marked: Option<(i32, i32)>) -> Set {
    let annotations: BTreeMap<&str, String> = marked
        .iter()
        .flat_map(|(desired, most)| [(DESIRED, desired.to_string()), (MOST, most.to_string())])
        .collect();
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

#[test]
fn percentages_round_up_for_the_surge_and_down_for_the_unavailable() {
    for (replicas, surge, unavailable, expected) in [
        (10, json!("25%"), json!("25%"), (3, 2)),
        (1, json!("25%"), json!("25%"), (1, 0)),
        (3, json!(0), json!(0), (0, 1)),
        (3, json!("0%"), json!("10%"), (0, 1)),
        (2, json!(1), json!(5), (1, 2)),
        (0, json!("50%"), json!("50%"), (0, 0)),
        (5, json!("100%"), json!(0), (5, 0)),
    ] {
        let size = size(replicas, surge, unavailable);
        assert_eq!((size.max_surge, size.max_unavailable), expected, "{replicas}");
    }
}

#[test]
fn the_new_set_grows_into_the_room_there_is() {
    // wanted, surge, old, new → new
    for (wanted, surge, old, new, expected) in [
        (10, 0, 10, 0, 0),
        (10, 2, 10, 0, 2),
        (10, 0, 5, 0, 5),
        (10, 2, 10, 2, 2),
        (10, 2, 9, 2, 3),
        (10, 2, 2, 12, 10),
        (1, 0, 0, 0, 1),
    ] {
        let size = size(wanted, json!(surge), json!(1));
        let (mut fresh, old) = (set("new", 2, new, 0, None), [set("old", 1, old, 0, None)]);
        let changed = scaling::scale_new(&size, false, &mut fresh, &old);
        assert_eq!((fresh.replicas, changed), (expected, expected != new), "{wanted} {surge} {new}");
    }
}

#[test]
fn the_old_sets_shrink_by_what_availability_spares() {
    // wanted, unavailable, old (size, available), new (size, available) → old
    for (wanted, unavailable, old, new, expected) in [
        (10, 0, (10, 10), (0, 0), 10),
        (10, 2, (10, 10), (0, 0), 8),
        (10, 2, (10, 8), (0, 0), 8),
        (10, 2, (10, 7), (0, 0), 8),
        (10, 2, (8, 8), (2, 0), 8),
        (10, 2, (8, 8), (2, 2), 6),
        (10, 0, (10, 10), (3, 3), 7),
        (10, 0, (0, 0), (10, 10), 0),
    ] {
        let size = size(wanted, json!(3), json!(unavailable));
        let (fresh, mut old) = (set("new", 2, new.0, new.1, None), [set("old", 1, old.0, old.1, None)]);
        scaling::scale_old(&size, &fresh, &mut old);
        assert_eq!(old[0].replicas, expected, "{wanted} {unavailable} {new:?}");
    }
}

/// One row of upstream's `TestScale`: from a size to another, with these sets (oldest first).
fn scaled(from: (i32, i32), to: (i32, i32), sets: &[i32]) -> Vec<i32> {
    let marks = Some((from.0, from.0 + from.1));
    let mut old: Vec<Set> = sets
        .iter()
        .zip(0..)
        .map(|(size, age)| set(&format!("set-{age}"), age, *size, *size, marks))
        .collect();
    let mut new = old.pop();
    let size = Size { replicas: to.0, max_surge: to.1, max_unavailable: 0 };
    scaling::scale_in_proportion(&size, false, sets.iter().sum(), new.as_mut(), &mut old);
    old.iter().chain(&new).map(|set| set.replicas).collect()
}

#[test]
fn sets_in_a_rollout_share_a_change_of_size_by_their_shares() {
    for (name, from, to, sets, expected) in [
        ("one set scales as it is told", (10, 0), (12, 0), vec![10], vec![12]),
        ("one set scales down", (10, 0), (5, 0), vec![10], vec![5]),
        ("proportionally up", (10, 0), (12, 0), vec![5, 5], vec![6, 6]),
        ("proportionally down", (10, 0), (4, 0), vec![5, 5], vec![2, 2]),
        ("the rest goes to the newest of equals", (10, 0), (13, 0), vec![5, 5], vec![6, 7]),
        ("the rest goes from the oldest of equals", (10, 0), (5, 0), vec![5, 5], vec![2, 3]),
        ("three up", (10, 0), (20, 0), vec![2, 3, 5], vec![4, 6, 10]),
        ("three, none of them divisible", (10, 0), (11, 0), vec![3, 3, 4], vec![3, 3, 5]),
        ("to nothing", (10, 0), (0, 0), vec![3, 7], vec![0, 0]),
        ("from nothing the newest", (0, 0), (6, 0), vec![0, 0], vec![0, 6]),
        ("with a surge", (10, 2), (20, 4), vec![7, 5], vec![14, 10]),
    ] {
        assert_eq!(scaled(from, to, &sets), expected, "{name}");
    }
}

#[test]
fn a_saturated_new_set_takes_the_old_ones_down() {
    let size = Size { replicas: 5, max_surge: 1, max_unavailable: 0 };
    let mut new = set("new", 2, 5, 5, Some((5, 6)));
    let mut old = [set("old", 1, 2, 2, Some((5, 6)))];
    scaling::scale_in_proportion(&size, false, 7, Some(&mut new), &mut old);
    assert_eq!((old[0].replicas, new.replicas), (0, 5));
}
