//! Create, get and update.

use http::Method;
use serde_json::json;

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, PODS, config_map, deployment, in_region, pod};

#[test]
fn a_created_object_is_stamped_and_read_back_as_it_was_answered() {
    in_region(|region| async move {
        let created = region.post(CONFIG_MAPS, &config_map("a", &json!({"k": "v"}))).await.expect(201);
        let metadata = &created.body["metadata"];
        assert_eq!(metadata["namespace"], "default");
        assert_eq!(metadata["creationTimestamp"], "2026-11-23T12:00:00Z");
        assert_eq!(metadata["uid"].as_str().expect("a uid").len(), 36);
        assert_eq!(metadata["managedFields"][0]["manager"], "kubectl");
        assert_eq!(metadata["managedFields"][0]["operation"], "Update");
        let read = region.get(&format!("{CONFIG_MAPS}/a")).await.expect(200);
        assert_eq!(read.body, created.body);
    });
}

#[test]
fn a_generated_name_is_appended_and_two_differ() {
    in_region(|region| async move {
        let mut object = config_map("", &json!({}));
        object["metadata"] = json!({ "generateName": "job-" });
        let one = region.post(CONFIG_MAPS, &object).await.expect(201);
        let two = region.post(CONFIG_MAPS, &object).await.expect(201);
        let name = one.body["metadata"]["name"].as_str().expect("a name");
        assert!(name.starts_with("job-") && name.len() == 9, "{name}");
        assert_ne!(one.body["metadata"]["name"], two.body["metadata"]["name"]);
    });
}

#[test]
fn what_cannot_be_created_is_refused_in_upstreams_words() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let twice = region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(409);
        assert_eq!((twice.reason(), twice.message()), ("AlreadyExists", r#"configmaps "a" already exists"#));

        let nowhere =
            region.post("/api/v1/namespaces/x/configmaps", &config_map("a", &json!({}))).await.expect(404);
        assert_eq!(nowhere.message(), r#"namespaces "x" not found"#);

        let mut versioned = config_map("b", &json!({}));
        versioned["metadata"]["resourceVersion"] = json!("1");
        let versioned = region.post(CONFIG_MAPS, &versioned).await.expect(400);
        assert_eq!(versioned.message(), "resourceVersion should not be set on objects to be created");

        let nameless = region.post(CONFIG_MAPS, &config_map("", &json!({}))).await.expect(422);
        assert_eq!(
            nameless.message(),
            r#"ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required"#
        );
        let named = region.post(CONFIG_MAPS, &config_map("No_Such", &json!({}))).await.expect(422);
        assert_eq!(named.body["details"]["causes"][0]["field"], "metadata.name");

        let mut elsewhere = config_map("b", &json!({}));
        elsewhere["metadata"]["namespace"] = json!("kube-system");
        let elsewhere = region.post(CONFIG_MAPS, &elsewhere).await.expect(400);
        assert_eq!(
            elsewhere.message(),
            "the namespace of the provided object does not match the namespace sent on the request"
        );
        region.post(CONFIG_MAPS, &deployment("d", 1)).await.expect(400);
    });
}

#[test]
fn an_update_needs_the_latest_revision_or_none() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web");
        let first = region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let mut next = first.body.clone();
        next["spec"]["replicas"] = json!(2);
        let second = region.put(&uri, &next).await.expect(200);
        assert_ne!(second.revision(), first.revision());

        next["spec"]["replicas"] = json!(3);
        let late = region.put(&uri, &next).await.expect(409);
        assert_eq!(late.reason(), "Conflict");
        assert_eq!(
            late.message(),
            "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; \
             please apply your changes to the latest version and try again"
        );
        next["metadata"].as_object_mut().expect("metadata").remove("resourceVersion");
        region.put(&uri, &next).await.expect(200);

        next["metadata"]["uid"] = json!("another");
        assert!(region.put(&uri, &next).await.expect(409).message().contains("UID in precondition: another"));
        let absent = region.put(&format!("{DEPLOYMENTS}/none"), &deployment("none", 1)).await.expect(404);
        assert_eq!(absent.message(), r#"deployments.apps "none" not found"#);
        let misnamed = region.put(&uri, &deployment("other", 1)).await.expect(400);
        assert_eq!(
            misnamed.message(),
            "the name of the object (other) does not match the name on the URL (web)"
        );
    });
}

#[test]
fn a_write_that_changes_nothing_makes_no_revision() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web");
        let first = region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let before = region.server.store().revision();
        region.world.clock().sleep(std::time::Duration::from_secs(5)).await;
        let same = region.put(&uri, &first.body).await.expect(200);
        assert_eq!(same.body, first.body);
        // What the client left out has its default already.
        region.put(&uri, &deployment("web", 1)).await.expect(200);
        region.merge(&uri, &json!({ "spec": { "replicas": 1 } })).await.expect(200);
        region
            .merge(&format!("{uri}/status"), &json!({ "metadata": { "uid": first.body["metadata"]["uid"] } }))
            .await
            .expect(200);
        assert_eq!(region.server.store().revision(), before);
    });
}

#[test]
fn generation_counts_changes_of_the_spec_alone() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web");
        let first = region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        assert_eq!(first.body["metadata"]["generation"], 1);
        let scaled = region.merge(&uri, &json!({ "spec": { "replicas": 2 } })).await.expect(200);
        assert_eq!(scaled.body["metadata"]["generation"], 2);
        let labelled =
            region.merge(&uri, &json!({ "metadata": { "labels": { "a": "b" } } })).await.expect(200);
        assert_eq!(labelled.body["metadata"]["generation"], 2);
        let forged = region.merge(&uri, &json!({ "metadata": { "generation": 9 } })).await.expect(200);
        assert_eq!(forged.body["metadata"]["generation"], 2);
    });
}

#[test]
fn what_the_server_wrote_into_the_metadata_stays() {
    in_region(|region| async move {
        let uri = format!("{CONFIG_MAPS}/a");
        let first = region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let mut bare = config_map("a", &json!({ "k": "v" }));
        bare["metadata"]["creationTimestamp"] = json!("2000-01-01T00:00:00Z");
        bare["metadata"]["deletionTimestamp"] = json!("2000-01-01T00:00:00Z");
        let second = region.put(&uri, &bare).await.expect(200);
        for field in ["uid", "creationTimestamp"] {
            assert_eq!(second.body["metadata"][field], first.body["metadata"][field]);
        }
        assert_eq!(second.body["metadata"].get("deletionTimestamp"), None);
    });
}

#[test]
fn a_dry_run_answers_as_the_write_would_and_commits_nothing() {
    in_region(|region| async move {
        let before = region.server.store().revision();
        let dry = region.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("web", 1)).await.expect(201);
        assert_eq!(dry.body["spec"]["template"]["spec"]["restartPolicy"], "Always");
        assert_eq!(region.server.store().revision(), before);
        region.get(&format!("{DEPLOYMENTS}/web")).await.expect(404);

        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let before = region.server.store().revision();
        let uri = format!("{DEPLOYMENTS}/web?dryRun=All");
        let patched = region.merge(&uri, &json!({ "spec": { "replicas": 5 } })).await.expect(200);
        assert_eq!(patched.body["spec"]["replicas"], 5);
        region.delete(&uri).await.expect(200);
        region.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("web", 1)).await.expect(409);
        assert_eq!(region.server.store().revision(), before);
        region.get(&format!("{DEPLOYMENTS}?dryRun=Some")).await.expect(200);
        region.post(&format!("{DEPLOYMENTS}?dryRun=Some"), &deployment("x", 1)).await.expect(422);
    });
}

#[test]
fn unknown_and_duplicate_fields_are_refused_warned_about_or_ignored() {
    in_region(|region| async move {
        let text = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},
            "spec":{"containers":[{"name":"a","image":"b","imagee":"c"}],"hostname":"x","hostname":"y"}}"#;
        let send = |mode: &'static str| {
            let region = region.clone();
            async move {
                let uri = format!("{PODS}?dryRun=All&fieldValidation={mode}");
                region.ask(Method::POST, &uri, "application/json", "application/json", text.to_vec()).await
            }
        };
        let strict = send("Strict").await.expect(400);
        assert!(
            strict.message().ends_with(
                "strict decoding error: unknown field \"spec.containers[0].imagee\", duplicate field \"spec.hostname\""
            ),
            "{}",
            strict.message()
        );
        let warned = send("Warn").await.expect(201);
        assert_eq!(warned.warnings[0], r#"299 - "unknown field \"spec.containers[0].imagee\"""#);
        assert_eq!(warned.warnings.len(), 2);
        assert!(send("Ignore").await.expect(201).warnings.is_empty());
        send("Maybe").await.expect(422);
    });
}

#[test]
fn a_body_may_be_yaml_and_nothing_else_but_json() {
    in_region(|region| async move {
        let yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yes\ndata:\n  a: b\n".to_vec();
        let created =
            region.ask(Method::POST, CONFIG_MAPS, "application/yaml", "*/*", yaml.clone()).await.expect(201);
        assert_eq!(created.body["data"], json!({ "a": "b" }));
        assert_eq!(created.body["metadata"]["name"], "yes");
        region.ask(Method::POST, CONFIG_MAPS, "text/plain", "*/*", yaml).await.expect(415);
        region.get_as(CONFIG_MAPS, "text/html").await.expect(406);
        let large = vec![b' '; 4 * 1024 * 1024];
        let large = region.ask(Method::POST, CONFIG_MAPS, "application/json", "*/*", large).await.expect(413);
        assert_eq!(large.reason(), "RequestEntityTooLarge");
        let mut object = pod("big");
        object["spec"]["containers"][0]["args"] = json!(["x".repeat(1_600_000)]);
        region.post(PODS, &object).await.expect(413);
    });
}

#[test]
fn an_event_written_in_one_api_is_read_in_the_other() {
    in_region(|region| async move {
        let event = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "e" },
            "eventTime": "2026-11-23T12:00:00.000000Z", "reportingController": "c", "reportingInstance": "c-1",
            "action": "Binding", "reason": "Scheduled", "note": "Assigned", "type": "Normal",
            "regarding": { "kind": "Pod", "name": "p", "namespace": "default" },
        });
        region.post("/apis/events.k8s.io/v1/namespaces/default/events", &event).await.expect(201);
        let core = region.get("/api/v1/namespaces/default/events/e").await.expect(200);
        assert_eq!(core.body["apiVersion"], "v1");
        assert_eq!(core.body["message"], "Assigned");
        assert_eq!(core.body["involvedObject"]["name"], "p");
        let found = region
            .get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp")
            .await
            .expect(200);
        assert_eq!(found.body["items"].as_array().expect("items").len(), 1);
        let new = region.get("/apis/events.k8s.io/v1/namespaces/default/events").await.expect(200);
        assert_eq!(new.body["items"][0]["note"], "Assigned");
        assert_eq!(new.body["items"][0]["apiVersion"], "events.k8s.io/v1");
    });
}

#[test]
fn a_pod_starts_pending_whatever_its_author_says() {
    in_region(|region| async move {
        let mut object = pod("p");
        object["status"] = json!({ "phase": "Running" });
        let created = region.post(PODS, &object).await.expect(201);
        assert_eq!(created.body["status"]["phase"], "Pending");
        assert_eq!(created.body["status"]["qosClass"], "BestEffort");
    });
}

#[test]
fn a_pod_with_gates_says_that_nobody_places_it_yet() {
    in_region(|region| async move {
        let mut object = pod("p");
        object["spec"]["schedulingGates"] = json!([{ "name": "example.com/wait" }]);
        let created = region.post(PODS, &object).await.expect(201);
        let condition = &created.body["status"]["conditions"][0];
        assert_eq!((&condition["type"], &condition["status"]), (&json!("PodScheduled"), &json!("False")));
        assert_eq!(condition["reason"], "SchedulingGated");
        assert_eq!(condition["message"], "Scheduling is blocked due to non-empty scheduling gates");
    });
}

#[test]
fn a_value_of_another_type_is_never_stored() {
    in_region(|region| async move {
        let mut object = deployment("web", 1);
        object["spec"]["replicas"] = json!("3");
        for mode in ["Strict", "Warn", "Ignore"] {
            let refused =
                region.post(&format!("{DEPLOYMENTS}?fieldValidation={mode}"), &object).await.expect(400);
            assert!(
                refused.message().ends_with(
                    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
                ),
                "{}",
                refused.message()
            );
        }
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web");
        for status in [json!("x"), json!({ "replicas": "1" })] {
            region.merge(&format!("{uri}/status"), &json!({ "status": status })).await.expect(400);
        }
        let operations = json!([{ "op": "replace", "path": "/spec", "value": [] }]);
        region.patch(&uri, "application/json-patch+json", &operations).await.expect(400);
        let config = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "paused": 1 } });
        region.apply(&format!("{uri}?fieldManager=team"), &config).await.expect(400);
        let many = json!({ "spec": { "replicas": 3_000_000_000_i64 } });
        region.merge(&uri, &many).await.expect(400);
        let secret = json!({ "metadata": { "name": "s" }, "data": { "a": "not base64!" } });
        let refused = region.post("/api/v1/namespaces/default/secrets", &secret).await.expect(400);
        assert_eq!(
            refused.message(),
            "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 3"
        );
    });
}
