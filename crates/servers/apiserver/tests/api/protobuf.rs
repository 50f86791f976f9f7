//! Protobuf bodies and answers, as client-go sends and asks for them.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use mainstay_apiserver::Body;
use mainstay_protobuf::{MEDIA_TYPE, decode, encode};
use serde_json::{Value, json};

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, PODS, Region, config_map, deployment, in_region, pod};

/// What client-go accepts of built-in kinds.
const TYPED: &str = "application/vnd.kubernetes.protobuf,application/json";
const WATCHED: &str = "application/vnd.kubernetes.protobuf;stream=watch";

/// A code, a media type, and an object.
type Answer = (u16, String, Value);

async fn ask(region: &Region, method: Method, uri: &str, accept: &str, body: Option<&Value>) -> Answer {
    let body = body.map_or_else(Vec::new, |object| {
        let text = |field: &str| object[field].as_str().expect("an object says its kind");
        encode(text("apiVersion"), text("kind"), object.to_string().as_bytes()).expect("it encodes")
    });
    let request = Request::builder().method(method).uri(uri).header("content-type", MEDIA_TYPE);
    let request = request.header("accept", accept).body(Full::from(body)).expect("a request");
    let response = region.send(request).await;
    let code = response.status().as_u16();
    let media = response.headers()["content-type"].to_str().expect("text").to_owned();
    let bytes = response.into_body().collect().await.expect("it cannot fail").to_bytes();
    let object = if media == MEDIA_TYPE {
        decode(&bytes).expect("the answer is protobuf")
    } else {
        serde_json::from_slice(&bytes).expect("the answer is JSON")
    };
    (code, media, object)
}

async fn typed(region: &Region, method: Method, uri: &str, body: Option<&Value>) -> Value {
    let (code, media, object) = ask(region, method, uri, TYPED, body).await;
    assert!(code < 300, "{object}");
    assert_eq!(media, MEDIA_TYPE, "{object}");
    object
}

#[test]
fn an_object_that_is_made_read_replaced_and_deleted_as_protobuf_is_the_one_in_json() {
    in_region(|region| async move {
        let made = typed(&region, Method::POST, DEPLOYMENTS, Some(&deployment("web", 2))).await;
        let uri = format!("{DEPLOYMENTS}/web");
        let read = region.get(&uri).await.expect(200);
        assert_eq!(made["metadata"], read.body["metadata"]);
        assert_eq!(made["spec"]["strategy"], read.body["spec"]["strategy"]);
        assert_eq!(made["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");

        let mut wanted = typed(&region, Method::GET, &uri, None).await;
        assert_eq!(wanted, made);
        wanted["spec"]["replicas"] = json!(5);
        let replaced = typed(&region, Method::PUT, &uri, Some(&wanted)).await;
        assert_eq!(replaced["spec"]["replicas"], 5);
        assert_eq!(replaced["metadata"]["generation"], 2);

        let scale = typed(&region, Method::GET, &format!("{uri}/scale"), None).await;
        assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(5)));

        let options =
            json!({"apiVersion": "apps/v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"});
        let deleted = typed(&region, Method::DELETE, &uri, Some(&options)).await;
        assert_eq!(deleted["metadata"]["finalizers"], json!(["orphan"]));
    });
}

#[test]
fn the_parts_of_a_pod_take_protobuf() {
    in_region(|region| async move {
        region
            .post("/api/v1/namespaces/default/serviceaccounts", &json!({"metadata": {"name": "default"}}))
            .await;
        typed(&region, Method::POST, PODS, Some(&pod("a"))).await;
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"},
        });
        let status = typed(&region, Method::POST, &format!("{PODS}/a/binding"), Some(&binding)).await;
        assert_eq!((&status["kind"], &status["status"]), (&json!("Status"), &json!("Success")));
        let mut bound = typed(&region, Method::GET, &format!("{PODS}/a"), None).await;
        assert_eq!(bound["spec"]["nodeName"], "n1");
        bound["status"]["phase"] = json!("Succeeded");
        let over = typed(&region, Method::PUT, &format!("{PODS}/a/status"), Some(&bound)).await;
        assert_eq!(over["status"]["phase"], "Succeeded");
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}, "deleteOptions": {"gracePeriodSeconds": 0},
        });
        typed(&region, Method::POST, &format!("{PODS}/a/eviction"), Some(&eviction)).await;
        region.get(&format!("{PODS}/a")).await.expect(404);
    });
}

#[test]
fn a_list_and_what_a_deleted_collection_was_are_protobuf_too() {
    in_region(|region| async move {
        for name in ["a", "b", "c"] {
            region
                .post(CONFIG_MAPS, &config_map(name, &json!({"text": "x".repeat(40_000)})))
                .await
                .expect(201);
        }
        let uri = format!("{CONFIG_MAPS}?limit=2");
        let list = typed(&region, Method::GET, &uri, None).await;
        let plain = region.get(&uri).await.expect(200).body;
        assert_eq!(list["kind"], "ConfigMapList");
        assert_eq!(list["metadata"], plain["metadata"]);
        assert_eq!(list["items"][1]["metadata"], plain["items"][1]["metadata"]);
        assert_eq!(list["items"][1]["data"], plain["items"][1]["data"]);
        let deleted = typed(&region, Method::DELETE, CONFIG_MAPS, None).await;
        assert_eq!(deleted["items"].as_array().expect("items").len(), 3);
    });
}

#[test]
fn metadata_alone_is_protobuf_for_custom_objects_as_well() {
    in_region(|region| async move {
        let partial = |kind: &str| {
            format!(
                "application/vnd.kubernetes.protobuf;as={kind};g=meta.k8s.io;v=v1,application/json;as={kind};g=meta.k8s.io;v=v1,application/json"
            )
        };
        region.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(201);
        let (_, media, list) =
            ask(&region, Method::GET, CONFIG_MAPS, &partial("PartialObjectMetadataList"), None).await;
        assert_eq!((&*media, &list["kind"]), (MEDIA_TYPE, &json!("PartialObjectMetadataList")));
        assert_eq!(list["items"][0]["metadata"]["name"], "a");

        let widgets = widgets(&region).await;
        let (_, media, list) =
            ask(&region, Method::GET, widgets, &partial("PartialObjectMetadataList"), None).await;
        assert_eq!((&*media, &list["items"][0]["metadata"]["name"]), (MEDIA_TYPE, &json!("w")));
        let one = format!("{widgets}/w");
        let (_, media, object) =
            ask(&region, Method::GET, &one, &partial("PartialObjectMetadata"), None).await;
        assert_eq!((&*media, &object["metadata"]["name"]), (MEDIA_TYPE, &json!("w")));
    });
}

/// A custom resource with one object.
async fn widgets(region: &Region) -> &'static str {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let uri = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let made = typed(region, Method::POST, uri, Some(&definition)).await;
    let schema = &made["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    assert_eq!(schema["x-kubernetes-preserve-unknown-fields"], true);
    let widgets = "/apis/example.com/v1/namespaces/default/widgets";
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}});
    region.post(widgets, &widget).await.expect(201);
    widgets
}

#[test]
fn custom_objects_are_json_alone() {
    in_region(|region| async move {
        let widgets = widgets(&region).await;
        let one = format!("{widgets}/w");
        let (code, media, object) = ask(&region, Method::GET, &one, TYPED, None).await;
        assert_eq!((code, &*media, &object["kind"]), (200, "application/json", &json!("Widget")));
        let (code, _, list) = ask(&region, Method::GET, widgets, TYPED, None).await;
        assert_eq!((code, &list["kind"]), (200, &json!("WidgetList")));
        let (code, media, refused) = ask(&region, Method::GET, &one, MEDIA_TYPE, None).await;
        assert_eq!((code, &*media, &refused["reason"]), (406, MEDIA_TYPE, &json!("NotAcceptable")));
        let (code, _, refused) =
            ask(&region, Method::POST, widgets, TYPED, Some(&config_map("a", &json!({})))).await;
        assert_eq!(code, 415);
        assert_eq!(
            refused["message"],
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml"
        );
    });
}

#[test]
fn refusals_are_protobuf_for_who_prefers_it_and_bad_bodies_are_refused() {
    in_region(|region| async move {
        let (code, media, status) = ask(&region, Method::GET, &format!("{PODS}/none"), TYPED, None).await;
        assert_eq!((code, &*media), (404, MEDIA_TYPE));
        assert_eq!(status["message"], "pods \"none\" not found");
        assert_eq!(status["details"], json!({"name": "none", "kind": "pods"}));

        let mut wrong = deployment("web", 2);
        wrong["spec"]["replicas"] = json!(-1);
        let (code, _, status) = ask(&region, Method::POST, DEPLOYMENTS, TYPED, Some(&wrong)).await;
        assert_eq!(code, 422);
        assert_eq!(status["details"]["causes"][0]["field"], "spec.replicas");

        let (code, _, status) = ask(&region, Method::POST, DEPLOYMENTS, TYPED, Some(&pod("a"))).await;
        assert_eq!((code, &status["reason"]), (400, &json!("BadRequest")));

        let sent =
            region.ask(Method::POST, PODS, MEDIA_TYPE, "application/json", b"k8s\0\x0a\xff".to_vec()).await;
        assert_eq!(
            sent.expect(400).message(),
            "couldn't get version/kind; message apimachinery.pkg.runtime.Unknown field 1: it ends early"
        );
    });
}

/// The next frame of a watch: its event and its object.
async fn frame(body: &mut Body, rest: &mut Vec<u8>) -> (String, Value) {
    loop {
        if let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            if let Some(frame) = after.get(..length) {
                // Field 1, its length in one byte, the event; field 2 of field 1, the object.
                let event = String::from_utf8(frame[2..2 + usize::from(frame[1])].to_vec()).expect("text");
                let at = frame.windows(4).position(|bytes| bytes == b"k8s\0").expect("an envelope");
                let object = decode(&frame[at..]).expect("an object");
                rest.drain(..4 + length);
                return (event, object);
            }
        }
        let more = body.frame().await.expect("the watch goes on").expect("it cannot fail");
        rest.extend_from_slice(&more.into_data().expect("data"));
    }
}

#[test]
fn a_watch_is_frames_of_protobuf_bookmarks_and_errors_included() {
    in_region(|region| async move {
        region.post(CONFIG_MAPS, &config_map("a", &json!({"k": "v"}))).await.expect(201);
        let open = async |query: &str| {
            let uri = format!("{CONFIG_MAPS}?watch=1&{query}");
            let request =
                Request::builder().uri(uri).header("accept", WATCHED).body(Full::<Bytes>::default());
            let response = region.send(request.expect("a request")).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], WATCHED);
            response.into_body()
        };
        let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        let (mut body, mut rest) = (open(query).await, Vec::new());
        let (event, object) = frame(&mut body, &mut rest).await;
        assert_eq!((&*event, &object["data"]), ("ADDED", &json!({"k": "v"})));
        let (event, mark) = frame(&mut body, &mut rest).await;
        assert_eq!((&*event, &mark["kind"]), ("BOOKMARK", &json!("ConfigMap")));
        assert_eq!(mark["metadata"]["annotations"], json!({"k8s.io/initial-events-end": "true"}));
        region.merge(&format!("{CONFIG_MAPS}/a"), &json!({"data": {"k": "w"}})).await.expect(200);
        region.delete(&format!("{CONFIG_MAPS}/a")).await.expect(200);
        let (event, object) = frame(&mut body, &mut rest).await;
        assert_eq!((&*event, &object["data"]["k"]), ("MODIFIED", &json!("w")));
        let (event, object) = frame(&mut body, &mut rest).await;
        assert_eq!((&*event, &object["metadata"]["name"]), ("DELETED", &json!("a")));

        let mut body = open("resourceVersion=999999").await;
        let (event, status) = frame(&mut body, &mut Vec::new()).await;
        assert_eq!((&*event, &status["kind"], &status["code"]), ("ERROR", &json!("Status"), &json!(410)));
    });
}
