//! Who owns what after which writes, compared with what upstream records.

use serde_json::json;

use super::*;
use crate::{GroupVersionKind, Schema};

mod laws;

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T12:00:05Z";

fn schema_of(object: &Value) -> SchemaRef<'static> {
    Schema::for_kind_or_custom(&GroupVersionKind::of(object).unwrap())
}

fn author<'a>(manager: &'a str, object: &'a Value) -> Author<'a> {
    let api_version = object["apiVersion"].as_str().unwrap();
    Author { manager, api_version, subresource: "", now: NOW, ignored: &[] }
}

fn created(mut object: Value, manager: &str) -> Value {
    let copy = object.clone();
    update(None, &mut object, schema_of(&copy), &author(manager, &copy));
    object
}

fn updated(live: &Value, manager: &str, now: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut new = live.clone();
    change(&mut new);
    update(Some(live), &mut new, schema_of(live), &Author { now, ..author(manager, live) });
    new
}

fn applied(live: Option<&Value>, config: &Value, manager: &str) -> Value {
    apply(live, config, schema_of(config), &author(manager, config), false).unwrap()
}

fn refused(live: &Value, config: &Value, manager: &str) -> String {
    apply(Some(live), config, schema_of(config), &author(manager, config), false).unwrap_err().to_string()
}

fn forced(live: &Value, config: &Value, manager: &str) -> Value {
    apply(Some(live), config, schema_of(config), &author(manager, config), true).unwrap()
}

/// `fieldsV1` of a manager's entry.
fn owns<'v>(object: &'v Value, manager: &str) -> &'v Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["manager"] == manager);
    &found.unwrap_or_else(|| panic!("{manager} owns nothing in {object:#}"))["fieldsV1"]
}

fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(|entry| entry["manager"].as_str().unwrap()).collect()
}

fn without_owners(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("managedFields");
    object
}

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "d"}, "data": data})
}

#[test]
fn a_created_object_is_owned_as_upstream_writes_it() {
    let mut object = deployment(&json!({
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"restartPolicy": "Always", "containers": [
                {"name": "nginx", "image": "nginx:1", "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {}}]},
        },
    }));
    object["metadata"]["labels"] = json!({"app": "web"});
    object["metadata"]["uid"] = json!("u");
    let object = created(object, "kubectl-create");
    let expected = json!({
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {"k:{\"name\":\"nginx\"}": {
                        ".": {}, "f:image": {}, "f:name": {},
                        "f:ports": {".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}":
                            {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                    }},
                    "f:restartPolicy": {},
                },
            },
        },
    });
    assert_eq!(owns(&object, "kubectl-create"), &expected);
    let entry = &object["metadata"]["managedFields"][0];
    assert_eq!((&entry["operation"], &entry["apiVersion"]), (&json!("Update"), &json!("apps/v1")));
    assert_eq!((&entry["time"], &entry["fieldsType"]), (&json!(NOW), &json!("FieldsV1")));
    assert_eq!(entry.get("subresource"), None);
}

#[test]
fn a_write_that_changes_nothing_leaves_the_owners_alone() {
    let live = created(config_map(&json!({"a": "1"})), "one");
    assert_eq!(updated(&live, "two", LATER, |_| {}), live);
    let without = updated(&live, "two", LATER, |new| *new = without_owners(new.clone()));
    assert_eq!(without, live);
    let server_fields = updated(&live, "two", LATER, |new| new["metadata"]["resourceVersion"] = json!("7"));
    assert_eq!(server_fields["metadata"]["managedFields"], live["metadata"]["managedFields"]);
}

#[test]
fn what_a_manager_changes_becomes_its_own() {
    let live = created(config_map(&json!({"a": "1", "b": "1"})), "one");
    let new = updated(&live, "two", LATER, |new| new["data"]["b"] = json!("2"));
    assert_eq!(owns(&new, "one"), &json!({"f:data": {".": {}, "f:a": {}}}));
    assert_eq!(owns(&new, "two"), &json!({"f:data": {"f:b": {}}}));
    let gone = updated(&new, "three", LATER, |new| {
        new["data"].as_object_mut().unwrap().remove("b");
    });
    assert_eq!(managers(&gone), ["one"]);
}

#[test]
fn a_hot_object_only_gets_a_new_time() {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "n"},
        "spec": {"holderIdentity": "n", "renewTime": "2026-11-23T12:00:00.000000Z"}});
    let live = created(lease, "kubelet");
    let new = updated(&live, "kubelet", LATER, |new| {
        new["spec"]["renewTime"] = json!("2026-11-23T12:00:10.000000Z");
    });
    let mut expected = live["metadata"]["managedFields"].clone();
    expected[0]["time"] = json!(LATER);
    assert_eq!(new["metadata"]["managedFields"], expected);
}

#[test]
fn the_status_subresource_has_entries_of_its_own() {
    let live = created(deployment(&json!({"replicas": 1})), "controller");
    let mut new = live.clone();
    new["status"] = json!({"replicas": 1, "conditions": [{"type": "Available", "status": "True"}]});
    let through_status = Author { subresource: "status", now: LATER, ..author("controller", &live) };
    update(Some(&live), &mut new, schema_of(&live), &through_status);
    assert_eq!(managers(&new), ["controller", "controller"]);
    let entry = &new["metadata"]["managedFields"][1];
    assert_eq!(entry["subresource"], "status");
    assert_eq!(
        entry["fieldsV1"],
        json!({"f:status": {"f:conditions": {".": {}, "k:{\"type\":\"Available\"}":
            {".": {}, "f:status": {}, "f:type": {}}}, "f:replicas": {}}})
    );
}

#[test]
fn entries_are_sorted_by_operation_then_time_then_manager() {
    let live = created(config_map(&json!({"a": "1"})), "z");
    let live = applied(Some(&live), &config_map(&json!({"x": "1"})), "applier");
    let live = updated(&live, "y", LATER, |new| new["data"]["b"] = json!("1"));
    let live = updated(&live, "a", LATER, |new| new["data"]["c"] = json!("1"));
    assert_eq!(managers(&live), ["applier", "z", "a", "y"]);
}

#[test]
fn old_updates_are_merged_beyond_ten() {
    let mut live = created(config_map(&json!({"k0": "v"})), "manager-0");
    for index in 1..14 {
        let now = format!("2026-11-23T13:00:{index:02}Z");
        live = updated(&live, &format!("manager-{index}"), &now, |new| {
            new["data"][format!("k{index}")] = json!("v");
        });
    }
    let names = managers(&live);
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "ancient-changes");
    assert_eq!(
        owns(&live, "ancient-changes"),
        &json!({"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}, "f:k4": {}}})
    );
}

#[test]
fn an_applied_object_is_owned_without_containers() {
    let object = applied(None, &config_map(&json!({"a": "1"})), "applier");
    assert_eq!(owns(&object, "applier"), &json!({"f:data": {"f:a": {}}}));
    assert_eq!(object["metadata"]["managedFields"][0]["operation"], "Apply");
    assert_eq!(without_owners(object), config_map(&json!({"a": "1"})));
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let config = deployment(
        &json!({"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "1"}]}}}),
    );
    let live = applied(None, &config, "applier");
    let later = Author { now: LATER, ..author("applier", &config) };
    assert_eq!(apply(Some(&live), &config, schema_of(&config), &later, false), Ok(live));
}

#[test]
fn a_conflict_names_owner_version_and_path() {
    let live = created(deployment(&json!({"replicas": 1, "paused": false})), "kubectl-client-side-apply");
    let config = deployment(&json!({"replicas": 2}));
    assert_eq!(
        refused(&live, &config, "applier"),
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas"
    );
    let config = deployment(&json!({"replicas": 2, "paused": true}));
    let refusal = apply(Some(&live), &config, schema_of(&config), &author("applier", &config), false);
    let Err(ApplyError::Conflicts(conflicts)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        conflicts.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"kubectl-client-side-apply\" using apps/v1:\n- .spec.paused\n- .spec.replicas"
    );
    let all = conflicts.all();
    assert_eq!(
        (all[1].message().as_str(), all[1].field.as_str()),
        ("conflict with \"kubectl-client-side-apply\" using apps/v1", ".spec.replicas")
    );
    let other = applied(None, &deployment(&json!({"replicas": 1})), "first");
    assert_eq!(
        refused(&other, &deployment(&json!({"replicas": 3})), "second"),
        "Apply failed with 1 conflict: conflict with \"first\": .spec.replicas"
    );
}

#[test]
fn force_takes_the_fields_over() {
    let live = applied(None, &deployment(&json!({"replicas": 1, "paused": true})), "first");
    let new = forced(&live, &deployment(&json!({"replicas": 3})), "second");
    assert_eq!(new["spec"], json!({"replicas": 3, "paused": true}));
    assert_eq!(owns(&new, "first"), &json!({"f:spec": {"f:paused": {}}}));
    assert_eq!(owns(&new, "second"), &json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn the_same_value_is_owned_together_and_removed_by_the_last() {
    let config = config_map(&json!({"shared": "1", "mine": "1"}));
    let live = applied(None, &config, "first");
    let live = applied(Some(&live), &config_map(&json!({"shared": "1"})), "second");
    assert_eq!(owns(&live, "second"), &json!({"f:data": {"f:shared": {}}}));
    let live = applied(Some(&live), &config_map(&json!({})), "first");
    assert_eq!(live["data"], json!({"shared": "1"}));
    let live = applied(
        Some(&live),
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}),
        "second",
    );
    assert_eq!(live["metadata"]["name"], "c");
    assert_eq!(live.get("data").and_then(|data| data.get("shared")), None);
}

#[test]
fn what_is_no_longer_applied_goes_unless_somebody_else_owns_it() {
    let containers =
        |containers: &Value| deployment(&json!({"template": {"spec": {"containers": containers}}}));
    let live = applied(
        None,
        &containers(&json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
        "applier",
    );
    let live = updated(&live, "sidecar", LATER, |new| {
        let items = new["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
        items.push(json!({"name": "s", "image": "1"}));
    });
    let live = applied(Some(&live), &containers(&json!([{"name": "b", "image": "2"}])), "applier");
    assert_eq!(
        live["spec"]["template"]["spec"]["containers"],
        json!([{"name": "b", "image": "2"}, {"name": "s", "image": "1"}])
    );
    assert!(live["metadata"]["managedFields"].as_array().unwrap().len() == 2);
}

#[test]
fn a_scaled_deployment_keeps_its_replicas_when_the_applier_lets_go() {
    let live = applied(None, &deployment(&json!({"replicas": 1, "paused": true})), "applier");
    let live = updated(&live, "autoscaler", LATER, |new| new["spec"]["replicas"] = json!(5));
    assert_eq!(owns(&live, "applier"), &json!({"f:spec": {"f:paused": {}}}));
    let live = applied(Some(&live), &deployment(&json!({"paused": true})), "applier");
    assert_eq!(live["spec"]["replicas"], 5);
}

#[test]
fn ports_of_both_protocols_are_two_items() {
    let service = |ports: &Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}, "spec": {"ports": ports}});
    let live = applied(None, &service(&json!([{"port": 53, "name": "tcp"}])), "one");
    assert!(owns(&live, "one")["f:spec"]["f:ports"].get("k:{\"port\":53,\"protocol\":\"TCP\"}").is_some());
    let live =
        applied(Some(&live), &service(&json!([{"port": 53, "protocol": "UDP", "name": "udp"}])), "two");
    assert_eq!(
        live["spec"]["ports"],
        json!([{"port": 53, "name": "tcp"}, {"port": 53, "protocol": "UDP", "name": "udp"}])
    );
}

#[test]
fn equal_keys_are_spelled_equally() {
    for (key, spelled) in [
        (json!(2.0), "k:{\"a\":2}"),
        (json!(-0.5), "k:{\"a\":-0.5}"),
        (json!("<&>"), "k:{\"a\":\"\\u003c\\u0026\\u003e\"}"),
    ] {
        let element = Element::Key(vec![("a".to_owned(), key)]);
        assert_eq!(element.spelled(), spelled);
        assert_eq!(Element::parse(spelled).map(|element| element.spelled()).as_deref(), Some(spelled));
    }
}

#[test]
fn sets_are_owned_item_by_item_and_atomic_values_as_a_whole() {
    let pod = |finalizers: &Value, tolerations: &Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "finalizers": finalizers},
            "spec": {"tolerations": tolerations}})
    };
    let live = applied(None, &pod(&json!(["a/x"]), &json!([{"key": "k"}])), "one");
    let two = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "finalizers": ["b/y"]}});
    let live = applied(Some(&live), &two, "two");
    assert_eq!(live["metadata"]["finalizers"], json!(["a/x", "b/y"]));
    assert_eq!(owns(&live, "two"), &json!({"f:metadata": {"f:finalizers": {"v:\"b/y\"": {}}}}));
    assert_eq!(
        refused(&live, &pod(&json!(["b/y"]), &json!([{"key": "other"}])), "two"),
        "Apply failed with 1 conflict: conflict with \"one\": .spec.tolerations"
    );
}

#[test]
fn kubectl_takes_over_what_client_side_apply_left() {
    let last_applied = deployment(&json!({"replicas": 1, "paused": true}));
    let mut live = last_applied.clone();
    live["metadata"]["annotations"] = json!({LAST_APPLIED: last_applied.to_string()});
    let live = created(live, "kubectl-client-side-apply");
    let config = deployment(&json!({"replicas": 4}));
    let new = applied(Some(&live), &config, "kubectl");
    assert_eq!(new["spec"]["replicas"], 4);
    assert_eq!(owns(&new, "kubectl"), &json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(new["metadata"]["annotations"][LAST_APPLIED], format!("{config}\n"));
    assert!(refused(&live, &config, "other").contains("kubectl-client-side-apply"));
    let edited = updated(&live, "kubectl-edit", LATER, |new| new["spec"]["replicas"] = json!(9));
    assert_eq!(
        refused(&edited, &config, "kubectl"),
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
    );
}

#[test]
fn an_untracked_object_belongs_to_before_the_first_apply() {
    let live = config_map(&json!({"a": "1", "b": "1"}));
    let untouched = updated(&live, "two", LATER, |new| new["data"]["b"] = json!("2"));
    assert_eq!(managers(&untouched), Vec::<&str>::new());
    let new = applied(Some(&live), &config_map(&json!({"a": "1"})), "applier");
    assert_eq!(managers(&new), ["applier", "before-first-apply"]);
    assert_eq!(owns(&new, "before-first-apply"), &json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}}));
    assert!(refused(&live, &config_map(&json!({"a": "2"})), "applier").contains("before-first-apply"));
}

#[test]
fn clients_may_rewrite_or_reset_the_owners_but_not_through_a_subresource() {
    let live = created(config_map(&json!({"a": "1"})), "old");
    let entries = json!([{"manager": "new", "operation": "Apply", "apiVersion": "v1", "time": NOW, "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:a": {}}}}]);
    let rewrite = |new: &mut Value| new["metadata"]["managedFields"] = entries.clone();
    assert_eq!(updated(&live, "client", LATER, rewrite)["metadata"]["managedFields"], entries);
    for reset in [json!([]), json!([{}])] {
        let new = updated(&live, "client", LATER, |new| new["metadata"]["managedFields"] = reset);
        assert_eq!(new["metadata"].get("managedFields"), None);
    }
    let malformed =
        json!([{"manager": "x", "operation": "Grab", "apiVersion": "v1", "fieldsType": "FieldsV1"}]);
    let new = updated(&live, "client", LATER, |new| new["metadata"]["managedFields"] = malformed);
    assert_eq!(new, live);
    let mut new = live.clone();
    rewrite(&mut new);
    update(Some(&live), &mut new, schema_of(&live), &Author { subresource: "status", ..author("c", &live) });
    assert_eq!(new, live);
}

#[test]
fn a_configuration_that_does_not_fit_is_refused_in_upstreams_words() {
    for (spec, message) in [
        (json!({"replica": 1}), ".spec.replica: field not declared in schema"),
        (
            json!({"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}),
            ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]",
        ),
        (
            json!({"template": {"spec": {"containers": [{"image": "a"}]}}}),
            ".spec.template.spec.containers: element 0: associative list with keys has an element that omits all key fields [\"name\"] (and doesn't have default values for any key fields)",
        ),
        (json!([]), ".spec: expected map, got []"),
    ] {
        let config = deployment(&spec);
        let refusal = apply(None, &config, schema_of(&config), &author("a", &config), false).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): {message}")
        );
    }
    let mut config = config_map(&json!({}));
    config["metadata"]["managedFields"] = json!([]);
    let refusal = apply(None, &config, schema_of(&config), &author("a", &config), false);
    assert_eq!(refusal, Err(ApplyError::Invalid("metadata.managedFields must be nil".to_owned())));
}

#[test]
fn ignored_paths_are_owned_by_nobody() {
    let mut config = deployment(&json!({"replicas": 1}));
    config["status"] = json!({"replicas": 3});
    let main = Author { ignored: &[&["status"]], ..author("a", &config) };
    let object = apply(None, &config, schema_of(&config), &main, false).unwrap();
    assert_eq!(owns(&object, "a"), &json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn the_live_order_of_items_stays_until_the_configuration_says_otherwise() {
    let containers = |names: &[&str]| {
        let items: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": items}})
    };
    for (live, config, expected) in [
        (vec!["a", "b", "c"], vec!["b"], vec!["a", "b", "c"]),
        (vec!["a", "b", "c"], vec!["c", "a"], vec!["b", "c", "a"]),
        (vec!["a", "b"], vec!["x", "b"], vec!["a", "x", "b"]),
        (vec!["a", "b"], vec!["b", "x", "a"], vec!["b", "x", "a"]),
        (vec!["l1", "s", "l2"], vec!["r1", "s", "r2"], vec!["l1", "r1", "s", "l2", "r2"]),
    ] {
        let object = created(containers(&live), "owner");
        let new = applied(Some(&object), &containers(&config), "applier");
        assert_eq!(without_owners(new), containers(&expected), "{live:?} under {config:?}");
    }
}

#[test]
fn a_custom_kind_is_applied_with_granular_maps_and_atomic_lists() {
    let claim = |spec: &Value| json!({"apiVersion": "mainstay.dev/v1alpha1", "kind": "NodeClaim", "metadata": {"name": "n"}, "spec": spec});
    let live =
        applied(None, &claim(&json!({"provider": "embedded", "taints": ["a"], "deep": {"x": 1}})), "one");
    assert_eq!(
        owns(&live, "one"),
        &json!({"f:spec": {"f:provider": {}, "f:taints": {}, "f:deep": {".": {}, "f:x": {}}, ".": {}}})
    );
    let live = applied(Some(&live), &claim(&json!({"deep": {"y": 2}})), "two");
    assert_eq!(live["spec"]["deep"], json!({"x": 1, "y": 2}));
    assert!(refused(&live, &claim(&json!({"taints": ["b"]})), "two").contains(".spec.taints"));
}
