//! The paths that are no resources: discovery, OpenAPI, version, health, metrics.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::body::Body;
use crate::discovery;
use crate::server::ApiServer;
use crate::status::Status;
use crate::{health, metrics, respond};

/// Serves a path; authorization has been passed.
pub(crate) fn serve(server: &ApiServer, parts: &Parts) -> Result<Response<Body>, Status> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Status::method_not_allowed());
    }
    let path = parts.uri.path();
    match path.trim_end_matches('/') {
        "" => return Ok(respond::value(StatusCode::OK, &index(server))),
        "/version" => return Ok(respond::value(StatusCode::OK, &health::version())),
        "/metrics" => return Ok(exposition(server)),
        _ => {}
    }
    let ending = server.shutdown().has_begun();
    health::answer(path, parts.uri.query(), server.readiness(), ending)
        .or_else(|| server.openapi().answer(path, &parts.headers))
        .or_else(|| server.discovery().answer(path, &parts.headers))
        .ok_or_else(Status::no_such_path)
}

/// The paths there are, as `/` lists them.
fn index(server: &ApiServer) -> Value {
    const FIXED: [&str; 9] = [
        "/api",
        "/apis",
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ];
    let mut paths: Vec<String> = FIXED.iter().map(|path| (*path).to_owned()).collect();
    let snapshot = server.registry().snapshot();
    for group in discovery::groups(&snapshot) {
        let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        paths
            .extend(discovery::versions(&snapshot, &group).iter().map(|version| format!("{root}/{version}")));
        paths.push(root);
    }
    paths.sort();
    paths.dedup();
    json!({ "paths": paths })
}

fn exposition(server: &ApiServer) -> Response<Body> {
    let snapshot = server.registry().snapshot();
    let text = metrics::expose(server.meter(), server.store(), &snapshot, server.process());
    let mut response = Response::new(Body::full(text));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
