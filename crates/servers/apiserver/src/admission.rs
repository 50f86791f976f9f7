//! What is decided about an object before it is stored, beyond its own fields: the chain every
//! write passes, mutation first, then checks.
//!
//! **Not here:** defaults (`defaults`), the rules of a kind (`strategy`, `validation`).

use mainstay_store::Key;
use serde_json::Value;

use crate::status::{Cause, Status};
use crate::validation;
use crate::verbs::{Request, metadata};

/// Admits a new object, in the version of the URL.
pub(crate) fn create(request: &Request<'_>, object: &mut Value) -> Result<(), Status> {
    namespace_is_open(request)?;
    request.server.strategy().prepare_create(request.info, object)?;
    metadata::refuse(request.info, object, validation::create(request.info, object))
}

/// Admits a change of an object, in the version of the URL.
pub(crate) fn update(request: &Request<'_>, before: &Value, object: &mut Value) -> Result<(), Status> {
    let part = request.subresource.map(|sub| &sub.action);
    request.server.strategy().prepare_update(request.info, before, object, part)?;
    metadata::refuse(request.info, object, validation::update(request.info, before, object, part))
}

/// Nothing is made in a namespace that is not there or is being ended.
fn namespace_is_open(request: &Request<'_>) -> Result<(), Status> {
    if !request.info.namespaced {
        return Ok(());
    }
    let namespace = request.namespace();
    let Some(record) = request.server.store().get(&Key::new("/namespaces", "", namespace)) else {
        let snapshot = request.server.registry().snapshot();
        return Err(match snapshot.find("", "v1", "namespaces") {
            Some(info) => Status::not_found(info, namespace),
            None => Status::no_such_path(),
        });
    };
    if record.tags.field("status.phase") != Some("Terminating") {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = Cause {
        reason: "NamespaceTerminating",
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    };
    Err(Status::forbidden(request.info, "", &why).with_causes(vec![cause]))
}
