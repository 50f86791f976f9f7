//! Lists: selectors, chunks, revisions, forms.

use serde_json::json;

use crate::region::{Answer, CONFIG_MAPS, PODS, Region, config_map, in_region, pod};

fn names(answer: &Answer) -> Vec<String> {
    let items = answer.body["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

async fn make(region: &Region, names: &[&str]) {
    for name in names {
        region.post(CONFIG_MAPS, &config_map(name, &json!({}))).await.expect(201);
    }
}

#[test]
fn a_list_is_sorted_and_says_its_kind_and_revision() {
    in_region(|region| async move {
        make(&region, &["b", "a", "c"]).await;
        let list = region.get(CONFIG_MAPS).await.expect(200);
        assert_eq!(names(&list), ["a", "b", "c"]);
        assert_eq!((&list.body["kind"], &list.body["apiVersion"]), (&json!("ConfigMapList"), &json!("v1")));
        assert_eq!(list.revision(), region.server.store().revision().to_string());
        assert_eq!(list.body["items"][0]["kind"], "ConfigMap");
        let everywhere = region.get("/api/v1/configmaps").await.expect(200);
        assert_eq!(names(&everywhere), ["a", "b", "c"]);
        assert_eq!(
            names(&region.get("/api/v1/namespaces/kube-system/configmaps").await),
            Vec::<String>::new()
        );
    });
}

#[test]
fn selectors_choose_by_labels_and_fields() {
    in_region(|region| async move {
        for name in ["web", "db"] {
            region.post(PODS, &pod(name)).await.expect(201);
        }
        region
            .merge(&format!("{PODS}/web/status"), &json!({ "status": { "phase": "Running" } }))
            .await
            .expect(200);
        for (query, expected) in [
            ("labelSelector=app%3Dweb", vec!["web"]),
            ("labelSelector=app+in+(web,db)", vec!["db", "web"]),
            ("labelSelector=!app", vec![]),
            ("fieldSelector=status.phase%3DRunning", vec!["web"]),
            ("fieldSelector=metadata.name!%3Dweb", vec!["db"]),
            ("fieldSelector=spec.nodeName%3D", vec!["db", "web"]),
            ("labelSelector=app%3Dweb&fieldSelector=status.phase%3DPending", vec![]),
        ] {
            assert_eq!(names(&region.get(&format!("{PODS}?{query}")).await.expect(200)), expected, "{query}");
        }
        let unknown = region.get(&format!("{PODS}?fieldSelector=spec.colour%3Dred")).await.expect(400);
        assert_eq!(unknown.message(), "field label not supported: spec.colour");
        region.get(&format!("{PODS}?labelSelector=a%3D%3D%3D")).await.expect(400);
    });
}

#[test]
fn chunks_are_all_of_one_revision_whatever_is_written_in_between() {
    in_region(|region| async move {
        make(&region, &["a", "b", "c", "d", "e"]).await;
        let mut list = region.get(&format!("{CONFIG_MAPS}?limit=2")).await.expect(200);
        assert_eq!(list.body["metadata"]["remainingItemCount"], 3);
        let revision = list.revision().to_owned();
        let mut seen = names(&list);
        for round in 0.. {
            // Behind the cursor, ahead of it, and on it.
            make(&region, &[["aa", "ab", "ac"][round.min(2)], ["dd", "ee", "ff"][round.min(2)]]).await;
            region.delete(&format!("{CONFIG_MAPS}/{}", ["c", "e", "x"][round.min(2)])).await;
            let Some(token) = list.body["metadata"]["continue"].as_str() else { break };
            list = region.get(&format!("{CONFIG_MAPS}?limit=2&continue={token}")).await.expect(200);
            assert_eq!(list.revision(), revision);
            seen.extend(names(&list));
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    });
}

#[test]
fn an_expired_chunk_names_a_way_to_go_on() {
    in_region(|region| async move {
        make(&region, &["a", "b", "c"]).await;
        let list = region.get(&format!("{CONFIG_MAPS}?limit=1")).await.expect(200);
        let token = list.body["metadata"]["continue"].as_str().expect("a token").to_owned();
        region.merge(&format!("{CONFIG_MAPS}/c"), &json!({ "data": { "k": "v" } })).await.expect(200);
        region.server.store().compact(region.server.store().revision());
        let gone = region.get(&format!("{CONFIG_MAPS}?limit=1&continue={token}")).await.expect(410);
        assert_eq!(gone.reason(), "Expired");
        let token = gone.body["metadata"]["continue"].as_str().expect("another token").to_owned();
        let rest = region.get(&format!("{CONFIG_MAPS}?continue={token}")).await.expect(200);
        assert_eq!(names(&rest), ["b", "c"]);
        region.get(&format!("{CONFIG_MAPS}?continue=forged")).await.expect(400);
    });
}

#[test]
fn a_list_can_be_asked_for_at_a_revision() {
    in_region(|region| async move {
        make(&region, &["a"]).await;
        let then = region.server.store().revision();
        make(&region, &["b"]).await;
        let exact = format!("{CONFIG_MAPS}?resourceVersionMatch=Exact&resourceVersion={then}");
        assert_eq!(names(&region.get(&exact).await.expect(200)), ["a"]);
        let newer = format!("{CONFIG_MAPS}?resourceVersionMatch=NotOlderThan&resourceVersion={then}");
        assert_eq!(names(&region.get(&newer).await.expect(200)), ["a", "b"]);
        let ahead = region.get(&format!("{CONFIG_MAPS}?resourceVersion=99999")).await.expect(504);
        assert_eq!(ahead.body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
        region.get(&format!("{CONFIG_MAPS}?resourceVersion=new")).await.expect(400);
        region.get(&format!("{CONFIG_MAPS}?resourceVersionMatch=Exact")).await.expect(422);
    });
}

#[test]
fn a_client_may_read_metadata_alone() {
    in_region(|region| async move {
        make(&region, &["a"]).await;
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let list = region.get_as(CONFIG_MAPS, list).await.expect(200);
        assert_eq!(list.body["kind"], "PartialObjectMetadataList");
        assert_eq!(list.body["items"][0]["kind"], "PartialObjectMetadata");
        assert_eq!(list.body["items"][0].get("data"), None);
        let one = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let one = region.get_as(&format!("{CONFIG_MAPS}/a"), one).await.expect(200);
        assert_eq!(one.body["metadata"]["name"], "a");
    });
}
