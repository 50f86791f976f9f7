//! The paths that are no resources: discovery, OpenAPI, version, health, metrics.

use http::request::Parts;
use http::{Method, Response};

use crate::body::Body;
use crate::server::ApiServer;
use crate::status::Status;

/// Serves a path; authorization has been passed.
pub(crate) fn serve(_server: &ApiServer, parts: &Parts) -> Result<Response<Body>, Status> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Status::method_not_allowed());
    }
    Err(Status::no_such_path())
}
