//! Making an object.

use bytes::Bytes;
use http::{Response, StatusCode};
use mainstay_resource::{managed, meta, name};
use serde_json::Value;

use super::{Request, commit, metadata};
use crate::body::Body;
use crate::status::Status;
use crate::{admission, defaults, encode, respond, validation};

/// How often a generated name that is taken is replaced by another.
const NAMES: usize = 8;

/// Makes the object in the body.
pub(super) async fn create(request: &Request<'_>) -> Result<Response<Body>, Status> {
    if request.target.name.is_some() {
        return Err(Status::method_not_allowed());
    }
    let (object, mut warnings) = request.object()?;
    if !meta::resource_version(&object).is_empty() {
        return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
    }
    let (stored, told) = make(request, object, request.dry_run()?).await?;
    warnings.extend(told);
    Ok(respond::warn(respond::object(request, StatusCode::CREATED, &stored), &warnings))
}

/// Makes an object that is in the version of the URL, owned by the request's field manager; says
/// what its author should know about it.
async fn make(
    request: &Request<'_>,
    mut object: Value,
    dry_run: bool,
) -> Result<(Bytes, Vec<String>), Status> {
    check_namespace(request, &object)?;
    let prefix = meta::generate_name(&object).to_owned();
    let generates = meta::name(&object).is_empty() && !prefix.is_empty();
    let attempts = if generates { NAMES } else { 1 };
    admission::settle(request, &object).await;
    let manager = request.field_manager()?.into_owned();
    prepare(request, &mut object, &mut |object, now| {
        let version = request.info.api_version();
        managed::update(None, object, request.schema(), &request.author(&manager, &version, now));
    })?;
    for _ in 0..attempts {
        if let Some(stored) = commit::make(request, meta::name(&object), &object, dry_run).await? {
            return Ok((stored, admission::warnings(request, None, &object)));
        }
        if generates {
            meta::set_name(&mut object, "");
            generate_name(request, &mut object);
        }
    }
    Err(Status::already_exists(request.info, meta::name(&object)))
}

/// Turns an object in the version of the URL into the state that will be stored: stamped, with
/// defaults, owned as `own` says, admitted, named, and checked.
pub(super) fn prepare(
    request: &Request<'_>,
    object: &mut Value,
    own: &mut dyn FnMut(&mut Value, &str),
) -> Result<(), Status> {
    let info = request.info;
    let now = request.server.now();
    metadata::begin(info, object, request.namespace(), &request.server.world().uuid(), &now);
    defaults::apply_defaults(info, object);
    // Before the rest, so that its author owns what it sent and nothing the server adds.
    own(object, &now);
    admission::create(request, object)?;
    generate_name(request, object);
    metadata::refuse(info, object, metadata::check_new(info, object))?;
    request.server.strategy().prepare_create(info, object)?;
    metadata::refuse(info, object, validation::create(info, object))?;
    admission::validate(request, None, object)?;
    encode::to_stored(info, object);
    Ok(())
}

/// The namespace in the body must be the one in the URL, or absent. Where there are no namespaces it
/// means nothing and is dropped later.
pub(super) fn check_namespace(request: &Request<'_>, object: &Value) -> Result<(), Status> {
    let given = meta::namespace(object);
    if request.info.namespaced && request.target.namespace.is_none() {
        return Err(Status::method_not_allowed());
    }
    if !request.info.namespaced || given.is_empty() || given == request.namespace() {
        return Ok(());
    }
    Err(Status::bad_request(
        "the namespace of the provided object does not match the namespace sent on the request",
    ))
}

/// Names an object that has no name but says what it begins with.
fn generate_name(request: &Request<'_>, object: &mut Value) {
    let prefix = meta::generate_name(object);
    if meta::name(object).is_empty() && !prefix.is_empty() {
        let suffix = request.server.world().name_suffix(name::GENERATED_SUFFIX_BYTES);
        meta::set_name(object, &name::generated(prefix, &suffix));
    }
}
