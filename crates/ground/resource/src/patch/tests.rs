//! Tables of patches, the errors of malformed ones, and laws for any JSON.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{GroupVersionKind, Schema};

fn refusal(document: &Value, patch: &Value) -> String {
    super::json(document, patch).unwrap_err().to_string()
}

#[test]
fn json_patches_do_what_the_rfc_says() {
    let document = json!({"a": {"b": [1, 2, 3]}, "c/d": 1, "e~f": 2});
    for (patch, expected) in [
        (
            json!([{"op": "add", "path": "/a/b/1", "value": 9}]),
            json!({"a": {"b": [1, 9, 2, 3]}, "c/d": 1, "e~f": 2}),
        ),
        (
            json!([{"op": "add", "path": "/a/b/-", "value": 4}]),
            json!({"a": {"b": [1, 2, 3, 4]}, "c/d": 1, "e~f": 2}),
        ),
        (json!([{"op": "remove", "path": "/a/b/-1"}]), json!({"a": {"b": [1, 2]}, "c/d": 1, "e~f": 2})),
        (
            json!([{"op": "replace", "path": "/c~1d", "value": 5}]),
            json!({"a": {"b": [1, 2, 3]}, "c/d": 5, "e~f": 2}),
        ),
        (
            json!([{"op": "move", "from": "/e~0f", "path": "/g"}]),
            json!({"a": {"b": [1, 2, 3]}, "c/d": 1, "g": 2}),
        ),
        (
            json!([{"op": "copy", "from": "/a/b", "path": "/a/c"}]),
            json!({"a": {"b": [1, 2, 3], "c": [1, 2, 3]}, "c/d": 1, "e~f": 2}),
        ),
        (
            json!([{"op": "test", "path": "/a/b/0", "value": 1}, {"op": "test", "path": "/z", "value": null}]),
            document.clone(),
        ),
    ] {
        assert_eq!(super::json(&document, &patch), Ok(expected), "{patch}");
    }
}

#[test]
fn json_patches_are_refused_in_upstreams_words() {
    let document = json!({"a": {"b": [1]}});
    for (patch, message) in [
        (json!([{"op": "test", "path": "/a/b/0", "value": 2}]), "testing value /a/b/0 failed: test failed"),
        (
            json!([{"op": "replace", "path": "/x", "value": 1}]),
            "replace operation does not apply: doc is missing key: /x: missing value",
        ),
        (
            json!([{"op": "add", "path": "/x/y", "value": 1}]),
            "add operation does not apply: doc is missing path: \"/x/y\": missing value",
        ),
        (
            json!([{"op": "remove", "path": "/a/x"}]),
            "error in remove for path: '/a/x': Unable to remove nonexistent key: x: missing value",
        ),
        (
            json!([{"op": "add", "path": "/a/b/7", "value": 1}]),
            "error in add for path: '/a/b/7': Unable to access invalid index: 7: invalid index referenced",
        ),
        (json!([{"op": "leap", "path": "/a"}]), "Unexpected kind: leap"),
        (json!([{"op": "remove"}]), "remove operation failed to decode path: missing value"),
    ] {
        assert_eq!(super::json(&document, &patch), Err(PatchError::Unprocessable(message.to_owned())));
    }
    assert!(matches!(super::json(&document, &json!({})), Err(PatchError::Malformed(_))));
    assert!(matches!(super::json(&document, &json!([1])), Err(PatchError::Malformed(_))));
    let many = Value::Array(vec![json!({"op": "test", "path": "/q", "value": null}); 10_001]);
    assert_eq!(super::json(&document, &many), Err(PatchError::TooLarge(10_001)));
}

#[test]
fn copies_of_copies_end() {
    let wrap = [
        json!({"op": "add", "path": "/n", "value": {}}),
        json!({"op": "move", "from": "/a", "path": "/n/a"}),
        json!({"op": "move", "from": "/n", "path": "/a"}),
    ];
    let patch = Value::Array(wrap.iter().cycle().take(9_000).cloned().collect());
    assert!(refusal(&json!({"a": 1}), &patch).contains("too deeply"));
    let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
    assert!(refusal(&json!({"a": [1]}), &Value::Array(vec![double; 200])).contains("accumulated size"));
    let widen = json!({"op": "copy", "from": "/a", "path": "/b/-"});
    let patch = Value::Array(vec![widen; 5_000]);
    assert!(refusal(&json!({"a": "x".repeat(1000), "b": []}), &patch).contains("accumulated size"));
}

#[test]
fn merge_patches_follow_the_rfcs_examples() {
    for (document, patch, expected) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c"]), json!(["c"])),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        assert_eq!(merge(document, &patch), expected, "{patch}");
    }
}

fn pod(spec: &Value) -> Value {
    json!({"metadata": {"name": "p"}, "spec": spec})
}

fn patched(kind: &str, document: &Value, patch: &Value) -> Result<Value, PatchError> {
    let api_version = if kind == "Deployment" { "apps/v1" } else { "v1" };
    let kind = GroupVersionKind::parse(api_version, kind).unwrap();
    strategic(document.clone(), patch, Schema::for_kind(&kind).unwrap())
}

#[track_caller]
fn patches(spec: &Value, patch: &Value, expected: &Value) {
    assert_eq!(patched("Pod", &pod(spec), &json!({"spec": patch})), Ok(pod(expected)));
}

#[test]
fn lists_merge_by_their_key_and_new_items_come_first() {
    patches(
        &json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}),
        &json!({"containers": [{"name": "b", "image": "2"}, {"name": "c", "image": "1"}]}),
        &json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c", "image": "1"}]}),
    );
    patches(
        &json!({"containers": [{"name": "a"}]}),
        &json!({"containers": [{"name": "new", "image": "1", "command": null}]}),
        &json!({"containers": [{"name": "new", "image": "1"}, {"name": "a"}]}),
    );
}

#[test]
fn nulls_delete_and_atomic_lists_are_replaced() {
    patches(
        &json!({"nodeName": "n", "tolerations": [{"key": "a"}], "nodeSelector": {"x": "1", "y": "2"}}),
        &json!({"nodeName": null, "tolerations": [{"key": "b"}], "nodeSelector": {"y": null}, "hostname": null}),
        &json!({"tolerations": [{"key": "b"}], "nodeSelector": {"x": "1"}}),
    );
}

#[test]
fn directives_delete_and_replace_items_and_objects() {
    patches(
        &json!({"containers": [{"name": "a"}, {"name": "b"}]}),
        &json!({"containers": [{"name": "a", "$patch": "delete"}]}),
        &json!({"containers": [{"name": "b"}]}),
    );
    patches(
        &json!({"containers": [{"name": "a"}, {"name": "b"}]}),
        &json!({"containers": [{"$patch": "replace"}, {"name": "c"}]}),
        &json!({"containers": [{"name": "c"}]}),
    );
    patches(
        &json!({"securityContext": {"runAsUser": 1, "fsGroup": 2}}),
        &json!({"securityContext": {"$patch": "replace", "runAsUser": 3}}),
        &json!({"securityContext": {"runAsUser": 3}}),
    );
    patches(
        &json!({"securityContext": {"runAsUser": 1}}),
        &json!({"securityContext": {"$patch": "delete"}}),
        &json!({"securityContext": {}}),
    );
}

#[test]
fn retained_keys_are_all_that_stays() {
    let volume = json!({"volumes": [{"name": "v", "emptyDir": {}}]});
    patches(
        &volume,
        &json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}),
        &json!({"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}),
    );
    let deployment =
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let recreate = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(
        patched("Deployment", &deployment, &recreate),
        Ok(json!({"spec": {"strategy": {"type": "Recreate"}}}))
    );
    let beside = json!({"volumes": [{"name": "v", "$retainKeys": ["name"], "hostPath": {}}]});
    let refused = patched("Pod", &pod(&volume), &json!({"spec": beside}));
    assert_eq!(refused, Err(PatchError::Malformed("invalid patch format of retainKeys".to_owned())));
}

#[test]
fn primitive_lists_merge_and_lose_what_is_deleted() {
    let document = json!({"metadata": {"finalizers": ["a", "b", "c"]}});
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"], "finalizers": ["d", "a"]}});
    assert_eq!(patched("Pod", &document, &patch), Ok(json!({"metadata": {"finalizers": ["d", "a", "c"]}})));
    let absent = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}});
    assert_eq!(patched("Pod", &json!({"metadata": {}}), &absent), Ok(json!({"metadata": {}})));
}

#[test]
fn the_asked_order_holds_and_the_servers_items_keep_theirs() {
    patches(
        &json!({"containers": [{"name": "a"}, {"name": "side"}, {"name": "b"}]}),
        &json!({
            "$setElementOrder/containers": [{"name": "b"}, {"name": "new"}, {"name": "a"}],
            "containers": [{"name": "new", "image": "1"}],
        }),
        &json!({"containers": [{"name": "side"}, {"name": "b"}, {"name": "new", "image": "1"}, {"name": "a"}]}),
    );
    patches(
        &json!({"containers": [{"name": "a"}, {"name": "b"}]}),
        &json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
        &json!({"containers": [{"name": "b"}, {"name": "a"}]}),
    );
    let finalizers = json!({"metadata": {"finalizers": ["x", "y"]}});
    let patch = json!({"metadata": {"$setElementOrder/finalizers": ["z", "y"], "finalizers": ["z"],
        "$deleteFromPrimitiveList/finalizers": ["x"]}});
    assert_eq!(patched("Pod", &finalizers, &patch), Ok(json!({"metadata": {"finalizers": ["z", "y"]}})));
    let crossed = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
        "containers": [{"name": "b"}, {"name": "a"}]}});
    let refused = patched("Pod", &pod(&json!({"containers": []})), &crossed);
    assert!(refused.unwrap_err().to_string().starts_with("The order in patch list"));
}

#[test]
fn what_kubectl_sends_for_a_changed_image_changes_the_image() {
    let live = json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [
        {"name": "app", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}}});
    let patch = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "app"}],
        "containers": [{"name": "app", "image": "a:2"}]}}}});
    let mut expected = live.clone();
    expected["spec"]["template"]["spec"]["containers"][0]["image"] = json!("a:2");
    assert_eq!(patched("Deployment", &live, &patch), Ok(expected));
}

#[test]
fn malformed_strategic_patches_are_refused() {
    let document = pod(&json!({"containers": [{"name": "a"}]}));
    for (patch, message) in [
        (
            json!({"containers": [{"image": "x"}]}),
            "map: {\"image\":\"x\"} does not contain declared merge key: name",
        ),
        (json!({"containers": ["x"]}), "list element types are not identical"),
        (json!({"containers": [["x"]]}), "lists of lists are not supported"),
        (
            json!({"containers": [{"name": "a", "$patch": "merge"}]}),
            "merging lists cannot yet be specified in the patch",
        ),
        (json!({"$patch": "merge"}), "unknown patch type: \"merge\" in map: {\"$patch\":\"merge\"}"),
        (json!({"$setElementOrder/containers": 1}), "invalid patch format of setElementOrder list"),
        (json!({"$deleteFromPrimitiveList/containers": 1}), "invalid patch format of primitive list"),
        (json!({"$retainKeys": 1}), "invalid patch format of retainKeys"),
    ] {
        let refused = patched("Pod", &document, &json!({"spec": patch})).unwrap_err();
        assert_eq!(refused.to_string(), message);
    }
    assert!(patched("Pod", &document, &json!([])).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "spec",
        "containers",
        "name",
        "ports",
        "$patch",
        "$retainKeys",
        "finalizers",
        "metadata",
        "$setElementOrder/containers",
        "$deleteFromPrimitiveList/finalizers",
        "op",
        "path",
        "value",
        "from",
    ];
    let words =
        ["a", "b", "delete", "replace", "merge", "add", "remove", "move", "/spec", "/spec/containers/0", "-"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.to_vec()), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_json_is_patched_or_refused(document in any_json(), patch in any_json()) {
        let _ = super::json(&document, &patch);
        let _ = super::json(&document, &Value::Array(vec![patch.clone()]));
        let _ = merge(document.clone(), &patch);
        if let Ok(result) = patched("Pod", &document, &patch) {
            prop_assert!(result.is_object());
        }
    }

    #[test]
    fn a_merge_patch_twice_is_a_merge_patch_once(document in any_json(), patch in any_json()) {
        let once = merge(document, &patch);
        prop_assert_eq!(merge(once.clone(), &patch), once);
    }
}
