//! Server-side apply: the body is what its manager wants the object to be, and all it owns of it.

use bytes::Bytes;
use http::{Response, StatusCode};
use mainstay_resource::managed::{self, ApplyError};
use mainstay_resource::meta;
use serde_json::Value;

use super::commit::{self, Live, Plan};
use super::{Request, create, patch, update};
use crate::body::Body;
use crate::decode::{self, Decoded};
use crate::status::{Cause, Status};
use crate::{admission, encode, respond};

/// A decoded apply.
struct Configuration {
    object: Value,
    manager: String,
    force: bool,
    dry_run: bool,
}

/// Applies the body to the object in the URL, which is made when it is not there.
pub(super) async fn apply(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let (configuration, mut warnings) = decode(request)?;
    let (code, stored, told) = loop {
        let exists = request.server.store().get(&request.key(request.name())).is_some();
        if exists || request.subresource.is_some() {
            let retry = meta::resource_version(&configuration.object).is_empty();
            let outcome =
                commit::change(request, request.name(), retry, configuration.dry_run, &mut |live| {
                    decide(request, live, &configuration)
                })
                .await;
            match outcome {
                // It went away in between.
                Err(status) if status.code == 404 && request.subresource.is_none() => continue,
                outcome => {
                    let outcome = outcome?;
                    break (StatusCode::OK, outcome.stored, outcome.warnings);
                }
            }
        }
        if let Some((stored, told)) = make(request, &configuration).await? {
            break (StatusCode::CREATED, stored, told);
        }
    };
    warnings.extend(told);
    Ok(respond::warn(respond::object(request, code, &stored), &warnings))
}

fn decode(request: &Request<'_>) -> Result<(Configuration, Vec<String>), Status> {
    let manager = request.query.get("fieldManager").ok_or_else(|| {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        Status::invalid_options("PatchOptions", vec![cause])
    })?;
    let Decoded { value: mut object, duplicates } = decode::yaml(&request.body)?;
    if !object.is_object() {
        return Err(Status::bad_request("error decoding YAML: the configuration is not an object"));
    }
    check_kind(request, &object)?;
    create::check_namespace(request, &object)?;
    if meta::name(&object).is_empty() {
        meta::set_name(&mut object, request.name());
    }
    patch::check_name(request, &object)?;
    let warnings = request.validate_fields(&object, duplicates)?;
    request.prune(&mut object);
    let (force, dry_run) = (request.query.flag("force"), request.dry_run()?);
    Ok((Configuration { object, manager: manager.to_owned(), force, dry_run }, warnings))
}

/// A configuration says what it is of; another kind or none is an error.
fn check_kind(request: &Request<'_>, object: &Value) -> Result<(), Status> {
    let (version, kind) = (meta::api_version(object), meta::kind(object));
    if (version, kind) == (request.info.api_version().as_str(), &*request.info.kind) {
        return Ok(());
    }
    let separator = if version.is_empty() || !version.contains('/') { "/" } else { "" };
    Err(Status::bad_request(format!("invalid object type: {separator}{version}, Kind={kind}")))
}

fn decide(request: &Request<'_>, live: &Live, configuration: &Configuration) -> Result<Plan, Status> {
    let config = &configuration.object;
    update::check_preconditions(request, live, config, meta::resource_version(config))?;
    let mut before = live.object.clone();
    encode::to_served(request.info, &mut before);
    let object = merged(request, Some(&before), configuration)?;
    update::finish_as(request, live, object, &mut |_, _, _| {})
}

async fn make(
    request: &Request<'_>,
    configuration: &Configuration,
) -> Result<Option<(Bytes, Vec<String>)>, Status> {
    let config = &configuration.object;
    if !meta::uid(config).is_empty() || !meta::resource_version(config).is_empty() {
        return Err(Status::conflict(
            request.info,
            request.name(),
            "uid mismatch: the object does not exist",
        ));
    }
    let mut object = merged(request, None, configuration)?;
    admission::settle(request, &object).await;
    create::prepare(request, &mut object, &mut |_, _| {})?;
    let made = commit::make(request, request.name(), &object, configuration.dry_run).await?;
    Ok(made.map(|stored| (stored, admission::warnings(request, None, &object))))
}

fn merged(
    request: &Request<'_>,
    live: Option<&Value>,
    configuration: &Configuration,
) -> Result<Value, Status> {
    let (version, now) = (request.info.api_version(), request.server.now());
    let author = request.author(&configuration.manager, &version, &now);
    let mut config = configuration.object.clone();
    // They are preconditions here, not fields to own.
    for field in ["resourceVersion", "uid"] {
        meta::metadata_mut(&mut config).remove(field);
    }
    managed::apply(live, &config, request.schema(), &author, configuration.force).map_err(|error| match error
    {
        ApplyError::Invalid(why) => Status::bad_request(why),
        ApplyError::Conflicts(conflicts) => {
            let causes = conflicts.all().into_iter().map(|conflict| Cause {
                reason: "FieldManagerConflict",
                message: conflict.message(),
                field: conflict.field,
            });
            Status::new(409, "Conflict", conflicts.to_string())
                .about(request.info, request.name())
                .with_causes(causes.collect())
        }
    })
}
