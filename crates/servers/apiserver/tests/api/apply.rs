//! Server-side apply over the wire; its rules are tested where they are (`resource::managed`).

use http::Method;
use serde_json::json;

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, in_region};

#[test]
fn applying_makes_changes_and_then_does_nothing() {
    in_region(|region| async move {
        let uri = format!("{DEPLOYMENTS}/web?fieldManager=team");
        let made = region.apply(&uri, &deployment("web", 2)).await.expect(201);
        assert_eq!(made.body["spec"]["strategy"]["type"], "RollingUpdate", "defaults are filled in");
        assert_eq!(made.body["metadata"]["managedFields"][0]["operation"], "Apply");
        let revision = region.server.store().revision();
        region.world.clock().sleep(std::time::Duration::from_secs(3)).await;
        let again = region.apply(&uri, &deployment("web", 2)).await.expect(200);
        assert_eq!(again.body, made.body);
        assert_eq!(region.server.store().revision(), revision);
        let changed = region.apply(&uri, &deployment("web", 3)).await.expect(200);
        assert_eq!(changed.body["metadata"]["generation"], 2);
    });
}

#[test]
fn another_owner_is_a_conflict_until_it_is_forced() {
    in_region(|region| async move {
        region.apply(&format!("{DEPLOYMENTS}/web?fieldManager=one"), &deployment("web", 2)).await.expect(201);
        let uri = format!("{DEPLOYMENTS}/web?fieldManager=two");
        let conflict = region.apply(&uri, &deployment("web", 5)).await.expect(409);
        assert_eq!(conflict.message(), "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas");
        assert_eq!(
            conflict.body["details"]["causes"],
            json!([{ "reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".spec.replicas" }])
        );
        let forced = region.apply(&format!("{uri}&force=true"), &deployment("web", 5)).await.expect(200);
        assert_eq!(forced.body["spec"]["replicas"], 5);
    });
}

#[test]
fn what_an_applier_leaves_out_goes_away_if_nobody_else_owns_it() {
    in_region(|region| async move {
        let uri = format!("{CONFIG_MAPS}/a?fieldManager=team");
        region.apply(&uri, &config_map("a", &json!({ "x": "1", "y": "2" }))).await.expect(201);
        region
            .merge(&format!("{CONFIG_MAPS}/a?fieldManager=other"), &json!({ "data": { "z": "3" } }))
            .await
            .expect(200);
        let applied = region.apply(&uri, &config_map("a", &json!({ "x": "1" }))).await.expect(200);
        assert_eq!(applied.body["data"], json!({ "x": "1", "z": "3" }));
    });
}

#[test]
fn kubectl_sends_yaml_and_a_manager_is_needed() {
    in_region(|region| async move {
        let yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n".to_vec();
        let media = "application/apply-patch+yaml";
        let uri = format!("{CONFIG_MAPS}/a");
        let anonymous = region.ask(Method::PATCH, &uri, media, "*/*", yaml.clone()).await.expect(422);
        assert!(anonymous.message().contains("fieldManager: Required value"), "{}", anonymous.message());
        let uri = format!("{uri}?fieldManager=kubectl");
        region.ask(Method::PATCH, &format!("{uri}&dryRun=All"), media, "*/*", yaml.clone()).await.expect(201);
        region.get(&format!("{CONFIG_MAPS}/a")).await.expect(404);
        region.ask(Method::PATCH, &uri, media, "*/*", yaml).await.expect(201);
        let managed =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "managedFields": [{}] } });
        assert_eq!(
            region.apply(&uri, &managed).await.expect(400).message(),
            "metadata.managedFields must be nil"
        );
    });
}
