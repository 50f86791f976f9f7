//! Tests of the plugins: upstream's own cases, as tables.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

use mainstay_store::{Change, Expect, Write};
use serde_json::json;

use super::*;
use crate::tags;

async fn store(resource: &str, objects: &[Value]) -> Store {
    let store = Store::in_memory(None);
    for object in objects {
        let key = Key::new(resource, meta::namespace(object), meta::name(object));
        let change = Change::Put(encode::draft(object), tags::of(resource, object));
        store.commit(Write { key, expect: Expect::Any, change }).await.expect("the store is in memory");
    }
    store
}

fn class(name: &str, value: i64, is_default: bool, preemption: Option<&str>) -> Value {
    let mut class = json!({ "kind": "PriorityClass", "metadata": { "name": name }, "value": value, "globalDefault": is_default });
    if let Some(policy) = preemption {
        class["preemptionPolicy"] = json!(policy);
    }
    class
}

const CLASSES: &str = "scheduling.k8s.io/priorityclasses";

#[tokio::test]
async fn a_pods_priority_is_that_of_its_class() {
    const PREEMPTING: &str = "PreemptLowerPriority";
    let critical = || class("system-cluster-critical", 2_000_000_000, false, None);
    let default1 = || class("default1", 1000, true, None);
    let default2 = || class("default2", 2000, true, None);
    let plain = || class("nondefault1", 2000, false, None);
    let never = || class("never", 2000, false, Some("Never"));
    let preempting = || class("preempting", 2000, false, Some(PREEMPTING));
    let missing = "no PriorityClass with name";
    let not_given = "the integer value of priority (1000) must not be provided in pod spec; priority admission \
                     controller computed 2000 from the given PriorityClass name";
    let other_policy = "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; \
                        priority admission controller computed Never from the given PriorityClass name";
    let cases = [
        (
            "of its class",
            vec![default1(), plain()],
            json!({ "priorityClassName": "default1" }),
            Ok((1000, "")),
        ),
        ("of the default", vec![default1()], json!({}), Ok((1000, ""))),
        ("of no class", vec![], json!({}), Ok((0, PREEMPTING))),
        ("of no default", vec![plain()], json!({}), Ok((0, PREEMPTING))),
        (
            "the system's",
            vec![critical()],
            json!({ "priorityClassName": "system-cluster-critical" }),
            Ok((2_000_000_000, "")),
        ),
        ("of a missing one", vec![default1()], json!({ "priorityClassName": "none" }), Err(missing)),
        (
            "given, and another",
            vec![class("default1", 2000, true, None)],
            json!({ "priorityClassName": "default1", "priority": 1000 }),
            Err(not_given),
        ),
        ("given, and equal", vec![plain()], json!({ "priority": 0 }), Ok((0, PREEMPTING))),
        ("given, and the default's", vec![default2()], json!({ "priority": 2000 }), Ok((2000, ""))),
        (
            "given, and the class's",
            vec![critical()],
            json!({ "priorityClassName": "system-cluster-critical", "priority": 2_000_000_000 }),
            Ok((2_000_000_000, "")),
        ),
        (
            "a policy of the class",
            vec![never()],
            json!({ "priorityClassName": "never", "priority": 2000 }),
            Ok((2000, "Never")),
        ),
        (
            "a policy given, and equal",
            vec![preempting()],
            json!({ "priorityClassName": "preempting", "preemptionPolicy": PREEMPTING }),
            Ok((2000, PREEMPTING)),
        ),
        (
            "a policy given, and another",
            vec![never()],
            json!({ "priorityClassName": "never", "preemptionPolicy": PREEMPTING }),
            Err(other_policy),
        ),
        ("of the lowest default", vec![default2(), default1()], json!({}), Ok((1000, ""))),
    ];
    for (what, classes, spec, expected) in cases {
        let store = store(CLASSES, &classes).await;
        let mut pod = json!({ "metadata": { "name": "web" }, "spec": spec });
        match (priority::admit(&store, &mut pod), expected) {
            (Ok(()), Ok((value, policy))) => {
                assert_eq!(pod["spec"]["priority"], value, "{what}");
                assert_eq!(pod["spec"]["preemptionPolicy"].as_str().unwrap_or_default(), policy, "{what}");
            }
            (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{what}: {why}"),
            (got, _) => panic!("{what}: {got:?}"),
        }
    }
}

#[tokio::test]
async fn one_class_at_most_is_the_default() {
    let store = store(CLASSES, &[class("a", 1, true, None)]).await;
    assert_eq!(priority::admit_class(&store, &class("a", 1, true, None)), Ok(()));
    assert_eq!(priority::admit_class(&store, &class("b", 1, false, None)), Ok(()));
    assert_eq!(
        priority::admit_class(&store, &class("b", 1, true, None)),
        Err("PriorityClass a is already marked as default. Only one default can exist".to_owned())
    );
}

#[test]
fn a_pod_stays_five_minutes_on_a_node_that_is_gone_unless_it_says_otherwise() {
    let gone = |name: &str| json!({ "key": format!("node.kubernetes.io/{name}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
    let (not_ready, unreachable) = (gone("not-ready"), gone("unreachable"));
    let own = |name: &str, effect: &str| json!({ "key": format!("node.kubernetes.io/{name}"), "operator": "Exists", "effect": effect, "tolerationSeconds": 700 });
    let other = json!({ "key": "foo", "operator": "Equal", "value": "bar", "effect": "NoSchedule", "tolerationSeconds": 700 });
    let all = json!({ "operator": "Exists", "tolerationSeconds": 700 });
    let cases = [
        (json!([]), json!([not_ready, unreachable])),
        (json!([other]), json!([other, not_ready, unreachable])),
        (json!([own("not-ready", "NoExecute")]), json!([own("not-ready", "NoExecute"), unreachable])),
        (json!([own("unreachable", "NoExecute")]), json!([own("unreachable", "NoExecute"), not_ready])),
        (
            json!([own("not-ready", "NoExecute"), own("unreachable", "NoExecute")]),
            json!([own("not-ready", "NoExecute"), own("unreachable", "NoExecute")]),
        ),
        (json!([own("unreachable", "")]), json!([own("unreachable", ""), not_ready])),
        (json!([all]), json!([all])),
    ];
    for (given, expected) in cases {
        let mut pod = json!({ "spec": { "tolerations": given } });
        tolerations::admit(&mut pod);
        assert_eq!(pod["spec"]["tolerations"], expected, "{given}");
    }
}

#[tokio::test]
async fn a_claim_without_a_class_gets_the_default_one() {
    let class = |name: &str, made: u32, is_default: Option<&str>| {
        let mut class = json!({ "metadata": { "name": name, "creationTimestamp": format!("2022-01-01T00:00:0{made}Z") } });
        if let Some(value) = is_default {
            class["metadata"]["annotations"] = json!({ DEFAULT_CLASS: value });
        }
        class
    };
    let plain = || [class("false", 0, Some("false")), class("none", 0, None), class("empty", 0, Some(""))];
    let one = class("default1", 0, Some("true"));
    let two = class("default2", 0, Some("true"));
    let newer = class("z-newer", 1, Some("true"));
    let cases = [
        (vec![], json!({}), ""),
        (vec![&one], json!({}), "default1"),
        (vec![&one], json!({ "storageClassName": "" }), ""),
        (vec![&one], json!({ "storageClassName": "foo" }), "foo"),
        (vec![&one, &two], json!({ "storageClassName": "" }), ""),
        (vec![&one, &two], json!({ "storageClassName": "foo" }), "foo"),
        (vec![&two, &one], json!({}), "default1"),
        (vec![&one, &newer], json!({}), "z-newer"),
    ];
    for (defaults, spec, expected) in cases {
        let classes: Vec<Value> = defaults.into_iter().cloned().chain(plain()).collect();
        let store = store("storage.k8s.io/storageclasses", &classes).await;
        let mut claim = json!({ "metadata": { "name": "c" }, "spec": spec });
        storage::give_class(&store, &mut claim);
        assert_eq!(claim["spec"]["storageClassName"].as_str().unwrap_or_default(), expected, "{spec}");
    }
}

#[test]
fn a_new_node_is_kept_free_until_it_is_ready() {
    let taint = json!({ "key": "node.kubernetes.io/not-ready", "effect": "NoSchedule" });
    let own = json!({ "key": "mine", "effect": "NoSchedule" });
    let unready = json!({ "conditions": [{ "type": "Ready", "status": "False" }] });
    for (node, expected) in [
        (json!({}), json!([taint])),
        (json!({ "spec": { "taints": [taint] } }), json!([taint])),
        (json!({ "status": unready }), json!([taint])),
        (json!({ "spec": { "taints": null } }), json!([taint])),
        (json!({ "spec": { "taints": [own] } }), json!([own, taint])),
    ] {
        let mut admitted = node;
        taints::admit(&mut admitted);
        assert_eq!(admitted["spec"]["taints"], expected);
    }
}

#[test]
fn claims_and_volumes_are_kept_while_they_are_used() {
    for finalizer in [storage::PROTECTED_CLAIM, storage::PROTECTED_VOLUME] {
        let cases = [
            (json!([]), json!([finalizer])),
            (json!([finalizer]), json!([finalizer])),
            (json!(["mine"]), json!(["mine", finalizer])),
        ];
        for (given, expected) in cases {
            let mut object = json!({ "metadata": { "name": "a", "finalizers": given } });
            storage::protect(&mut object, finalizer);
            assert_eq!(object["metadata"]["finalizers"], expected);
        }
    }
}

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn run(account: Value, spec: Value) -> Value {
    let mut account = account;
    account["metadata"] = json!({ "name": "default" });
    let mut pod = json!({ "metadata": { "name": "web" }, "spec": spec });
    service_account::run_as(&mut pod, &account, &|| "abcde".to_owned());
    pod["spec"].take()
}

#[test]
fn a_pod_mounts_the_token_of_its_account() {
    let spec = run(json!({}), json!({ "containers": [{}, {}], "initContainers": [{}] }));
    let mount = json!([{ "name": "kube-api-access-abcde", "readOnly": true, "mountPath": MOUNT }]);
    for container in ["/containers/0", "/containers/1", "/initContainers/0"] {
        assert_eq!(spec.pointer(container).expect(container)["volumeMounts"], mount);
    }
    assert_eq!(
        spec["volumes"],
        json!([{ "name": "kube-api-access-abcde", "projected": { "defaultMode": 420, "sources": [
            { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
            { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [{ "path": "namespace",
                "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }] } },
        ] } }])
    );
    assert_eq!(
        (&spec["serviceAccountName"], &spec["serviceAccount"]),
        (&json!("default"), &json!("default"))
    );
    assert!(spec.get("imagePullSecrets").is_none());
}

#[test]
fn a_token_is_mounted_unless_the_pod_or_else_its_account_says_no() {
    let says = |value: Option<bool>| {
        value.map_or_else(|| json!({}), |value| json!({ "automountServiceAccountToken": value }))
    };
    for (pod, account, expected) in [
        (None, None, true),
        (None, Some(false), false),
        (None, Some(true), true),
        (Some(false), None, false),
        (Some(false), Some(true), false),
        (Some(true), Some(false), true),
    ] {
        let mut spec = says(pod);
        spec["containers"] = json!([{}]);
        let spec = run(says(account), spec);
        assert_eq!(spec.get("volumes").is_some(), expected, "{pod:?} {account:?}");
    }
}

#[test]
fn what_is_mounted_at_the_tokens_place_stays_there() {
    let own = json!([{ "name": "my-own", "mountPath": MOUNT }]);
    let volumes = json!([{ "name": "my-own" }]);
    let spec = run(json!({}), json!({ "containers": [{ "volumeMounts": own }], "volumes": volumes }));
    assert_eq!((&spec["containers"][0]["volumeMounts"], &spec["volumes"]), (&own, &volumes));
    // A volume of such a name is used, not added again.
    let volumes = json!([{ "name": "kube-api-access-xyz" }]);
    let spec = run(json!({}), json!({ "containers": [{}], "volumes": volumes }));
    assert_eq!(spec["containers"][0]["volumeMounts"][0]["name"], "kube-api-access-xyz");
    assert_eq!(spec["volumes"], volumes);
}

#[test]
fn a_pod_without_pull_secrets_gets_those_of_its_account() {
    let account = json!({ "imagePullSecrets": [{ "name": "foo" }, { "name": "bar" }] });
    assert_eq!(
        run(account.clone(), json!({ "containers": [] }))["imagePullSecrets"],
        json!([{ "name": "foo" }, { "name": "bar" }])
    );
    let own = json!({ "containers": [], "imagePullSecrets": [{ "name": "mine" }] });
    assert_eq!(run(account, own)["imagePullSecrets"], json!([{ "name": "mine" }]));
}

#[test]
fn what_the_cluster_cannot_be_without_is_not_ended() {
    let why = "this namespace may not be deleted";
    for (name, expected) in
        [("default", Err(why)), ("kube-system", Err(why)), ("kube-public", Err(why)), ("shop", Ok(()))]
    {
        assert_eq!(namespace::may_end(name), expected, "{name}");
    }
    let why = "this is a system priority class and cannot be deleted";
    assert_eq!(priority::may_end("system-node-critical"), Err(why));
    assert_eq!(priority::may_end("high"), Ok(()));
}
