//! The parameters of requests: what upstream refuses, in its words; and what they choose.

use serde_json::{Value, json};

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, Region, config_map, deployment, in_region};

async fn make(region: &Region, names: &[&str]) {
    for name in names {
        let mut map = config_map(name, &json!({}));
        map["metadata"]["labels"] = json!({ "name": name, "all": "yes" });
        region.post(CONFIG_MAPS, &map).await.expect(201);
    }
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().filter_map(|item| item["metadata"]["name"].as_str()).collect()
}

/// Upstream's own cases of invalid ListOptions.
#[test]
fn options_of_a_list_and_of_a_watch_are_refused_in_upstreams_words() {
    let needs = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    let cases = [
        ("resourceVersion=1&resourceVersionMatch=Exact", None),
        ("resourceVersion=0&resourceVersionMatch=NotOlderThan", None),
        (
            "resourceVersionMatch=Exact",
            Some("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".to_owned()),
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            Some("resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"".to_owned()),
        ),
        (
            "resourceVersion=0&resourceVersionMatch=foo",
            Some("resourceVersionMatch: Unsupported value: \"foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"".to_owned()),
        ),
        ("sendInitialEvents=true", Some("sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list".to_owned())),
        ("watch=1&timeoutSeconds=1", None),
        ("watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", None),
        ("watch=1&timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", None),
        (
            "watch=1&resourceVersionMatch=NotOlderThan",
            Some("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided".to_owned()),
        ),
        ("watch=1&sendInitialEvents=true", Some(needs.to_owned())),
        ("watch=1&sendInitialEvents=true&resourceVersionMatch=", Some(needs.to_owned())),
        (
            "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
            Some(format!("[{needs}, resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"]")),
        ),
        (
            "watch=1&sendInitialEvents=true&resourceVersionMatch=incorrect",
            Some(format!("[{needs}, resourceVersionMatch: Unsupported value: \"incorrect\": supported values: \"NotOlderThan\"]")),
        ),
        (
            "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=123",
            Some("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided".to_owned()),
        ),
    ];
    in_region(|region| async move {
        for (query, refusal) in cases {
            let uri = format!("{CONFIG_MAPS}?{query}");
            let Some(why) = refusal else {
                if query.starts_with("watch") {
                    drop(region.watch(&uri).await);
                } else {
                    region.get(&uri).await.expect(200);
                }
                continue;
            };
            let refused = region.get(&uri).await.expect(422);
            assert_eq!(
                refused.message(),
                format!("ListOptions.meta.k8s.io \"\" is invalid: {why}"),
                "{query}"
            );
            assert_eq!(
                (refused.reason(), &refused.body["details"]["kind"]),
                ("Invalid", &json!("ListOptions"))
            );
        }
    });
}

#[test]
fn options_of_a_write_are_refused_in_upstreams_words() {
    in_region(|region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web");
        let dry = "dryRun: Unsupported value: []string{\"Some\"}: supported values: \"All\"";
        let made = region.post(&format!("{DEPLOYMENTS}?dryRun=Some"), &deployment("x", 1)).await.expect(422);
        assert_eq!(made.message(), format!("CreateOptions.meta.k8s.io \"\" is invalid: {dry}"));
        let put = region.put(&format!("{uri}?dryRun=Some"), &deployment("web", 1)).await.expect(422);
        assert_eq!(put.message(), format!("UpdateOptions.meta.k8s.io \"\" is invalid: {dry}"));
        let forced = region.merge(&format!("{uri}?force=true"), &json!({})).await.expect(422);
        assert_eq!(
            forced.message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"
        );
        let unnamed = region.apply(&uri, &deployment("web", 1)).await.expect(422);
        assert_eq!(
            unnamed.message(),
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
        );
        let deleted = region.delete(&format!("{uri}?propagationPolicy=Never")).await.expect(422);
        assert_eq!(
            deleted.message(),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Never\": \
             supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
        );
    });
}

#[test]
fn a_configuration_that_does_not_say_what_it_is_is_refused() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web?fieldManager=team");
        let mut config = deployment("web", 1);
        config["apiVersion"] = json!("apps/v1beta1");
        let other = region.apply(&uri, &config).await.expect(400);
        assert_eq!(other.message(), "invalid object type: apps/v1beta1, Kind=Deployment");
        config
            .as_object_mut()
            .expect("an object")
            .retain(|field, _| field != "apiVersion" && field != "kind");
        let none = region.apply(&uri, &config).await.expect(400);
        assert_eq!(none.message(), "invalid object type: /, Kind=");
    });
}

#[test]
fn a_field_that_cannot_be_selected_by_is_named() {
    in_region(|region| async move {
        let cases = [
            ("/api/v1/pods", "field label not supported: spec.image"),
            ("/apis/batch/v1/jobs", "field label \"spec.image\" not supported for Job"),
            (
                "/apis/apps/v1/deployments",
                "\"spec.image\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
        ];
        for (uri, why) in cases {
            let refused = region.get(&format!("{uri}?fieldSelector=spec.image%3Dx")).await.expect(400);
            assert_eq!(refused.message(), why);
        }
        let named = format!("{CONFIG_MAPS}/a?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D");
        drop(region.watch(&format!("{named}a")).await);
        let other = region.get(&format!("{named}b")).await.expect(400);
        assert_eq!(other.message(), "fieldSelector metadata.name doesn't match requested name");
    });
}

#[test]
fn a_collection_is_deleted_as_its_options_say() {
    in_region(|region| async move {
        make(&region, &["a", "b", "c", "d"]).await;
        let dry =
            region.delete(&format!("{CONFIG_MAPS}?dryRun=All&labelSelector=all%3Dyes")).await.expect(200);
        assert_eq!(names(&dry.body), ["a", "b", "c", "d"]);
        let one = region.delete(&format!("{CONFIG_MAPS}?labelSelector=name%3Db")).await.expect(200);
        assert_eq!((&one.body["kind"], names(&one.body)), (&json!("ConfigMapList"), vec!["b"]));
        let two = region.delete(&format!("{CONFIG_MAPS}?limit=1&labelSelector=all%3Dyes")).await.expect(200);
        assert_eq!(names(&two.body), ["a"]);
        assert!(two.body["metadata"]["continue"].is_string());
        let named =
            region.delete(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Dd")).await.expect(200);
        assert_eq!(names(&named.body), ["d"]);
        assert_eq!(names(&region.get(CONFIG_MAPS).await.expect(200).body), ["c"]);
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let orphaning = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan" });
        region.delete_with(DEPLOYMENTS, &orphaning).await.expect(200);
        let web = region.get(&format!("{DEPLOYMENTS}/web")).await.expect(200);
        assert_eq!(web.body["metadata"]["finalizers"], json!(["orphan"]));
        region.delete(&format!("{CONFIG_MAPS}?resourceVersionMatch=Exact")).await.expect(422);
    });
}

#[test]
fn objects_and_lists_are_read_as_yaml() {
    in_region(|region| async move {
        make(&region, &["a"]).await;
        for (uri, starts) in
            [(format!("{CONFIG_MAPS}/a"), "ConfigMap"), (CONFIG_MAPS.to_owned(), "ConfigMapList")]
        {
            let text = region.text(&uri, "application/yaml").await;
            let object: Value = serde_saphyr::from_str(&text).expect("it is YAML");
            assert_eq!(object["kind"], starts, "{text}");
            assert!(!text.starts_with('{'), "{text}");
        }
        let missing = region.text(&format!("{CONFIG_MAPS}/none"), "application/yaml").await;
        assert!(missing.contains("reason: NotFound"), "{missing}");
    });
}
