//! `pods/binding`: assigning a pod to a node, once.

use http::{Response, StatusCode};
use mainstay_resource::{managed, meta};
use serde_json::{Value, json};

use super::eviction::success;
use crate::body::Body;
use crate::status::{Cause, Status};
use crate::verbs::Request;
use crate::verbs::commit::{self, Live, Plan};
use crate::{decode, negotiate, respond};

/// Assigns the pod in the URL to the node in the body.
pub(crate) async fn bind(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let binding = decode::object(negotiate::media_type(request.headers), &request.body)?.value;
    let given = meta::name(&binding);
    if !given.is_empty() && given != request.name() {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let kind = binding.pointer("/target/kind").and_then(Value::as_str).unwrap_or("Node");
    let node = binding.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
    let causes = match (kind, node) {
        ("Node", "") => vec![Cause::required("target.name", "")],
        ("Node", _) => Vec::new(),
        (other, _) => vec![Cause::invalid("target.kind", &json!(other), "must be empty or 'Node'")],
    };
    if !causes.is_empty() {
        return Err(Status::invalid(request.info, request.name(), causes));
    }
    let manager = request.field_manager()?.into_owned();
    let dry_run = request.dry_run()?;
    commit::change(request, request.name(), true, dry_run, &mut |live| {
        assign(request, live, &binding, node, &manager)
    })
    .await?;
    Ok(respond::value(StatusCode::CREATED, &success()))
}

fn assign(
    request: &Request<'_>,
    live: &Live,
    binding: &Value,
    node: &str,
    manager: &str,
) -> Result<Plan, Status> {
    let name = request.name();
    let refuse = |why: String| Err(Status::conflict(request.info, name, &why));
    let uid = meta::uid(binding);
    if !uid.is_empty() && uid != meta::uid(&live.object) {
        let actual = meta::uid(&live.object);
        return refuse(format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
        ));
    }
    if meta::deletion_timestamp(&live.object).is_some() {
        return refuse(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let bound = live.object.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    if !bound.is_empty() {
        return refuse(format!("pod {name} is already assigned to node \"{bound}\""));
    }
    let now = request.server.now();
    let mut object = live.object.clone();
    object["spec"]["nodeName"] = Value::from(node);
    for (key, value) in meta::annotations(binding) {
        meta::set_annotation(&mut object, key, value);
    }
    for (key, value) in meta::labels(binding) {
        meta::set_label(&mut object, key, value);
    }
    set_scheduled(&mut object, &now);
    let version = request.info.api_version();
    managed::update(
        Some(&live.object),
        &mut object,
        request.schema(),
        &request.author(manager, &version, &now),
    );
    Ok(Plan::Put(object))
}

/// Says in the conditions that the pod has its node.
fn set_scheduled(object: &mut Value, now: &str) {
    let scheduled =
        json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    let conditions = &mut object["status"]["conditions"];
    let Some(list) = conditions.as_array_mut() else {
        *conditions = json!([scheduled]);
        return;
    };
    match list
        .iter_mut()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some("PodScheduled"))
    {
        Some(condition) => *condition = scheduled,
        None => list.push(scheduled),
    }
}
