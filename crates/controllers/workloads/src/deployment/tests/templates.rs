//! Upstream's tables: which templates are the same, their hashes, and the history of a set.

use super::*;
use k8s_openapi::api::core::v1::PodTemplateSpec;

fn template(name: &str, node: &str, annotation: &str, labels: &Value) -> PodTemplateSpec {
    let annotations = if annotation.is_empty() { json!({}) } else { json!({annotation: "value"}) };
    let metadata = json!({"name": name, "annotations": annotations, "labels": labels});
    serde_json::from_value(json!({"metadata": metadata, "spec": {"nodeName": node, "containers": []}}))
        .unwrap()
}

/// Upstream's `TestEqualIgnoreHash`, each row both ways.
#[test]
fn templates_are_the_same_whatever_their_hash_labels() {
    let both = |hash: &str| json!({HASH_LABEL: hash, "something": "else"});
    let only = |hash: &str| json!({HASH_LABEL: hash});
    let plain = || json!({"something": "else"});
    // name, node, annotation, labels
    for (case, a, b, expected) in [
        ("the same", ("foo", "n", "", both("1")), ("foo", "n", "", both("1")), true),
        ("another hash", ("foo", "n", "", both("1")), ("foo", "n", "", both("2")), true),
        ("no hash", ("foo", "n", "", plain()), ("foo", "n", "", both("2")), true),
        ("a hash for a label", ("foo", "n", "", plain()), ("foo", "n", "", only("2")), false),
        ("a label for a hash", ("foo", "n", "", only("1")), ("foo", "n", "", plain()), false),
        ("one label more", ("foo", "n", "", only("1")), ("foo", "n", "", both("1")), false),
        ("another annotation", ("foo", "n", "former", both("1")), ("foo", "n", "latter", both("1")), false),
        ("another name and hash", ("foo-1", "n", "", both("1")), ("foo-2", "n", "", both("2")), false),
        ("another node", ("foo", "n-1", "", plain()), ("foo", "n-2", "", both("2")), false),
        ("other labels", ("foo", "n-1", "", plain()), ("foo", "n-2", "", json!({"nothing": "else"})), false),
    ] {
        let [a, b] = [a, b].map(|(name, node, annotation, labels)| template(name, node, annotation, &labels));
        assert_eq!(template::is_same(&a, &b), expected, "{case}");
        assert_eq!(template::is_same(&b, &a), expected, "{case}, the other way round");
    }
}

/// Upstream's `TestPodTemplateSpecHash`.
#[test]
fn a_thousand_templates_have_a_thousand_hashes() {
    let hashes: std::collections::BTreeSet<String> = (0..1000)
        .map(|version| {
            template::hash(&deployment(1, &format!("nginx:{version}")).spec.unwrap().template, None)
        })
        .collect();
    assert_eq!(hashes.len(), 1000);
}

#[test]
fn one_template_has_one_hash_and_a_collision_makes_another() {
    let template = deployment(1, "a").spec.unwrap().template;
    let other = deployment(1, "b").spec.unwrap().template;
    let hash = template::hash(&template, None);
    assert_eq!(hash, template::hash(&deployment(9, "a").spec.unwrap().template, None));
    assert_ne!(hash, template::hash(&other, None));
    assert_ne!(hash, template::hash(&template, Some(1)));
    assert!(hash.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte)), "{hash}");
}

#[test]
fn a_history_of_revisions_keeps_within_its_length() {
    let mut set = set::Set::new(Arc::new(ReplicaSet::default()));
    let owner = deployment(1, "a");
    for revision in 1..1000 {
        revision::bring_up_to_date(&mut set, &owner, revision);
        assert_eq!(set.annotation(REVISION), Some(&*revision.to_string()));
    }
    let history = set.annotation(revision::HISTORY).unwrap();
    assert!(history.len() <= 2000 && history.ends_with(",998"), "{history}");
}

#[test]
fn a_revision_that_is_no_number_is_left_alone() {
    let annotated = json!({"metadata": {"annotations": {REVISION: "mine"}}});
    let mut set = set::Set::new(Arc::new(serde_json::from_value(annotated).unwrap()));
    revision::bring_up_to_date(&mut set, &deployment(1, "a"), 5);
    assert_eq!((set.annotation(REVISION), revision::of(&set)), (Some("mine"), 0));
}
