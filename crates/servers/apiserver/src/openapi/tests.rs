//! Tests of the OpenAPI documents.

use http_body_util::BodyExt as _;

use super::*;
use crate::kinds;
use crate::registry::CustomVersion;

fn documents() -> OpenApi {
    OpenApi::new(Registry::new(kinds::built_in()))
}

async fn body(response: Response<Body>) -> Bytes {
    let Ok(body) = response.into_body().collect().await;
    body.to_bytes()
}

async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_slice(&body(response).await).expect("it is JSON")
}

fn with(name: header::HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::try_from(value).expect("a header"))])
}

async fn index(openapi: &OpenApi) -> Value {
    json_of(openapi.answer("/openapi/v3", &HeaderMap::new()).expect("there is an index")).await
}

#[tokio::test]
async fn the_index_lists_every_group_and_version_with_a_stable_hash() {
    let openapi = documents();
    let index = index(&openapi).await;
    let url =
        index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().expect("apps is served").to_owned();
    assert!(url.starts_with("/openapi/v3/apis/apps/v1?hash="), "{url}");
    assert_eq!(index, self::index(&documents()).await);
    assert!(index["paths"]["api/v1"].is_object());
    openapi.registry.add([ResourceInfo::built_in("apps", "v1", "widgets", "Widget", true)]);
    let changed = self::index(&openapi).await;
    assert_ne!(changed["paths"]["apis/apps/v1"], index["paths"]["apis/apps/v1"]);
    assert_eq!(changed["paths"]["api/v1"], index["paths"]["api/v1"]);
}

#[tokio::test]
async fn a_document_has_schemas_and_the_patch_that_validation_looks_for() {
    let openapi = documents();
    let document =
        json_of(openapi.answer("/openapi/v3/apis/apps/v1", &HeaderMap::new()).expect("apps")).await;
    assert!(
        document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]["properties"]["spec"].is_object()
    );
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Deployment");
    assert!(openapi.answer("/openapi/v3/apis/none/v1", &HeaderMap::new()).is_none());
}

#[tokio::test]
async fn a_document_is_sent_compressed_to_who_accepts_it_and_once_to_who_keeps_it() {
    let openapi = documents();
    let path = "/openapi/v3/apis/coordination.k8s.io/v1";
    let plain = openapi.answer(path, &HeaderMap::new()).expect("leases");
    let etag = plain.headers()[header::ETAG].to_str().expect("text").to_owned();
    let zipped = openapi.answer(path, &with(header::ACCEPT_ENCODING, "br, gzip;q=0.8")).expect("leases");
    assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
    assert_eq!(expand(&body(zipped).await), body(plain).await);
    let kept = openapi.answer(path, &with(header::IF_NONE_MATCH, &etag)).expect("leases");
    assert_eq!(kept.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_custom_resource_is_described_by_its_definition() {
    let openapi = documents();
    let mut info = ResourceInfo::built_in("mainstay.dev", "v1alpha1", "nodeclaims", "NodeClaim", false);
    info.origin = Origin::Custom { definition: "nodeclaims.mainstay.dev".into() };
    let schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "description": "What is wanted." } } });
    info.custom = Some(Arc::new(CustomVersion::of_schema(&schema)));
    openapi.registry.add([info]);
    let document =
        openapi.answer("/openapi/v3/apis/mainstay.dev/v1alpha1", &HeaderMap::new()).expect("it is served");
    let document = json_of(document).await;
    let schema = &document["components"]["schemas"]["dev.mainstay.v1alpha1.NodeClaim"];
    assert_eq!(schema["properties"]["spec"]["description"], "What is wanted.");
}

#[tokio::test]
async fn version_2_is_an_empty_protobuf_or_a_document_without_paths() {
    let openapi = documents();
    let empty = openapi.answer("/openapi/v2", &with(header::ACCEPT, V2_ASKED)).expect("version 2");
    assert_eq!(empty.headers()[header::CONTENT_TYPE], V2_ANSWERED);
    assert!(body(empty).await.is_empty());
    let plain =
        json_of(openapi.answer("/openapi/v2", &with(header::ACCEPT, "application/json")).expect("version 2"))
            .await;
    assert_eq!(plain["swagger"], "2.0");
}
