//! Reading one object.

use http::{Response, StatusCode};

use super::Request;
use crate::body::Body;
use crate::respond;
use crate::status::Status;

/// The object in the URL. Every read is of the latest revision, so any `resourceVersion` up to it
/// is honoured.
pub(super) fn get(request: &Request<'_>) -> Result<Response<Body>, Status> {
    super::list::check_revision(request)?;
    let key = request.key(request.name());
    let record =
        request.server.store().get(&key).ok_or_else(|| Status::not_found(request.info, request.name()))?;
    Ok(respond::object(request, StatusCode::OK, &record.value))
}
