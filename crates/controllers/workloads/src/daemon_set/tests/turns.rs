//! Rolling updates turn by turn: how many pods come and go in each.

use super::*;

fn unavailable(count: Value) -> Value {
    json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": count}}})
}

fn surging(count: Value) -> Value {
    json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": count}}})
}

/// A set on so many nodes, all ready, whose template then changes.
fn updated(nodes: usize, spec: Value) -> Cluster {
    let mut cluster = Cluster::new(json!({})).plain(nodes);
    assert_eq!(cluster.turn(), (nodes, 0));
    cluster.all_ready();
    cluster.change(spec);
    cluster.image("foo2/bar2");
    cluster
}

#[test]
fn so_many_at_a_time_go_and_come_again_until_all_are_new() {
    let mut cluster = updated(5, unavailable(json!(2)));
    for (deleted, created) in [(2, 2), (2, 2), (1, 1), (0, 0)] {
        assert_eq!(cluster.turn(), (0, deleted));
        assert_eq!(cluster.turn(), (created, 0));
        cluster.all_ready();
    }
}

#[test]
fn with_a_surge_new_ones_come_first() {
    let mut cluster = updated(5, surging(json!(2)));
    for turn in [(2, 0), (2, 2), (1, 2), (0, 1)] {
        assert_eq!(cluster.turn(), turn);
        assert_eq!(cluster.turn(), (0, 0));
        cluster.all_ready();
    }
    assert_eq!(cluster.turn(), (0, 0));
}

#[test]
fn a_pod_that_may_no_longer_be_on_its_node_goes_once_enough_others_are_available() {
    let taint = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    let bears =
        json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]});
    let mut cluster =
        Cluster::new(surging(json!(1))).nodes(0..1, json!({}), taint).nodes(1..5, json!({}), json!([]));
    cluster.change(json!({"template": asking(bears)}));
    assert_eq!(cluster.turn(), (5, 0));
    cluster.all_ready();
    cluster.change(json!({"template": asking(json!({}))}));
    for turn in [(1, 1), (1, 1), (1, 1), (1, 1), (0, 1)] {
        assert_eq!(cluster.turn(), turn);
        assert_eq!(cluster.turn(), (0, 0));
        cluster.all_ready();
    }
}

#[test]
fn new_ones_that_are_not_ready_hold_it_up() {
    let mut cluster = updated(5, unavailable(json!(3)));
    for turn in [(0, 3), (3, 0), (0, 0)] {
        assert_eq!(cluster.turn(), turn);
    }
}

#[test]
fn pods_that_are_not_ready_are_replaced_before_others() {
    let mut cluster = updated(5, unavailable(json!(2)));
    for image in ["foo2/bar2", "foo2/bar3"] {
        cluster.image(image);
        for turn in [(0, 2), (2, 0), (0, 0)] {
            assert_eq!(cluster.turn(), turn);
        }
    }
    assert_eq!(cluster.pods.values().filter(|pod| crate::pods::is_ready(pod)).count(), 3);
}

#[test]
fn healthy_old_pods_are_saved_however_often_the_template_changes() {
    let mut cluster = updated(20, unavailable(json!(10)));
    for turn in [(0, 10), (10, 0), (0, 0)] {
        assert_eq!(cluster.turn(), turn);
    }
    let healthy = |cluster: &Cluster| -> Vec<String> {
        let ready = cluster.pods.iter().filter(|(_, pod)| crate::pods::is_ready(pod));
        ready.map(|(name, _)| name.clone()).collect()
    };
    let saved = healthy(&cluster);
    for limit in 0..10 {
        cluster.change(unavailable(json!(limit)));
        cluster.image(&format!("foo2/bar3-{limit}"));
        for turn in [(0, 10), (10, 0), (0, 0)] {
            assert_eq!(cluster.turn(), turn, "{limit}");
        }
        assert_eq!(healthy(&cluster), saved);
    }
    cluster.change(unavailable(json!(11)));
    cluster.image("foo2/bar4");
    for turn in [(0, 11), (11, 0), (0, 0)] {
        assert_eq!(cluster.turn(), turn);
    }
    assert_eq!(healthy(&cluster).len(), 9);
}

#[test]
fn unavailable_old_pods_go_even_when_too_many_new_ones_are_unavailable() {
    let mut cluster = updated(100, unavailable(json!(10)));
    for _ in 0..10 {
        assert_eq!(cluster.turn(), (0, 10));
        assert_eq!(cluster.turn(), (10, 0));
        cluster.all_ready();
    }
    assert_eq!(cluster.turn(), (0, 0));
    let names: Vec<_> = cluster.pods.keys().cloned().collect();
    for (index, name) in names.iter().enumerate() {
        cluster.edit(name, |pod| {
            if index >= 10 {
                pod.status = serde_json::from_value(readiness(None)).unwrap();
            }
            if index < 12 {
                let labels = pod.metadata.labels.as_mut().unwrap();
                labels.insert("controller-revision-hash".to_owned(), "old".to_owned());
            }
        });
    }
    assert_eq!(cluster.turn(), (0, 2));
    assert_eq!(cluster.deleted, names[10..12]);
    assert_eq!(cluster.turn(), (2, 0));
    assert_eq!(cluster.turn(), (0, 0));
}

#[test]
fn old_pods_that_are_all_unavailable_go_at_once() {
    let mut cluster = updated(5, unavailable(json!(3)));
    cluster.set_ready(false, 5, |_| true);
    for turn in [(0, 5), (5, 0), (0, 0)] {
        assert_eq!(cluster.turn(), turn);
    }
}

#[test]
fn a_surge_replaces_unavailable_pods_at_once_and_waits_for_the_time_pods_must_be_ready() {
    let mut cluster = updated(5, surging(json!(3)));
    cluster.set_ready(false, 5, |_| true);
    cluster.now = time(100);
    assert_eq!(cluster.turn(), (5, 0));
    cluster.now = time(200);
    assert_eq!(cluster.turn(), (0, 5));
    cluster.all_ready();
    cluster.change(json!({"minReadySeconds": 15}));
    cluster.image("foo3/bar3");
    cluster.now = time(300);
    assert_eq!(cluster.turn(), (3, 0));
    let hash = cluster.hash();
    let is_new = |pod: &Pod| history::revision_label(&pod.metadata) == hash;
    cluster.set_ready(true, 2, is_new);
    let renewed: Vec<_> = cluster
        .pods
        .values()
        .filter(|pod| is_new(pod))
        .filter_map(|pod| placement::target(pod).map(str::to_owned))
        .collect();
    cluster.set_ready(false, 1, |pod| {
        !is_new(pod) && placement::target(pod).is_some_and(|node| !renewed.iter().any(|it| it == node))
    });
    cluster.now = time(310);
    assert_eq!(cluster.turn(), (1, 0), "one for the pod that is not ready");
    cluster.now = time(320);
    assert_eq!(cluster.turn(), (1, 3));
    cluster.set_ready(true, 3, is_new);
    cluster.now = time(340);
    assert_eq!(cluster.turn(), (0, 2));
    cluster.now = time(350);
    assert_eq!(cluster.turn(), (0, 0));
}

#[test]
fn another_strategy_alone_replaces_nothing() {
    let mut cluster = Cluster::new(json!({})).plain(5);
    assert_eq!(cluster.turn(), (5, 0));
    cluster.change(unavailable(json!(3)));
    assert_eq!(cluster.turn(), (0, 0));
    cluster.change(json!({"updateStrategy": {"type": "OnDelete"}}));
    cluster.image("foo2/bar2");
    assert_eq!(cluster.turn(), (0, 0));
}

#[test]
fn the_bounds_are_numbers_or_shares_of_the_nodes_that_round_up() {
    let size = |max_surge, max_unavailable| Size { max_surge, max_unavailable };
    let both = |surge: Value, missing: Value| json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}});
    let cases = [
        (unavailable(json!(0)), 0, size(0, 0)),
        (unavailable(json!(0)), 2, size(0, 1)),
        (unavailable(json!(1)), 2, size(0, 1)),
        (unavailable(json!("50%")), 2, size(0, 1)),
        (unavailable(json!("50%")), 5, size(0, 3)),
        (unavailable(json!("100%")), 4, size(0, 4)),
        (surging(json!(2)), 2, size(2, 0)),
        (surging(json!("25%")), 2, size(1, 0)),
        (surging(json!("0%")), 2, size(0, 1)),
        (both(json!(1), json!(2)), 4, size(1, 2)),
        (json!({"updateStrategy": {"type": "OnDelete"}}), 4, size(0, 1)),
    ];
    for (spec, desired, expected) in cases {
        assert_eq!(Size::of(&set(spec.clone()), desired), expected, "{spec} of {desired}");
    }
}

#[test]
fn a_surge_deals_with_the_pods_that_are_there() {
    let cluster = Cluster::new(surging(json!(1))).plain(5);
    let cluster = cluster.pods("node-1", "a", 1, json!({})).pods("node-2", "a", 2, json!({}));
    let mut cluster = cluster.pods("node-3", "a", 5, json!({})).pods("node-4", "b", 2, json!({}));
    assert_eq!(cluster.turn(), (2, 5));
}

/// Node 1 with a new pod and two old ones, node 2 with a new one; the names of the old ones.
fn two_old(spec: Value, new: Option<i64>, old: Option<i64>) -> (Cluster, [String; 2]) {
    let mut cluster = Cluster::new(spec).plain(5);
    cluster.one("node-1", false, 100, new);
    let oldest = cluster.one("node-1", true, 50, old);
    let younger = cluster.one("node-1", true, 60, Some(60));
    cluster.one("node-2", false, 100, None);
    (cluster, [oldest, younger])
}

#[test]
fn of_two_old_pods_the_older_stays_as_long_as_it_is_ready_and_the_new_one_is_not_available() {
    let waiting = || {
        let mut spec = surging(json!(1));
        spec["minReadySeconds"] = json!(15);
        spec
    };
    let cases = [
        (surging(json!(1)), 1000, None, Some(50), false),
        (surging(json!(1)), 1000, None, None, true),
        (waiting(), 60, Some(50), Some(50), false),
        (waiting(), 70, Some(50), Some(50), true),
    ];
    for (spec, now, new, old, goes) in cases {
        let (mut cluster, [oldest, younger]) = two_old(spec, new, old);
        cluster.now = time(now);
        let plan = cluster.with(|board| plan::advance(board, &|_| None));
        let mut deleted: Vec<_> = plan.delete.iter().map(|pod| board::name(pod).to_owned()).collect();
        deleted.sort();
        let mut expected = vec![younger];
        expected.extend(goes.then_some(oldest));
        expected.sort();
        assert_eq!((plan.create.len(), deleted), (3, expected), "{now}");
    }
}

#[test]
fn a_node_whose_only_pod_is_being_deleted_gets_another_beyond_the_surge() {
    let mut cluster = Cluster::new(surging(json!(1))).plain(5);
    cluster.one("node-0", false, 100, None);
    cluster.one("node-0", true, 50, Some(50));
    let mut last = String::new();
    for index in 1..5 {
        last = cluster.one(&format!("node-{index}"), true, 1, Some(1));
    }
    cluster.terminate(&last);
    assert_eq!(cluster.turn(), (1, 0));
}
