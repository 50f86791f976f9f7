//! `pods/eviction`: deleting a pod on behalf of a drain.
//!
//! LIMIT: disruption budgets are not asked yet.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::body::Body;
use crate::status::Status;
use crate::verbs::Request;
use crate::verbs::delete::{self, Options};
use crate::{decode, negotiate, respond};

/// Deletes the pod in the URL with the options in the body.
pub(crate) async fn evict(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let eviction = decode::object(negotiate::media_type(request.headers), &request.body)?.value;
    let given = eviction.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if !given.is_empty() && given != request.name() {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let mut options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
    if !options.is_object() {
        return Err(Status::bad_request("deleteOptions of the Eviction is no object"));
    }
    if request.query.dry_run()? {
        options["dryRun"] = json!(["All"]);
    }
    delete::end(request, request.name(), &Options::of_value(&options)?).await?;
    Ok(respond::value(StatusCode::CREATED, &success()))
}

/// The Status of a request that did what it asked for.
pub(super) fn success() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}
