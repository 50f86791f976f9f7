//! kube-rs over the in-process service.

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::region::{deployment, in_region};

#[test]
fn a_kube_client_does_all_there_is_to_do_with_an_object() {
    in_region(|region| async move {
        let api: Api<Deployment> = Api::default_namespaced(region.kube());
        let web: Deployment = serde_json::from_value(deployment("web", 1)).expect("a deployment");
        let made = api.create(&PostParams::default(), &web).await.expect("it is made");
        assert!(made.uid().is_some());
        let error = api.create(&PostParams::default(), &web).await.expect_err("it is there");
        assert!(matches!(&error, kube::Error::Api(status) if status.reason == "AlreadyExists"), "{error:?}");
        assert!(api.get_opt("none").await.expect("an answer").is_none());

        let status = json!({ "status": { "replicas": 1, "observedGeneration": 1 } });
        let patched =
            api.patch_status("web", &PatchParams::default(), &Patch::Merge(status)).await.expect("a status");
        assert_eq!(patched.status.and_then(|status| status.replicas), Some(1));
        let scale = json!({ "spec": { "replicas": 3 } });
        api.patch_scale("web", &PatchParams::default(), &Patch::Merge(scale)).await.expect("a scale");
        let applied = api
            .patch("web", &PatchParams::apply("team").force(), &Patch::Apply(deployment("web", 4)))
            .await
            .expect("an apply");
        assert_eq!(applied.spec.and_then(|spec| spec.replicas), Some(4));

        let mut replaced = api.get("web").await.expect("it is there");
        replaced.labels_mut().insert("a".to_owned(), "b".to_owned());
        let replaced = api.replace("web", &PostParams::default(), &replaced).await.expect("a replacement");
        assert_eq!(replaced.labels().get("a").map(String::as_str), Some("b"));
        assert_eq!(api.list(&ListParams::default().labels("a=b")).await.expect("a list").items.len(), 1);
        assert_eq!(api.list_metadata(&ListParams::default()).await.expect("a list").items.len(), 1);
        api.delete("web", &DeleteParams::default()).await.expect("it is deleted").map_right(|status| {
            assert!(status.is_success());
        });
    });
}

#[test]
fn both_ways_of_kubes_watcher_see_what_happens() {
    in_region(|region| async move {
        for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
            let api: Api<ConfigMap> = Api::default_namespaced(region.kube());
            let map: ConfigMap =
                serde_json::from_value(crate::region::config_map("a", &json!({}))).expect("a map");
            api.create(&PostParams::default(), &map).await.expect("it is made");
            let mut seen = std::pin::pin!(watcher(api.clone(), config).applied_objects().take(2));
            assert_eq!(seen.try_next().await.expect("no error").expect("an object").name_any(), "a");
            let patch = Patch::Merge(json!({ "data": { "k": "v" } }));
            api.patch("a", &PatchParams::default(), &patch).await.expect("a patch");
            let changed = seen.try_next().await.expect("no error").expect("an object");
            assert_eq!(changed.data.expect("data").get("k").map(String::as_str), Some("v"));
            api.delete("a", &DeleteParams::default()).await.expect("it is deleted");
        }
    });
}

#[test]
fn the_basic_objects_are_there_and_making_them_again_changes_nothing() {
    in_region(|region| async move {
        let api: Api<Namespace> = Api::all(region.kube());
        let names: Vec<String> = api
            .list(&ListParams::default())
            .await
            .expect("a list")
            .iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
        let service = region.get("/api/v1/namespaces/default/services/kubernetes").await.expect(200);
        assert_eq!(service.body["spec"]["clusterIP"], "10.96.0.1");
        let revision = region.server.store().revision();
        region.server.bootstrap().await.expect("it is there already");
        assert_eq!(region.server.store().revision(), revision);
    });
}

#[test]
fn a_custom_resource_is_served_as_soon_as_it_is_defined_and_gone_with_its_definition() {
    in_region(|region| async move {
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "widgets.example.com" },
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList" },
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                    "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
                }],
            },
        });
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let widgets = "/apis/example.com/v1/namespaces/default/widgets";
        region.get(widgets).await.expect(404);
        region.post(definitions, &definition).await.expect(201);
        let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" }, "spec": { "any": [1] } });
        let made = region.post(widgets, &widget).await.expect(201);
        assert_eq!(made.body["metadata"]["generation"], 1);
        assert_eq!(made.body["spec"], json!({ "any": [1] }));
        let uri = format!("{widgets}/w");
        let status = region
            .merge(&format!("{uri}/status"), &json!({ "status": { "ok": true }, "spec": {} }))
            .await
            .expect(200);
        assert_eq!(
            (&status.body["status"]["ok"], &status.body["spec"]),
            (&json!(true), &json!({ "any": [1] }))
        );
        region.patch(&uri, "application/strategic-merge-patch+json", &json!({})).await.expect(415);
        let mut watch = region.watch(&format!("{widgets}?watch=1&allowWatchBookmarks=true")).await;
        region.delete(&format!("{definitions}/widgets.example.com")).await.expect(200);
        assert_eq!(watch.step().await.0, "ADDED");
        assert_eq!(watch.step().await.0, "DELETED");
        assert_eq!(watch.step().await.0, "BOOKMARK");
        assert!(watch.next().await.is_none(), "the watch of a resource that is gone ends");
        region.get(widgets).await.expect(404);
        region.post(definitions, &definition).await.expect(201);
        region.get(&uri).await.expect(404);
    });
}
