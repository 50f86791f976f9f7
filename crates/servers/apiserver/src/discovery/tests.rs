//! Tests of discovery: what clients see, and that it follows the registry.

use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;
use crate::kinds;
use crate::registry::ResourceInfo;

const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

fn discovery() -> Discovery {
    Discovery::new(Registry::new(kinds::built_in()), "127.0.0.1:6443")
}

fn accepting(accept: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
}

async fn read(response: Response<Body>) -> Value {
    let Ok(body) = response.into_body().collect().await;
    serde_json::from_slice(&body.to_bytes()).expect("discovery is JSON")
}

async fn get(discovery: &Discovery, path: &str, accept: &'static str) -> Value {
    read(discovery.answer(path, &accepting(accept)).expect(path)).await
}

#[tokio::test]
async fn the_aggregated_documents_hold_everything_in_upstreams_order() {
    let discovery = discovery();
    let core = get(&discovery, "/api", V2).await;
    assert_eq!(
        (&core["kind"], &core["apiVersion"]),
        (&json!("APIGroupDiscoveryList"), &json!("apidiscovery.k8s.io/v2"))
    );
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    let groups = get(&discovery, "/apis", V2).await;
    let names: Vec<&str> = groups["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["metadata"]["name"].as_str())
        .collect();
    assert_eq!(names[..4], ["apiregistration.k8s.io", "apps", "events.k8s.io", "autoscaling"]);
    assert_eq!(names.last(), Some(&"flowcontrol.apiserver.k8s.io"));
    let autoscaling = &groups["items"][3]["versions"];
    assert_eq!((&autoscaling[0]["version"], &autoscaling[1]["version"]), (&json!("v2"), &json!("v1")));
    let deployments = groups["items"][1]["versions"][0]["resources"].as_array().unwrap();
    let deployments = deployments.iter().find(|one| one["resource"] == "deployments").unwrap();
    assert_eq!(
        deployments,
        &json!({
            "resource": "deployments", "singularResource": "deployment", "scope": "Namespaced",
            "responseKind": { "group": "apps", "version": "v1", "kind": "Deployment" },
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "shortNames": ["deploy"], "categories": ["all"],
            "subresources": [
                { "subresource": "scale", "responseKind": { "group": "autoscaling", "version": "v1", "kind": "Scale" },
                  "verbs": ["get", "patch", "update"] },
                { "subresource": "status", "responseKind": { "group": "apps", "version": "v1", "kind": "Deployment" },
                  "verbs": ["get", "patch", "update"] },
            ],
        })
    );
}

#[test]
fn the_content_type_names_the_form_the_client_gets() {
    let discovery = discovery();
    let kind = |accept| {
        let response = discovery.answer("/apis", &accepting(accept)).unwrap();
        response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    };
    assert_eq!(kind(V2), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    let beta = "application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io, application/json";
    assert_eq!(kind(beta), "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList");
    for plain in ["application/json", "*/*", "application/vnd.kubernetes.protobuf, application/json"] {
        assert_eq!(kind(plain), "application/json");
    }
}

#[tokio::test]
async fn the_legacy_documents_say_the_same() {
    let discovery = discovery();
    assert_eq!(get(&discovery, "/api", "*/*").await["versions"], json!(["v1"]));
    let groups = get(&discovery, "/apis", "*/*").await;
    assert_eq!(
        groups["groups"][1],
        json!({ "name": "apps",
        "versions": [{ "groupVersion": "apps/v1", "version": "v1" }],
        "preferredVersion": { "groupVersion": "apps/v1", "version": "v1" } })
    );
    let group = get(&discovery, "/apis/autoscaling", "*/*").await;
    assert_eq!((&group["kind"], &group["preferredVersion"]["version"]), (&json!("APIGroup"), &json!("v2")));
    let core = get(&discovery, "/api/v1", "*/*").await;
    assert_eq!((&core["kind"], &core["groupVersion"]), (&json!("APIResourceList"), &json!("v1")));
    let all = core["resources"].as_array().unwrap();
    let binding = all.iter().find(|one| one["name"] == "pods/eviction").unwrap();
    assert_eq!(
        binding,
        &json!({ "name": "pods/eviction", "singularName": "", "namespaced": true, "kind": "Eviction",
        "group": "policy", "version": "v1", "verbs": ["create"] })
    );
    assert_eq!(get(&discovery, "/apis/apps/v1/", "*/*").await["apiVersion"], "v1");
}

#[test]
fn what_is_not_served_is_not_discovered() {
    let discovery = discovery();
    for path in ["/apis/none", "/apis/apps/v2", "/api/v2", "/apis/apps/v1/deployments", "/other"] {
        assert!(discovery.answer(path, &HeaderMap::new()).is_none(), "{path}");
    }
}

#[tokio::test]
async fn custom_resources_appear_and_vanish_and_the_etag_with_them() {
    let discovery = discovery();
    let before = discovery.answer("/apis", &accepting(V2)).unwrap();
    let etag = before.headers()[header::ETAG].clone();
    let mut known = accepting(V2);
    known.insert(header::IF_NONE_MATCH, etag);
    let unchanged = discovery.answer("/apis", &known).unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    discovery.registry.add([ResourceInfo::built_in(
        "mainstay.dev",
        "v1alpha1",
        "nodeclaims",
        "NodeClaim",
        false,
    )]);
    let changed = discovery.answer("/apis", &known).unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let last = read(changed).await["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["metadata"]["name"], "mainstay.dev");
    discovery.registry.remove(|info| &*info.group == "mainstay.dev");
    assert_eq!(discovery.answer("/apis", &known).unwrap().status(), StatusCode::NOT_MODIFIED);
}
