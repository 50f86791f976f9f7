//! Upstream's tables: which changes make the ConfigMap be written.

use super::*;

fn namespace(phase: &str) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": "shop"}, "status": {"phase": phase}})).unwrap()
}

fn map(description: Option<&str>, data: &Value) -> ConfigMap {
    let annotations: BTreeMap<&str, &str> = description.map(|text| (DESCRIPTION, text)).into_iter().collect();
    let metadata = json!({"name": ROOT_CERTIFICATE, "namespace": "shop", "annotations": annotations});
    serde_json::from_value(json!({"metadata": metadata, "data": data})).unwrap()
}

#[test]
fn the_map_is_made_where_it_lacks_and_mended_where_it_differs() {
    let (active, terminating) = (namespace("Active"), namespace("Terminating"));
    let there = map(Some(PURPOSE), &json!({FILE: "fake"}));
    let described = map(Some("mine"), &json!({FILE: "fake"}));
    let bare = map(None, &json!({FILE: "fake"}));
    let more = map(Some(PURPOSE), &json!({FILE: "fake", "test": "test"}));
    let other = map(Some(PURPOSE), &json!({FILE: "abc"}));
    let described_again = json!({"annotations": {DESCRIPTION: PURPOSE}});
    for (case, namespace, map, expected) in [
        ("a new namespace", Some(&active), None, json!("create")),
        ("the map deleted", Some(&active), None, json!("create")),
        ("another map deleted or changed", Some(&active), Some(&there), json!(null)),
        (
            "a field added",
            Some(&active),
            Some(&more),
            json!({"metadata": described_again, "data": {"test": null}}),
        ),
        (
            "a field changed",
            Some(&active),
            Some(&other),
            json!({"metadata": described_again, "data": {FILE: "fake"}}),
        ),
        ("not described", Some(&active), Some(&bare), json!({"metadata": described_again})),
        ("described by somebody", Some(&active), Some(&described), json!(null)),
        ("a terminating namespace", Some(&terminating), None, json!(null)),
        ("no namespace", None, None, json!(null)),
    ] {
        let got = match plan(namespace, map, "fake").unwrap() {
            Plan::Nothing => Value::Null,
            Plan::Create(map) => {
                assert_eq!(map.data.unwrap()[FILE], "fake");
                assert_eq!(map.metadata.annotations.unwrap()[DESCRIPTION], PURPOSE);
                "create".into()
            }
            Plan::Change(patch) => patch,
        };
        assert_eq!(got, expected, "{case}");
    }
}
