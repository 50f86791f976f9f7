//! Ending all selected objects of a collection, one by one.

use http::{Response, StatusCode};

use super::{Request, delete, list, options};
use crate::body::Body;
use crate::encode;
use crate::respond;
use crate::selection::Selection;
use crate::status::Status;

/// Deletes what is selected, or as much of it as the limit says; answers with the objects as they
/// were.
pub(super) async fn delete_collection(request: &Request<'_>) -> Result<Response<Body>, Status> {
    if request.info.namespaced && request.target.namespace.is_none() {
        return Err(Status::method_not_allowed());
    }
    options::check_list(request)?;
    let options = delete::Options::of(request)?;
    let selection = Selection::of(request.info, request.target.namespace.as_deref(), None, &request.query)?;
    let page = list::page(request, &selection)?;
    for record in &page.records {
        match delete::end(request, &record.key.name, &options).await {
            // Somebody else was faster.
            Err(status) if status.code == 404 => {}
            outcome => drop(outcome?),
        }
    }
    let meta = list::meta_of(&page, &selection);
    let records = page.records.iter().map(AsRef::as_ref);
    let segments = encode::list_of(request.info, &meta, records);
    Ok(respond::json(StatusCode::OK, Body::segments(segments)))
}
