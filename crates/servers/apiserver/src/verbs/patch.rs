//! Changing parts of an object.

use std::borrow::Cow;

use http::{Response, StatusCode};
use mainstay_resource::patch::{self, PatchError};
use mainstay_resource::{SchemaRef, meta};
use serde_json::{Value, json};

use super::commit::{self, Live, Plan};
use super::{Request, apply, expect_kind, update};
use crate::body::Body;
use crate::decode::{self, Decoded};
use crate::status::{Cause, Status};
use crate::{encode, negotiate, respond};

/// The media type of an apply.
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
const TYPES: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
const TYPES_BUILT_IN: &str = "application/json-patch+json, application/merge-patch+json, \
    application/strategic-merge-patch+json, application/apply-patch+yaml";

/// A decoded patch.
#[derive(Debug)]
pub(crate) enum Patch {
    /// Operations (RFC 6902).
    Json(Value),
    /// A partial object (RFC 7386).
    Merge(Value),
    /// A partial object whose lists merge by their keys.
    Strategic(Value),
}

impl Patch {
    /// Decodes the body by its media type.
    pub(crate) fn of(request: &Request<'_>) -> Result<(Self, Vec<String>), Status> {
        let built_in = !request.info.is_untyped();
        let make: fn(Value) -> Self = match negotiate::media_type(request.headers) {
            "application/json-patch+json" => Self::Json,
            "application/merge-patch+json" => Self::Merge,
            "application/strategic-merge-patch+json" if built_in => Self::Strategic,
            _ => return Err(Status::unsupported_media_type(if built_in { TYPES_BUILT_IN } else { TYPES })),
        };
        let Decoded { value, duplicates } = decode::json(&request.body)?;
        Ok((make(value), duplicates))
    }

    /// The object with the patch applied.
    pub(crate) fn apply(&self, object: Value, schema: SchemaRef<'_>) -> Result<Value, PatchError> {
        match self {
            Self::Json(operations) => patch::json(&object, operations),
            Self::Merge(part) => Ok(patch::merge(object, part)),
            Self::Strategic(part) => patch::strategic(object, part, schema),
        }
    }

    /// Whether the patch names the revision it is meant for.
    fn names_revision(&self) -> bool {
        match self {
            Self::Json(operations) => operations.as_array().into_iter().flatten().any(|operation| {
                operation.get("path").and_then(Value::as_str) == Some("/metadata/resourceVersion")
            }),
            Self::Merge(part) | Self::Strategic(part) => !meta::resource_version(part).is_empty(),
        }
    }

    /// What in the patch can be a field of the object.
    fn partial(&self) -> Option<&Value> {
        match self {
            Self::Json(_) => None,
            Self::Merge(part) | Self::Strategic(part) => Some(part),
        }
    }
}

/// Patches the object in the URL, or its status.
pub(super) async fn patch(request: &Request<'_>) -> Result<Response<Body>, Status> {
    if negotiate::media_type(request.headers) == APPLY {
        return apply::apply(request).await;
    }
    let (patch, duplicates) = Patch::of(request)?;
    if request.query.optional_flag("force").is_some() {
        let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
        return Err(Status::invalid_options("PatchOptions", vec![cause]));
    }
    let mut warnings = request.validate_fields(patch.partial().unwrap_or(&Value::Null), duplicates)?;
    let manager = request.field_manager()?.into_owned();
    let retry = !patch.names_revision();
    let dry_run = request.dry_run()?;
    let outcome = commit::change(request, request.name(), retry, dry_run, &mut |live| {
        decide(request, live, &patch, &manager)
    })
    .await?;
    warnings.extend(outcome.warnings);
    Ok(respond::warn(respond::object(request, StatusCode::OK, &outcome.stored), &warnings))
}

fn decide(request: &Request<'_>, live: &Live, patch: &Patch, manager: &str) -> Result<Plan, Status> {
    let mut object = live.object.clone();
    encode::to_served(request.info, &mut object);
    let mut object = patch.apply(object, request.schema()).map_err(|error| refused(request, error))?;
    if !object.is_object() {
        return Err(Status::new(422, "Invalid", "the patched object is no object")
            .about(request.info, request.name()));
    }
    expect_kind(&mut object, &request.info.api_version(), &request.info.kind)?;
    if matches!(patch, Patch::Json(_)) {
        request.validate_fields(&object, Vec::new())?;
    }
    request.prune(&mut object);
    check_name(request, &object)?;
    let revision = Cow::from(meta::resource_version(&object)).into_owned();
    update::check_preconditions(request, live, &object, &revision)?;
    update::finish(request, live, object, manager)
}

/// A patch cannot rename an object.
pub(super) fn check_name(request: &Request<'_>, object: &Value) -> Result<(), Status> {
    let given = meta::name(object);
    if given == request.name() {
        return Ok(());
    }
    let cause = Cause::invalid("metadata.name", &json!(given), "field is immutable");
    Err(Status::invalid(request.info, request.name(), vec![cause]))
}

/// What a refused patch means to the client.
pub(crate) fn refused(request: &Request<'_>, error: PatchError) -> Status {
    match error {
        PatchError::Malformed(why) => Status::bad_request(why),
        PatchError::Unprocessable(why) => {
            let message = format!("the server rejected our request due to an error in our request: {why}");
            Status::new(422, "Invalid", message).about(request.info, request.name())
        }
        error @ PatchError::TooLarge(_) => Status::new(413, "RequestEntityTooLarge", error.to_string()),
    }
}
