//! A server in a virtual World, and plain requests to it.

use std::future::Future;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use mainstay_apiserver::{ApiServer, Body, Config, InProcess};
use mainstay_base::{Seed, World};
use mainstay_pki::Tokens;
use mainstay_resource::{Identity, Rule};
use mainstay_store::Store;
use serde_json::Value;
use tower::Service as _;

/// A server with its basic objects, asked as a member of `system:masters`.
#[derive(Clone)]
pub(crate) struct Region {
    pub(crate) world: World,
    pub(crate) server: ApiServer,
    identity: Identity,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
    pub(crate) warnings: Vec<String>,
}

/// Runs `body` with a fresh region in a virtual World.
pub(crate) fn in_region<F, Fut>(body: F)
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    with_rules(Vec::new(), body);
}

/// As [`in_region`], with rule tables.
pub(crate) fn with_rules<F, Fut>(rules: Vec<(String, &'static [Rule])>, body: F)
where
    F: FnOnce(Region) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    let start = "2026-11-23T12:00:00Z".parse().expect("a time");
    World::enter(Seed(7), start, |world| async move {
        let region = Region::start(world, rules, Store::in_memory(None)).await;
        body(region).await;
    });
}

impl Region {
    pub(crate) async fn start(world: World, rules: Vec<(String, &'static [Rule])>, store: Store) -> Self {
        let server = ApiServer::new(Config {
            world: world.clone(),
            region: "us-east-1".to_owned(),
            store,
            rules,
            tokens: Tokens::new(),
            advertise: "127.0.0.1:6443".to_owned(),
        });
        server.bootstrap().await.expect("the basic objects are made");
        Self { world, server, identity: Identity::master("admin") }
    }

    /// The same server, asked as somebody else.
    pub(crate) fn as_user(&self, identity: Identity) -> Self {
        Self { identity, ..self.clone() }
    }

    pub(crate) fn kube(&self) -> kube::Client {
        kube::Client::new(self.server.service(self.identity.clone()), "default")
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        let mut service = self.server.service(self.identity.clone());
        service.call(request).await.expect("it cannot fail")
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        uri: &str,
        media: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", media)
            .header("accept", accept)
            .header("user-agent", "kubectl/v1.33.0 (linux/amd64)")
            .body(Full::from(body))
            .expect("a request");
        read(self.send(request).await).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.ask(Method::GET, uri, "", "application/json", Vec::new()).await
    }

    pub(crate) async fn get_as(&self, uri: &str, accept: &str) -> Answer {
        self.ask(Method::GET, uri, "", accept, Vec::new()).await
    }

    /// The body of an answer as text, whatever its code.
    pub(crate) async fn text(&self, uri: &str, accept: &str) -> String {
        let request = Request::builder().uri(uri).header("accept", accept).body(Full::default());
        let response = self.send(request.expect("a request")).await;
        let bytes = response.into_body().collect().await.expect("it cannot fail").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    pub(crate) async fn post(&self, uri: &str, object: &Value) -> Answer {
        self.ask(Method::POST, uri, "application/json", "application/json", bytes(object)).await
    }

    pub(crate) async fn put(&self, uri: &str, object: &Value) -> Answer {
        self.ask(Method::PUT, uri, "application/json", "application/json", bytes(object)).await
    }

    pub(crate) async fn merge(&self, uri: &str, patch: &Value) -> Answer {
        self.patch(uri, "application/merge-patch+json", patch).await
    }

    pub(crate) async fn patch(&self, uri: &str, media: &str, patch: &Value) -> Answer {
        self.ask(Method::PATCH, uri, media, "application/json", bytes(patch)).await
    }

    pub(crate) async fn apply(&self, uri: &str, config: &Value) -> Answer {
        self.patch(uri, "application/apply-patch+yaml", config).await
    }

    pub(crate) async fn delete(&self, uri: &str) -> Answer {
        self.ask(Method::DELETE, uri, "", "application/json", Vec::new()).await
    }

    pub(crate) async fn delete_with(&self, uri: &str, options: &Value) -> Answer {
        self.ask(Method::DELETE, uri, "application/json", "application/json", bytes(options)).await
    }

    /// Opens a watch.
    pub(crate) async fn watch(&self, uri: &str) -> Frames {
        self.watch_by(self.server.service(self.identity.clone()), uri).await
    }

    /// Opens a watch as a client that has no use for managed fields.
    pub(crate) async fn watch_lean(&self, uri: &str) -> Frames {
        self.watch_by(self.server.service(self.identity.clone()).without_managed_fields(), uri).await
    }

    async fn watch_by(&self, mut service: InProcess, uri: &str) -> Frames {
        let request = Request::builder().uri(uri).body(Full::<Bytes>::default()).expect("a request");
        let response = service.call(request).await.expect("it cannot fail");
        assert_eq!(response.status(), 200, "{uri}");
        Frames::of(response.into_body())
    }
}

/// The frames of a watch, one by one.
pub(crate) struct Frames {
    body: Body,
    rest: Vec<u8>,
}

impl Frames {
    pub(crate) fn of(body: Body) -> Self {
        Self { body, rest: Vec::new() }
    }

    /// The next frame; `None` at the watch's end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("a frame is JSON"));
            }
            let frame = self.body.frame().await?.expect("it cannot fail");
            self.rest.extend_from_slice(&frame.into_data().expect("data"));
        }
    }

    /// The next frame as its type and its object's name.
    pub(crate) async fn step(&mut self) -> (String, String) {
        let frame = self.next().await.expect("the watch goes on");
        let name = frame["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        (frame["type"].as_str().unwrap_or_default().to_owned(), name)
    }
}

pub(crate) async fn read(response: Response<Body>) -> Answer {
    let code = response.status().as_u16();
    let warnings = response.headers().get_all("warning").iter();
    let warnings = warnings.map(|value| value.to_str().expect("text").to_owned()).collect();
    let bytes = response.into_body().collect().await.expect("it cannot fail").to_bytes();
    let body = serde_json::from_slice(&bytes).expect("the answer is JSON");
    Answer { code, body, warnings }
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn revision(&self) -> &str {
        self.body["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    /// The answer, which must have this code.
    #[track_caller]
    pub(crate) fn expect(self, code: u16) -> Self {
        assert_eq!(self.code, code, "{}", self.body);
        self
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("it encodes")
}

pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
pub(crate) const PODS: &str = "/api/v1/namespaces/default/pods";

pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    serde_json::json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data })
}

pub(crate) fn deployment(name: &str, replicas: u32) -> Value {
    serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "main", "image": "nginx:1.27" }] },
            },
        },
    })
}

pub(crate) fn pod(name: &str) -> Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": { "containers": [{ "name": "main", "image": "nginx:1.27" }] },
    })
}
