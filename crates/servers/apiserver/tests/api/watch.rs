//! Watches: what is seen, in which order, and how they end.

use std::time::Duration;

use serde_json::json;

use crate::region::{CONFIG_MAPS, PODS, config_map, in_region, pod};

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

#[test]
fn a_watch_without_a_revision_begins_with_what_is_there() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let mut watch = region.watch(&format!("{CONFIG_MAPS}?watch=1")).await;
        assert_eq!(watch.step().await, pair("ADDED", "a"));
        region.post(CONFIG_MAPS, &config_map("b", &json!({}))).await.expect(201);
        region.merge(&format!("{CONFIG_MAPS}/a"), &json!({ "data": { "k": "v" } })).await.expect(200);
        region.delete(&format!("{CONFIG_MAPS}/b")).await.expect(200);
        assert_eq!(watch.step().await, pair("ADDED", "b"));
        assert_eq!(watch.step().await, pair("MODIFIED", "a"));
        let deleted = watch.next().await.expect("a frame");
        assert_eq!(
            (&deleted["type"], &deleted["object"]["metadata"]["name"]),
            (&json!("DELETED"), &json!("b"))
        );
        let revision = region.server.store().revision().to_string();
        assert_eq!(
            deleted["object"]["metadata"]["resourceVersion"], revision,
            "a deletion has its own revision"
        );
    });
}

#[test]
fn a_client_of_the_process_may_watch_without_managed_fields_and_misses_nothing_else() {
    in_region(|region| async move {
        let mut whole = region.watch(&format!("{CONFIG_MAPS}?watch=1")).await;
        let mut lean = region.watch_lean(&format!("{CONFIG_MAPS}?watch=1")).await;
        region.post(CONFIG_MAPS, &config_map("a", &json!({ "k": "\"managedFields\":[" }))).await.expect(201);
        region.merge(&format!("{CONFIG_MAPS}/a"), &json!({ "data": { "k": "v" } })).await.expect(200);
        region.delete(&format!("{CONFIG_MAPS}/a")).await.expect(200);
        for kind in ["ADDED", "MODIFIED", "DELETED"] {
            let mut expected = whole.next().await.expect("a frame");
            let metadata = expected["object"]["metadata"].as_object_mut().expect("it has metadata");
            assert!(metadata.remove("managedFields").is_some(), "{kind}");
            assert_eq!((&expected["type"], lean.next().await), (&json!(kind), Some(expected.clone())));
        }
    });
}

#[test]
fn a_watch_resumes_after_its_revision_and_stays_in_its_namespace() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let revision = region.server.store().revision();
        region
            .post("/api/v1/namespaces/kube-system/configmaps", &config_map("other", &json!({})))
            .await
            .expect(201);
        region.post(CONFIG_MAPS, &config_map("b", &json!({}))).await.expect(201);
        let mut watch = region.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={revision}")).await;
        assert_eq!(watch.step().await, pair("ADDED", "b"));
        let uri = format!("{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Db");
        let mut one = region.watch(&uri).await;
        assert_eq!(one.step().await, pair("ADDED", "b"));
    });
}

#[test]
fn an_object_appears_and_disappears_with_the_selector() {
    in_region(|region| async move {
        let mut watch = region.watch(&format!("{PODS}?watch=1&labelSelector=app%3Dweb")).await;
        let mut by_phase =
            region.watch(&format!("{PODS}?watch=1&fieldSelector=status.phase%3DRunning")).await;
        region.post(PODS, &pod("web")).await.expect(201);
        region.post(PODS, &pod("db")).await.expect(201);
        let uri = format!("{PODS}/web");
        let relabelled =
            region.merge(&uri, &json!({ "metadata": { "labels": { "app": "old" } } })).await.expect(200);
        region.merge(&uri, &json!({ "metadata": { "labels": { "app": "web" } } })).await.expect(200);
        assert_eq!(watch.step().await, pair("ADDED", "web"));
        let lost = watch.next().await.expect("a frame");
        assert_eq!(lost["type"], "DELETED");
        assert_eq!(lost["object"]["metadata"]["labels"]["app"], "web", "it is lost as it was known");
        assert_eq!(lost["object"]["metadata"]["resourceVersion"], relabelled.revision());
        assert_eq!(watch.step().await, pair("ADDED", "web"));

        region
            .merge(&format!("{uri}/status"), &json!({ "status": { "phase": "Running" } }))
            .await
            .expect(200);
        assert_eq!(by_phase.step().await, pair("ADDED", "web"));
        region.delete(&uri).await.expect(200);
        assert_eq!(by_phase.step().await, pair("DELETED", "web"));
    });
}

#[test]
fn a_streaming_list_marks_where_it_is_complete() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let stream =
            "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        let mut watch = region.watch(&format!("{CONFIG_MAPS}?{stream}")).await;
        assert_eq!(watch.step().await, pair("ADDED", "a"));
        let mark = watch.next().await.expect("a frame");
        assert_eq!(mark["type"], "BOOKMARK");
        assert_eq!(mark["object"]["kind"], "ConfigMap");
        assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
        assert_eq!(
            mark["object"]["metadata"]["resourceVersion"],
            region.server.store().revision().to_string()
        );
        region.get(&format!("{CONFIG_MAPS}?watch=1&sendInitialEvents=true")).await.expect(422);
    });
}

#[test]
fn bookmarks_come_every_minute_and_the_watch_ends_in_time() {
    in_region(|region| async move {
        let mut watch =
            region.watch(&format!("{CONFIG_MAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=150")).await;
        let clock = region.world.clock().clone();
        let start = clock.instant();
        region.post(PODS, &pod("elsewhere")).await.expect(201);
        let mut marks = Vec::new();
        assert_eq!(region.server.meter().watches(), 1);
        while let Some(frame) = watch.next().await {
            assert_eq!(frame["type"], "BOOKMARK");
            let revision = frame["object"]["metadata"]["resourceVersion"].clone();
            assert_eq!(revision, region.server.store().revision().to_string(), "it moves with the store");
            marks.push(start.elapsed().as_secs());
        }
        assert_eq!(marks, [60, 120, 150]);
        assert_eq!(region.server.meter().watches(), 0);
    });
}

#[test]
fn a_quiet_watch_ends_without_a_word() {
    in_region(|region| async move {
        let mut watch = region.watch(&format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=30")).await;
        let start = region.world.clock().instant();
        assert!(watch.next().await.is_none());
        assert_eq!(start.elapsed().as_secs(), 30);
    });
}

#[test]
fn a_revision_that_is_forgotten_is_answered_with_an_error_frame() {
    in_region(|region| async move {
        for name in ["a", "b"] {
            region.post(CONFIG_MAPS, &config_map(name, &json!({}))).await.expect(201);
        }
        region.server.store().compact(region.server.store().revision());
        for revision in ["1".to_owned(), "99999".to_owned()] {
            let mut watch = region.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={revision}")).await;
            let frame = watch.next().await.expect("a frame");
            assert_eq!(frame["type"], "ERROR");
            assert_eq!(
                (&frame["object"]["code"], &frame["object"]["reason"]),
                (&json!(410), &json!("Expired"))
            );
            assert!(watch.next().await.is_none());
        }
    });
}

#[test]
fn a_watch_ends_with_the_server() {
    in_region(|region| async move {
        let mut watch = region.watch(&format!("{CONFIG_MAPS}?watch=1")).await;
        let server = region.server.clone();
        let (frame, ()) = futures::join!(watch.next(), async {
            region.world.clock().sleep(Duration::from_secs(1)).await;
            server.shut_down();
        });
        assert!(frame.is_none());
    });
}

#[test]
fn a_watch_may_be_of_metadata_alone() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({ "k": "v" }))).await.expect(201);
        let request = http::Request::builder()
            .uri(format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=1"))
            .header("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
            .body(http_body_util::Full::default())
            .expect("a request");
        let frame = crate::region::read(region.send(request).await).await;
        assert_eq!(frame.body["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(frame.body["object"].get("data"), None);
    });
}
