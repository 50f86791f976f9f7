//! `scale`: an object's replica count as an `autoscaling/v1` Scale.
//!
//! LIMIT: a Scale cannot be applied server-side; upstream's own controllers update or patch it.

use std::sync::Arc;

use http::{Response, StatusCode};
use mainstay_resource::{GroupVersionKind, LabelSelector, Schema, managed, meta};
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::negotiate::View;
use crate::registry::ScalePaths;
use crate::route::Verb;
use crate::status::{Cause, Status};
use crate::verbs::commit::{self, Live, Plan};
use crate::verbs::patch::{self, Patch};
use crate::verbs::{Request, expect_kind, metadata};
use crate::{decode, encode, negotiate, respond, table};

const API_VERSION: &str = "autoscaling/v1";

/// Serves a verb on the scale of the object in the URL.
pub(crate) async fn serve(
    verb: Verb,
    request: &Request<'_>,
    paths: &ScalePaths,
) -> Result<Response<Body>, Status> {
    match verb {
        Verb::Get => get(request, paths),
        Verb::Update => update(request, paths).await,
        Verb::Patch => patch(request, paths).await,
        _ => Err(Status::method_not_allowed()),
    }
}

fn get(request: &Request<'_>, paths: &ScalePaths) -> Result<Response<Body>, Status> {
    let record = request
        .server
        .store()
        .get(&request.key(request.name()))
        .ok_or_else(|| Status::not_found(request.info, request.name()))?;
    Ok(answer(request, &scale_of(&encode::decode(&record.value), paths)))
}

/// A Scale in the form the client asked for.
fn answer(request: &Request<'_>, scale: &Value) -> Response<Body> {
    match request.view {
        View::Table => {
            let table = table::of_scale(request.info, scale, request.table);
            respond::json(StatusCode::OK, Body::full(table))
        }
        View::Object | View::Metadata => respond::value(StatusCode::OK, scale),
    }
}

async fn update(request: &Request<'_>, paths: &ScalePaths) -> Result<Response<Body>, Status> {
    let mut scale = decode::object(negotiate::media_type(request.headers), &request.body)?.value;
    expect_kind(&mut scale, API_VERSION, "Scale")?;
    let given = meta::name(&scale);
    if given != request.name() {
        let url = request.name();
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({url})"
        )));
    }
    change(request, paths, meta::resource_version(&scale).is_empty(), &|_| Ok(scale.clone())).await
}

async fn patch(request: &Request<'_>, paths: &ScalePaths) -> Result<Response<Body>, Status> {
    if negotiate::media_type(request.headers) == patch::APPLY {
        return Err(Status::unsupported_media_type(
            "application/json-patch+json, application/merge-patch+json",
        ));
    }
    let (patch, _) = Patch::of(request)?;
    let schema = Schema::for_kind_or_custom(&GroupVersionKind::new("autoscaling", "v1", "Scale"));
    change(request, paths, true, &|live| {
        patch.apply(scale_of(&live.object, paths), schema).map_err(|error| patch::refused(request, error))
    })
    .await
}

/// Writes the replica count of the scale that `wanted` makes of the live object.
async fn change(
    request: &Request<'_>,
    paths: &ScalePaths,
    retry: bool,
    wanted: &(dyn Fn(&Live) -> Result<Value, Status> + Sync),
) -> Result<Response<Body>, Status> {
    let manager = request.field_manager()?.into_owned();
    let dry_run = request.dry_run()?;
    let outcome = commit::change(request, request.name(), retry, dry_run, &mut |live| {
        resize(request, live, paths, &wanted(live)?, &manager)
    })
    .await?;
    Ok(answer(request, &scale_of(&encode::decode(&outcome.stored), paths)))
}

fn resize(
    request: &Request<'_>,
    live: &Live,
    paths: &ScalePaths,
    scale: &Value,
    manager: &str,
) -> Result<Plan, Status> {
    let uid = meta::uid(scale);
    let revision = meta::resource_version(scale);
    let is_other = !uid.is_empty() && uid != meta::uid(&live.object);
    if is_other || (!revision.is_empty() && revision.parse() != Ok(live.record.revision)) {
        return Err(Status::modified(request.info, request.name()));
    }
    let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
    if replicas < 0 {
        let cause = Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0");
        return Err(Status::invalid(request.info, request.name(), vec![cause]));
    }
    if number(&live.object, &paths.spec_replicas) == Some(replicas) {
        return Ok(Plan::Keep);
    }
    let mut object = live.object.clone();
    set(&mut object, &paths.spec_replicas, Value::from(replicas));
    if let Some(structural) = request.info.structural() {
        let causes = structural.check(Some(&live.object), &object);
        metadata::refuse(request.info, &object, causes)?;
    }
    metadata::bump_generation(request.info, &live.object, &mut object);
    let (version, now) = (request.info.api_version(), request.server.now());
    managed::update(
        Some(&live.object),
        &mut object,
        request.schema(),
        &request.author(manager, &version, &now),
    );
    Ok(Plan::Put(object))
}

/// The Scale of an object.
fn scale_of(object: &Value, paths: &ScalePaths) -> Value {
    let mut shown = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = meta::metadata(object).and_then(|metadata| metadata.get(field)) {
            shown.insert(field.to_owned(), value.clone());
        }
    }
    let mut status = json!({ "replicas": number(object, &paths.status_replicas).unwrap_or(0) });
    if let Some(selector) =
        paths.selector.as_ref().and_then(|path| find(object, path)).and_then(selector_text)
    {
        status["selector"] = Value::from(selector);
    }
    json!({
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": shown,
        "spec": { "replicas": number(object, &paths.spec_replicas).unwrap_or(0) },
        "status": status,
    })
}

/// A selector in its text form; a ReplicationController has a plain map.
fn selector_text(selector: &Value) -> Option<String> {
    if let Some(text) = selector.as_str() {
        return Some(text.to_owned());
    }
    let map = selector.as_object()?;
    let is_object_form = map.contains_key("matchLabels") || map.contains_key("matchExpressions");
    if is_object_form {
        return LabelSelector::from_object(selector).ok().map(|selector| selector.to_string());
    }
    let pairs = map.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    Some(LabelSelector::from_pairs(pairs).to_string())
}

fn find<'a>(object: &'a Value, path: &[Arc<str>]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, step| value.get(&**step))
}

fn number(object: &Value, path: &[Arc<str>]) -> Option<i64> {
    find(object, path)?.as_i64()
}

fn set(object: &mut Value, path: &[Arc<str>], value: Value) {
    let mut place = object;
    for step in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[&**step];
    }
    *place = value;
}
