//! Ending all selected objects of a collection, one by one.

use http::{Response, StatusCode};
use mainstay_store::Query as StoreQuery;

use super::{Request, delete};
use crate::body::Body;
use crate::encode::{self, ListMeta};
use crate::respond;
use crate::selection::Selection;
use crate::status::Status;

/// Deletes what is selected; answers with the objects as their deletion left them.
pub(super) async fn delete_collection(request: &Request<'_>) -> Result<Response<Body>, Status> {
    if request.info.namespaced && request.target.namespace.is_none() {
        return Err(Status::method_not_allowed());
    }
    let options = delete::Options::of(request)?;
    let selection = Selection::of(request.info, request.target.namespace.as_deref(), None, &request.query)?;
    let query = StoreQuery {
        resource: &request.info.storage.resource,
        namespace: selection.namespace(),
        ..StoreQuery::default()
    };
    let page = request
        .server
        .store()
        .list(&query, &|record| selection.matches(record))
        .map_err(|compacted| Status::expired(compacted.to_string()))?;
    let mut ended = Vec::with_capacity(page.records.len());
    for record in &page.records {
        match delete::end(request, &record.key.name, &options).await {
            Ok(outcome) => ended.push(encode::in_version(request.info, &outcome.stored)),
            // Somebody else was faster, or it may not be deleted at all.
            Err(status) if matches!(status.code, 404 | 403) => {}
            Err(status) => return Err(status),
        }
    }
    let meta = ListMeta { revision: page.revision, ..ListMeta::default() };
    let segments =
        encode::list(&request.info.list_kind, &request.info.api_version(), &meta, ended.into_iter());
    Ok(respond::json(StatusCode::OK, Body::segments(segments)))
}
