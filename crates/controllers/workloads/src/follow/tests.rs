//! Whom changes of owners and pods concern, and what they say of expectations.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

impl<O: Resource> Owners<O> for BTreeMap<Key, Arc<O>> {
    fn get(&self, key: &Key) -> Option<Arc<O>> {
        BTreeMap::get(self, key).cloned()
    }

    fn within(&self, namespace: &str) -> Vec<Arc<O>> {
        self.values().filter(|owner| owner.meta().namespace.as_deref() == Some(namespace)).cloned().collect()
    }
}

/// Two owners that select the same, one that does not, one that selects all.
fn owners<O: PodOwner + serde::de::DeserializeOwned>() -> BTreeMap<Key, Arc<O>> {
    let selecting = |app: &str| json!({"matchLabels": {"app": app}});
    let all = [("a", selecting("x")), ("b", selecting("x")), ("c", selecting("y")), ("d", json!({}))];
    let owner = |(name, selector): (&str, Value)| {
        let owner = json!({"metadata": {"name": name, "namespace": "default", "uid": name},
                           "spec": {"selector": selector, "template": {}, "serviceName": ""}});
        (Key::new("default", name), Arc::new(serde_json::from_value(owner).unwrap()))
    };
    all.into_iter().map(owner).collect()
}

fn pod<O: PodOwner>(owner: Option<&str>, app: &str, changes: Value) -> Arc<Pod> {
    let reference = |name: &&str| json!({"apiVersion": "apps/v1", "kind": O::kind(&()), "name": name, "uid": name, "controller": true});
    let owners: Vec<Value> = owner.iter().map(reference).collect();
    let mut pod = json!({"metadata": {"name": "p", "namespace": "default", "uid": "p", "labels": {"app": app},
                                      "ownerReferences": owners}});
    for (key, value) in changes.as_object().unwrap() {
        pod["metadata"][key] = value.clone();
    }
    Arc::new(serde_json::from_value(pod).unwrap())
}

async fn drain(queue: &Queue<Key>) -> Vec<String> {
    let mut keys = Vec::new();
    while let Ok(key) = tokio::time::timeout(Duration::ZERO, queue.next()).await {
        queue.done(&key);
        keys.push(key.name.to_string());
    }
    keys
}

async fn told<O: PodOwner + serde::de::DeserializeOwned>(change: Change<Pod>) -> Vec<String> {
    let (owners, queue, expectations) = (owners::<O>(), Queue::default(), Expectations::default());
    Follower { owners: &owners, queue: &queue, expectations: &expectations }.pod_changed(&change);
    drain(&queue).await
}

async fn cases<O: PodOwner + serde::de::DeserializeOwned>() {
    let none = || json!({});
    let dying = || json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
    let of = |owner| pod::<O>(owner, "x", none());
    let new = |pod| Change::Applied { old: None, new: pod };
    let changed = |old, new| Change::Applied { old: Some(old), new };
    let foreign = {
        let mut pod = of(Some("a")).as_ref().clone();
        pod.metadata.owner_references.as_mut().unwrap()[0].uid = "earlier".to_owned();
        Arc::new(pod)
    };
    let other_kind = {
        let mut pod = of(Some("a")).as_ref().clone();
        pod.metadata.owner_references.as_mut().unwrap()[0].kind = "ReplicaSet".to_owned();
        Arc::new(pod)
    };
    let relabelled = pod::<O>(None, "x", json!({"labels": {"app": "x", "more": "1"}}));
    let cases = [
        ("owned", new(of(Some("a"))), vec!["a"]),
        ("owned by the other", new(of(Some("c"))), vec!["c"]),
        ("owned by an earlier one of that name", new(foreign), vec![]),
        ("owned by another kind", new(other_kind), vec![]),
        ("owned by nobody there is", new(of(Some("nobody"))), vec![]),
        ("owned and on its way out", new(pod::<O>(Some("a"), "x", dying())), vec!["a"]),
        ("an orphan", new(of(None)), vec!["a", "b"]),
        ("an orphan on its way out", new(pod::<O>(None, "x", dying())), vec![]),
        ("an orphan that nobody selects", new(pod::<O>(None, "z", none())), vec![]),
        ("a change", changed(of(Some("a")), of(Some("a"))), vec!["a"]),
        ("an orphan with the same labels", changed(of(None), of(None)), vec![]),
        ("an orphan with others", changed(of(None), relabelled), vec!["a", "b"]),
        ("another owner", changed(of(Some("a")), of(Some("c"))), vec!["a", "c"]),
        ("no owner any more", changed(of(Some("c")), of(None)), vec!["c", "a", "b"]),
        ("its deletion is asked for", changed(of(Some("a")), pod::<O>(Some("a"), "x", dying())), vec!["a"]),
        ("deleted", Change::Deleted { old: of(Some("b")) }, vec!["b"]),
        ("an orphan is deleted", Change::Deleted { old: of(None) }, vec![]),
    ];
    for (what, change, expected) in cases {
        assert_eq!(told::<O>(change).await, expected, "{what}, {}", O::kind(&()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pods_change_concerns_its_owners_and_an_orphans_those_who_select_it() {
    cases::<StatefulSet>().await;
    cases::<DaemonSet>().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_meets_expectations_and_another_owner_of_the_name_starts_afresh() {
    let (owners, queue, expectations) = (owners::<DaemonSet>(), Queue::default(), Expectations::default());
    let follower = Follower { owners: &owners, queue: &queue, expectations: &expectations };
    let key = Key::new("default", "a");
    let pod = || pod::<DaemonSet>(Some("a"), "x", json!({}));
    expectations.expect(&key, 1, [Key::of(pod().as_ref())]);
    follower.pod_changed(&Change::Applied { old: None, new: pod() });
    assert!(!expectations.are_met(&key));
    follower.pod_changed(&Change::Deleted { old: pod() });
    assert!(expectations.are_met(&key));
    expectations.expect(&key, 1, []);
    let old = owners[&key].clone();
    follower.owner_changed(&Change::Applied { old: Some(old.clone()), new: old.clone() });
    assert!(!expectations.are_met(&key));
    let mut another = old.as_ref().clone();
    another.metadata.uid = Some("another".to_owned());
    follower.owner_changed(&Change::Applied { old: Some(old), new: Arc::new(another) });
    assert!(expectations.are_met(&key));
}
