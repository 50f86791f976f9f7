//! Upstream's tables over the sets of one Deployment: which is the current one, which pods still run,
//! which history goes, and the way back.

use super::*;
use crate::deployment::revision::{REVISION, ROLLBACK_TO};
use serde_json::json;

fn deployment(spec: &Value, annotations: &Value) -> Deployment {
    let mut object = json!({
        "metadata": {"name": "foo", "namespace": "default", "uid": "deployment", "resourceVersion": "7",
                     "annotations": annotations},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"foo": "bar"}}, "template": template("nginx")},
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn template(container: &str) -> Value {
    json!({"metadata": {"labels": {"foo": "bar"}}, "spec": {"containers": [{"name": container, "image": "nginx"}]}})
}

/// A set made in this minute: its size, its pods, its revision and its container.
fn set(name: &str, minute: i64, sizes: (i32, i32), revision: &str, container: &str) -> Arc<ReplicaSet> {
    let mut template = template(container);
    template["metadata"]["labels"]["pod-template-hash"] = json!(name);
    let annotations = if revision.is_empty() { json!({}) } else { json!({REVISION: revision}) };
    let made = Timestamp::from_second(1_767_225_600 + 60 * minute).unwrap();
    let object = json!({
        "metadata": {"name": name, "uid": name, "annotations": annotations, "creationTimestamp": made.to_string()},
        "spec": {"replicas": sizes.0, "selector": {}, "template": template},
        "status": {"replicas": sizes.1},
    });
    Arc::new(serde_json::from_value(object).unwrap())
}

fn found(sets: &[Arc<ReplicaSet>]) -> (Option<String>, Vec<String>) {
    let deployment = deployment(&json!({}), &json!({}));
    let now = Timestamp::UNIX_EPOCH;
    let mut step = Step::new(View { deployment: &deployment, sets, pods: &[], now });
    step.find_new(false);
    let name = |set: &Set| set.name().to_owned();
    (step.new.as_ref().map(name), step.old.iter().map(name).collect())
}

#[test]
fn the_oldest_set_of_the_current_template_is_the_new_one_and_all_others_are_old() {
    let old = set("old", -1, (1, 0), "", "nginx-old-1");
    let (new, twin) = (set("new", 1, (1, 0), "", "nginx"), set("twin", 0, (1, 0), "", "nginx"));
    for (case, sets, expected) in [
        ("another hash, the same template", vec![new.clone(), old.clone()], (Some("new"), vec!["old"])),
        (
            "two of one template",
            vec![new.clone(), old.clone(), twin.clone()],
            (Some("twin"), vec!["old", "new"]),
        ),
        (
            "two of one template, otherwise sorted",
            vec![old.clone(), new.clone(), twin],
            (Some("twin"), vec!["old", "new"]),
        ),
        ("none", vec![old], (None, vec!["old"])),
        ("no old one", vec![new], (Some("new"), vec![])),
    ] {
        let (new, old) = found(&sets);
        assert_eq!((new.as_deref(), old.iter().map(String::as_str).collect::<Vec<_>>()), expected, "{case}");
    }
}

/// Upstream's `TestOldPodsRunning`: pods by the uid of their set, with their phases.
#[test]
fn a_pod_of_an_old_set_holds_a_recreation_up_until_it_has_ended() {
    let empty = || vec![set("rs-1", 0, (0, 0), "", "other")];
    for (case, sets, pods, expected) in [
        ("no old sets", vec![], vec![], false),
        ("running pods", empty(), vec![("some-uid", ""), ("other-uid", "")], true),
        ("status replicas without pods", vec![set("rs-1", 0, (0, 1), "", "other")], vec![], true),
        ("neither", empty(), vec![], false),
        ("ended pods", empty(), vec![("uid-1", "Failed"), ("uid-1", "Succeeded")], false),
        ("a pod nobody hears of", empty(), vec![("uid-1", "Unknown")], true),
        ("a pending pod", empty(), vec![("uid-1", "Pending")], true),
        ("a running pod", empty(), vec![("uid-1", "Running")], true),
        (
            "ended ones and a pending one",
            empty(),
            vec![("uid-1", "Failed"), ("uid-1", "Succeeded"), ("uid-3", "Pending")],
            true,
        ),
    ] {
        let pods: Vec<Arc<Pod>> = pods
            .into_iter()
            .map(|(uid, phase)| {
                let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": uid, "uid": uid, "controller": true});
                let status = if phase.is_empty() { json!({}) } else { json!({"phase": phase}) };
                let object = json!({"metadata": {"name": uid, "ownerReferences": [owner]}, "status": status});
                Arc::new(serde_json::from_value(object).unwrap())
            })
            .collect();
        let deployment = deployment(&json!({"strategy": {"type": "Recreate"}}), &json!({}));
        let now = Timestamp::UNIX_EPOCH;
        let mut step = Step::new(View { deployment: &deployment, sets: &sets, pods: &pods, now });
        step.find_new(false);
        assert_eq!(step.has_old_pods(), expected, "{case}");
    }
}

fn cleared(limit: i32, sets: &[Arc<ReplicaSet>]) -> Vec<String> {
    let deployment = deployment(&json!({"revisionHistoryLimit": limit}), &json!({}));
    let now = Timestamp::UNIX_EPOCH;
    let mut step = Step::new(View { deployment: &deployment, sets, pods: &[], now });
    step.clear_history();
    step.delete.iter().filter_map(|set| set.metadata.name.clone()).collect()
}

#[test]
fn only_empty_sets_beyond_the_limit_are_cleared_away() {
    let sets = |sizes: &[(i32, i32)]| -> Vec<_> {
        let named = sizes.iter().zip(1..);
        named.map(|(sizes, index)| set(&format!("foo-{index}"), index, *sizes, "", "old")).collect()
    };
    let mut dying = ReplicaSet::clone(&set("foo-1", 0, (0, 0), "", "old"));
    dying.metadata.deletion_timestamp = dying.metadata.creation_timestamp.clone();
    for (limit, sets, expected) in [
        (1, sets(&[(0, 0); 3]), 2),
        (0, sets(&[(0, 0), (0, 1), (1, 0), (1, 1)]), 1),
        (0, sets(&[(0, 0); 2]), 2),
        (0, sets(&[(1, 1); 2]), 0),
        (0, vec![Arc::new(dying)], 0),
        (i32::MAX, sets(&[(0, 0); 3]), 0),
    ] {
        assert_eq!(cleared(limit, &sets).len(), expected, "{limit} {sets:?}");
    }
}

#[test]
fn the_lowest_revisions_are_cleared_away_first() {
    // The revisions of the sets in the order they were made, and how many pods each has.
    for (limit, sets, expected) in [
        (1, vec![("1", 0), ("2", 0)], vec!["foo-1"]),
        (1, vec![("2", 0), ("1", 0)], vec!["foo-2"]),
        (1, vec![("1", 0), ("", 0)], vec!["foo-2"]),
        (1, vec![("", 0), ("2", 0)], vec!["foo-1"]),
        (1, vec![("1", 1), ("2", 0), ("3", 0)], vec!["foo-2"]),
        (1, vec![("1", 1), ("2", 1), ("3", 0)], vec![]),
        (2, vec![("3", 0), ("1", 0), ("4", 0), ("2", 0)], vec!["foo-2", "foo-4"]),
    ] {
        let made: Vec<_> = sets
            .iter()
            .zip(1..)
            .map(|((revision, pods), index)| {
                set(&format!("foo-{index}"), index, (*pods, *pods), revision, "old")
            })
            .collect();
        assert_eq!(cleared(limit, &made), expected, "{sets:?}");
    }
}

/// A Deployment at revision 3 of three, asked to go back.
fn rolled_back(to: &str) -> (Plan, Deployment) {
    let annotations =
        json!({ROLLBACK_TO: to, REVISION: "3", "kubernetes.io/change-cause": "third", "mine": "x"});
    let deployment = deployment(&json!({}), &annotations);
    let mut first = ReplicaSet::clone(&set("first", 1, (0, 0), "1", "one"));
    let cause = ("kubernetes.io/change-cause".to_owned(), "first".to_owned());
    first.metadata.annotations.get_or_insert_default().extend([cause]);
    let sets = [Arc::new(first), set("second", 2, (0, 0), "2", "two"), set("third", 3, (1, 1), "3", "nginx")];
    let plan = advance(View { deployment: &deployment, sets: &sets, pods: &[], now: Timestamp::UNIX_EPOCH });
    (plan, deployment)
}

#[test]
fn the_way_back_takes_the_old_template_and_its_annotations_and_is_asked_for_once() {
    for (to, container, revision) in [("0", "two", 2), ("1", "one", 1), ("2", "two", 2)] {
        let (plan, _) = rolled_back(to);
        let rollback = plan.rollback.unwrap();
        let message = format!("Rolled back deployment \"foo\" to revision {revision}");
        assert_eq!(rollback.notice, Notice::normal("DeploymentRollback", message));
        assert_eq!(rollback.patch["spec"]["template"]["spec"]["containers"][0]["name"], container);
        assert!(rollback.patch["spec"]["template"].get("metadata").is_none(), "the hash is no part of it");
        let metadata = &rollback.patch["metadata"];
        let cause = if revision == 1 { json!("first") } else { Value::Null };
        let expected = json!({ROLLBACK_TO: null, "kubernetes.io/change-cause": cause, "mine": null});
        assert_eq!((&metadata["annotations"], &metadata["resourceVersion"]), (&expected, &json!("7")));
    }
}

/// Upstream's `TestReentrantRollback`: no set is touched before the Deployment is.
#[test]
fn no_set_is_scaled_while_the_way_back_is_asked_for() {
    let (plan, _) = rolled_back("0");
    let touched: Vec<_> = plan.update.iter().map(|update| &update.patch).collect();
    assert!(touched.iter().all(|patch| patch.get("spec").is_none()), "{touched:?}");
    assert!(plan.create.is_none() && plan.delete.is_empty());
}

#[test]
fn a_way_back_to_nowhere_is_told_and_given_up() {
    let only_the_annotation =
        json!({"metadata": {"resourceVersion": "7", "annotations": {ROLLBACK_TO: null}}});
    for (to, reason, message) in [
        ("9", "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to."),
        (
            "3",
            "DeploymentRollbackTemplateUnchanged",
            "The rollback revision contains the same template as current deployment \"foo\"",
        ),
    ] {
        let (plan, _) = rolled_back(to);
        let rollback = plan.rollback.unwrap();
        assert_eq!(rollback.notice, Notice::warning(reason, message));
        assert_eq!(rollback.patch, only_the_annotation);
    }
    let alone = deployment(&json!({}), &json!({ROLLBACK_TO: "0"}));
    let plan = advance(View { deployment: &alone, sets: &[], pods: &[], now: Timestamp::UNIX_EPOCH });
    let notice = plan.rollback.unwrap().notice;
    assert_eq!(
        notice,
        Notice::warning("DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
    );
}

#[test]
fn what_is_no_number_asks_for_nothing() {
    assert!(rolled_back("oops").0.rollback.is_none());
    assert!(rolled_back("").0.rollback.is_none());
}
