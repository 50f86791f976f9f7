//! The API over a store on disk: restarts, and a disk without room.

use std::sync::Arc;

use mainstay_base::disk::{Faults, FaultyDisk};
use mainstay_base::{Seed, World};
use mainstay_store::Store;
use serde_json::json;

use crate::region::{CONFIG_MAPS, PODS, Region, config_map, pod};

async fn region(disk: &FaultyDisk) -> Region {
    let store = Store::open(Arc::new(disk.clone()), mainstay_apiserver::index).expect("it opens");
    Region::start(World::real(), Vec::new(), store).await
}

#[tokio::test]
async fn a_full_disk_refuses_writes_in_plain_words_and_recovers() {
    let disk = FaultyDisk::new(Seed(3));
    let region = region(&disk).await;
    region.post(CONFIG_MAPS, &config_map("kept", &json!({}))).await.expect(201);
    disk.set_faults(Faults { is_full: true, ..Faults::default() });
    let mut refused = None;
    for round in 0..50 {
        let object = config_map(&format!("a{round}"), &json!({ "k": "x".repeat(100_000) }));
        let answer = region.post(CONFIG_MAPS, &object).await;
        if answer.code != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the disk was full and nothing was refused").expect(500);
    assert_eq!(refused.reason(), "InternalError");
    assert!(
        refused.message().contains("the store's disk is full, nothing was written"),
        "{}",
        refused.message()
    );
    assert_eq!(region.server.readiness().obstacles().len(), 1);
    region.get(&format!("{CONFIG_MAPS}/kept")).await.expect(200);

    disk.set_faults(Faults::default());
    region.post(CONFIG_MAPS, &config_map("later", &json!({}))).await.expect(201);
    assert!(region.server.readiness().obstacles().is_empty());
}

#[tokio::test]
async fn a_restart_keeps_objects_definitions_and_what_selectors_see() {
    let disk = FaultyDisk::new(Seed(4));
    let first = region(&disk).await;
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com", "scope": "Cluster", "names": { "plural": "widgets", "kind": "Widget" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object" } } }],
        },
    });
    first.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.expect(201);
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" } });
    let widget = first.post("/apis/example.com/v1/widgets", &widget).await.expect(201);
    first.post(PODS, &pod("p")).await.expect(201);
    first.server.store().clone().close().await;
    drop(first);

    let second = region(&disk).await;
    assert_eq!(second.get("/apis/example.com/v1/widgets/w").await.expect(200).body, widget.body);
    let found = second
        .get(&format!("{PODS}?labelSelector=app%3Dp&fieldSelector=status.phase%3DPending"))
        .await
        .expect(200);
    assert_eq!(found.body["items"].as_array().expect("items").len(), 1);
    let revision = widget.revision();
    let mut watch =
        second.watch(&format!("/api/v1/pods?watch=1&resourceVersion={revision}&timeoutSeconds=1")).await;
    let frame = watch.next().await.expect("a watch resumes across a restart, or says that it cannot");
    assert!(frame["type"] == "ADDED" || frame["object"]["code"] == 410, "{frame}");
}

#[tokio::test]
async fn writers_at_once_all_get_through_without_losing_a_change() {
    let disk = FaultyDisk::new(Seed(5));
    let region = region(&disk).await;
    region.post(CONFIG_MAPS, &config_map("shared", &json!({}))).await.expect(201);
    let uri = format!("{CONFIG_MAPS}/shared");
    let writers = (0..4).map(|writer| {
        let (region, uri) = (region.clone(), uri.clone());
        async move {
            for round in 0..10 {
                let key = format!("w{writer}-{round}");
                region.merge(&uri, &json!({ "data": { key: "x" } })).await.expect(200);
            }
        }
    });
    futures::future::join_all(writers).await;
    let data = region.get(&uri).await.expect(200).body["data"].clone();
    assert_eq!(data.as_object().expect("data").len(), 40);
}
