//! What readers answer for whole, partial and wrong metadata, and what writers leave behind.

use serde_json::json;

use super::*;

#[test]
fn readers_answer_with_what_is_written() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-1", "generateName": "web-", "namespace": "shop", "uid": "u-1", "resourceVersion": "42",
            "generation": 3, "creationTimestamp": "2026-11-23T10:00:00Z",
            "deletionTimestamp": "2026-11-23T11:00:00Z", "deletionGracePeriodSeconds": 30,
            "labels": {"app": "web", "tier": "front"}, "annotations": {"note": "hello"},
            "finalizers": ["a/b"],
        },
    });
    assert_eq!((api_version(&pod), kind(&pod)), ("v1", "Pod"));
    assert_eq!((name(&pod), generate_name(&pod), namespace(&pod)), ("web-1", "web-", "shop"));
    assert_eq!((uid(&pod), resource_version(&pod), generation(&pod)), ("u-1", "42", 3));
    assert_eq!(creation_timestamp(&pod), Some("2026-11-23T10:00:00Z"));
    assert_eq!(deletion_timestamp(&pod), Some("2026-11-23T11:00:00Z"));
    assert_eq!(deletion_grace_period_seconds(&pod), Some(30));
    assert_eq!(labels(&pod).collect::<Vec<_>>(), [("app", "web"), ("tier", "front")]);
    assert_eq!((label(&pod, "app"), label(&pod, "none")), (Some("web"), None));
    assert_eq!(annotations(&pod).collect::<Vec<_>>(), [("note", "hello")]);
    assert_eq!(annotation(&pod, "note"), Some("hello"));
    assert_eq!(finalizers(&pod).collect::<Vec<_>>(), ["a/b"]);
}

#[test]
fn readers_take_absent_and_wrongly_typed_fields_as_nothing() {
    for object in [
        json!(null),
        json!({}),
        json!({"metadata": "text"}),
        json!({"metadata": {"name": 1, "labels": [], "finalizers": {}, "generation": "x", "ownerReferences": 1}}),
    ] {
        assert_eq!((name(&object), namespace(&object), uid(&object)), ("", "", ""));
        assert_eq!(generation(&object), 0);
        assert_eq!(deletion_timestamp(&object), None);
        assert_eq!(labels(&object).count() + finalizers(&object).count(), 0);
        assert_eq!(controller(&object), None);
    }
}

#[test]
fn writers_make_metadata_and_remove_what_is_set_to_nothing() {
    let mut object = json!(null);
    set_name(&mut object, "a");
    set_namespace(&mut object, "b");
    set_label(&mut object, "k", "v");
    set_annotation(&mut object, "n", "w");
    set_generation(&mut object, 2);
    assert_eq!(
        object,
        json!({"metadata": {"name": "a", "namespace": "b", "labels": {"k": "v"}, "annotations": {"n": "w"}, "generation": 2}})
    );
    set_namespace(&mut object, "");
    assert_eq!(metadata(&object).and_then(|metadata| metadata.get("namespace")), None);
}

#[test]
fn a_finalizer_is_added_once_and_the_empty_list_goes() {
    let mut object = json!({});
    assert!(add_finalizer(&mut object, "x/y"));
    assert!(!add_finalizer(&mut object, "x/y"));
    assert!(add_finalizer(&mut object, "z/z"));
    assert!(remove_finalizer(&mut object, "x/y"));
    assert!(!remove_finalizer(&mut object, "x/y"));
    assert_eq!(object, json!({"metadata": {"finalizers": ["z/z"]}}));
    assert!(remove_finalizer(&mut object, "z/z"));
    assert_eq!(object, json!({"metadata": {}}));
}

#[test]
fn the_controller_is_the_owner_that_says_so() {
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "uid": "u"}});
    let reference = OwnerReference::controller_of(&owner).to_value();
    let pod =
        json!({"metadata": {"ownerReferences": [{"kind": "Node", "name": "n", "uid": "o"}, reference]}});
    assert_eq!(owner_references(&pod).count(), 2);
    let found = controller(&pod).expect("the second owner controls");
    assert_eq!(
        (found.kind, found.name, found.uid, found.block_owner_deletion),
        ("ReplicaSet", "web", "u", true)
    );
}
