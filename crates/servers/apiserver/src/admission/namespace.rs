//! Upstream's `NamespaceLifecycle`: nothing is made in a namespace that is not there or is being
//! ended, and three namespaces do not end.

use mainstay_store::Key;
use serde_json::Value;

use super::name;
use crate::status::{Cause, Status};
use crate::verbs::Request;

/// Namespaces the cluster cannot be without.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Whether something may be made in the request's namespace.
pub(super) fn is_open(request: &Request<'_>, object: &Value) -> Result<(), Status> {
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
    Err(Status::forbidden(request.info, name(request, object), &why).with_causes(vec![cause]))
}

/// Whether a namespace may be ended.
pub(super) fn may_end(name: &str) -> Result<(), &'static str> {
    if IMMORTAL.contains(&name) { Err("this namespace may not be deleted") } else { Ok(()) }
}
