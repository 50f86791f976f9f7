//! Replacing an object, and the end that every change of a live object has.

use http::{Response, StatusCode};
use mainstay_resource::{managed, meta};
use serde_json::Value;

use super::commit::{self, Live, Plan};
use super::{Request, create, metadata};
use crate::body::Body;
use crate::registry::{Action, Origin};
use crate::status::{Cause, Status};
use crate::subresource::part;
use crate::{admission, defaults, encode, respond, validation};

/// Replaces the object in the URL (or its status, or a namespace's finalizers) by the one in the body.
pub(super) async fn replace(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let (object, mut warnings) = request.object()?;
    create::check_namespace(request, &object)?;
    check_name(request, &object)?;
    let manager = request.field_manager()?.into_owned();
    let revision = meta::resource_version(&object).to_owned();
    if revision.is_empty() && matches!(request.info.origin, Origin::Custom { .. }) {
        let cause =
            Cause::invalid("metadata.resourceVersion", &Value::from(0), "must be specified for an update");
        return Err(Status::invalid(request.info, request.name(), vec![cause]));
    }
    let dry_run = request.dry_run()?;
    let outcome = commit::change(request, request.name(), revision.is_empty(), dry_run, &mut |live| {
        check_preconditions(request, live, &object, &revision)?;
        finish(request, live, object.clone(), &manager)
    })
    .await?;
    warnings.extend(outcome.warnings);
    Ok(respond::warn(respond::object(request, StatusCode::OK, &outcome.stored), &warnings))
}

/// The name in the body must be the one in the URL, or absent.
fn check_name(request: &Request<'_>, object: &Value) -> Result<(), Status> {
    let given = meta::name(object);
    if given.is_empty() {
        let cause = Cause::required("metadata.name", "name is required");
        return Err(Status::invalid(request.info, "", vec![cause]));
    }
    if given == request.name() {
        return Ok(());
    }
    let url = request.name();
    Err(Status::bad_request(format!(
        "the name of the object ({given}) does not match the name on the URL ({url})"
    )))
}

/// An object that names a revision or a uid means the one with them.
pub(super) fn check_preconditions(
    request: &Request<'_>,
    live: &Live,
    object: &Value,
    revision: &str,
) -> Result<(), Status> {
    let uid = meta::uid(object);
    let actual = meta::uid(&live.object);
    if !uid.is_empty() && uid != actual {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}");
        return Err(Status::conflict(request.info, request.name(), &why));
    }
    if !revision.is_empty() && revision.parse() != Ok(live.record.revision) {
        return Err(Status::modified(request.info, request.name()));
    }
    Ok(())
}

/// What a live object becomes when it is to be `object`, which is in the version of the URL.
pub(crate) fn finish(
    request: &Request<'_>,
    live: &Live,
    object: Value,
    manager: &str,
) -> Result<Plan, Status> {
    let version = request.info.api_version();
    finish_as(request, live, object, &mut |before, object, now| {
        managed::update(Some(before), object, request.schema(), &request.author(manager, &version, now));
    })
}

/// As [`finish`], with the ownership of fields as `own` says; it is given the live object and the
/// new one in the version of the URL.
pub(crate) fn finish_as(
    request: &Request<'_>,
    live: &Live,
    mut object: Value,
    own: &mut dyn FnMut(&Value, &mut Value, &str),
) -> Result<Plan, Status> {
    let info = request.info;
    let served;
    let before = if info.is_stored_version() {
        &live.object
    } else {
        let mut copy = live.object.clone();
        encode::to_served(info, &mut copy);
        served = copy;
        &served
    };
    limit(request, before, &mut object);
    metadata::carry_over(before, &mut object);
    defaults::apply_defaults(info, &mut object);
    if object == *before {
        return Ok(settle(request, before, object));
    }
    admission::update(request, before, &mut object)?;
    let part = request.subresource.map(|sub| &sub.action);
    request.server.strategy().prepare_update(info, before, &mut object, part)?;
    metadata::refuse(info, &object, validation::update(info, before, &object, part))?;
    metadata::bump_generation(info, before, &mut object);
    metadata::refuse(info, &object, metadata::check_changed(before, &object))?;
    admission::validate(request, Some(before), &object)?;
    own(before, &mut object, &request.server.now());
    Ok(settle(request, before, object))
}

fn limit(request: &Request<'_>, before: &Value, object: &mut Value) {
    match request.subresource.map(|sub| &sub.action) {
        Some(Action::Finalize) => {
            let finalizers = object.pointer("/spec/finalizers").cloned();
            *object = before.clone();
            object["spec"]["finalizers"] = finalizers.unwrap_or(Value::Null);
        }
        Some(action @ (Action::Ephemeral | Action::Resize)) => part::limit(action, before, object),
        _ => metadata::limit_to_part(request.info, request.is_status(), before, object),
    }
}

/// The plan that leads to a state: none, a write, or the end of an object nothing keeps.
fn settle(request: &Request<'_>, before: &Value, mut object: Value) -> Plan {
    let same = metadata::same_but_for_times(before, &object);
    if metadata::is_finished(request.info, &object) {
        encode::to_stored(request.info, &mut object);
        return Plan::Remove(object);
    }
    if same {
        return Plan::Keep;
    }
    encode::to_stored(request.info, &mut object);
    Plan::Put(object)
}
