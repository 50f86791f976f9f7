//! What other objects and the cluster's habits have to say about an object before it is stored:
//! upstream's admission plugins that are on by default.
//!
//! A plugin changes the object or says why it is refused, which becomes upstream's 403. It runs
//! after the object's defaults and before its kind's own preparation, so nothing it adds is owned
//! by whoever wrote the object.
//!
//! **Not here:** defaults (`defaults`), the rules of a kind (`strategy`, `validation`).

use mainstay_resource::meta;
use mainstay_store::{Key, Store};
use serde_json::Value;

use crate::encode;
use crate::registry::{Action, ResourceInfo};
use crate::status::Status;
use crate::verbs::Request;

mod limit_range;
mod namespace;
mod pod_security;
mod priority;
pub(crate) mod quota;
mod service_account;
mod storage;
mod taints;
#[cfg(test)]
mod tests;
mod tolerations;

pub(crate) use pod_security::warnings;
pub(crate) use priority::{SYSTEM_CLASSES, SystemClass};
pub(crate) use storage::{DEFAULT_CLASS, is_default_class};

/// Waits for what the admission of a new object needs and controllers are about to make.
pub(crate) async fn settle(request: &Request<'_>, object: &Value) {
    if is(request.info, "", "Pod") {
        service_account::await_default(request, object).await;
    }
}

/// Admits a new object, in the version of the URL; a generated name is not there yet.
pub(crate) fn create(request: &Request<'_>, object: &mut Value) -> Result<(), Status> {
    namespace::is_open(request, object)?;
    let store = request.server.store();
    let verdict = match (&*request.info.group, &*request.info.kind) {
        ("", "Pod") => {
            limit_range::give_defaults(store, request.namespace(), object);
            service_account::admit(request, object)
                .and_then(|()| priority::admit(store, object))
                .map(|()| tolerations::admit(object))
        }
        ("", "Node") => {
            taints::admit(object);
            Ok(())
        }
        ("", "PersistentVolumeClaim") => {
            storage::protect(object, storage::PROTECTED_CLAIM);
            storage::give_class(store, object);
            Ok(())
        }
        ("", "PersistentVolume") => {
            storage::protect(object, storage::PROTECTED_VOLUME);
            Ok(())
        }
        ("scheduling.k8s.io", "PriorityClass") => priority::admit_class(store, object),
        _ => Ok(()),
    };
    verdict.map_err(|why| Status::forbidden(request.info, name(request, object), &why))
}

/// Admits a change of an object, in the version of the URL.
pub(crate) fn update(request: &Request<'_>, before: &Value, object: &mut Value) -> Result<(), Status> {
    if request.subresource.is_some() {
        if is_resize(request) && !limit_range::is_ending(before) {
            limit_range::give_defaults(request.server.store(), request.namespace(), object);
        }
        return Ok(());
    }
    let verdict = match (&*request.info.group, &*request.info.kind) {
        ("", "Pod") => {
            priority::keep(before, object);
            tolerations::admit(object);
            Ok(())
        }
        ("scheduling.k8s.io", "PriorityClass") => priority::admit_class(request.server.store(), object),
        _ => Ok(()),
    };
    verdict.map_err(|why| Status::forbidden(request.info, name(request, object), &why))
}

/// Checks an object that is about to be written, whole and valid, in the version of the URL; `before`
/// is what it replaces.
pub(crate) fn validate(request: &Request<'_>, before: Option<&Value>, object: &Value) -> Result<(), Status> {
    if is(request.info, "", "Namespace") {
        return pod_security::check_labels(request, before, object);
    }
    let is_pod = is(request.info, "", "Pod") && pod_security::is_of_pod_itself(request);
    let store = request.server.store();
    let verdict = if is_bounded(request, before) {
        limit_range::check(store, request.namespace(), &request.info.kind, object)
    } else {
        Ok(())
    };
    verdict
        .and_then(|()| if is_pod { pod_security::enforce(request, before, object) } else { Ok(()) })
        .map_err(|why| Status::forbidden(request.info, name(request, object), &why))
}

/// Whether a write must keep to the LimitRanges of its namespace.
fn is_bounded(request: &Request<'_>, before: Option<&Value>) -> bool {
    let is_bounded = request.info.group.is_empty()
        && match (&*request.info.kind, before) {
            ("Pod", None) => true,
            ("Pod", Some(_)) => is_resize(request),
            ("PersistentVolumeClaim", _) => request.subresource.is_none(),
            _ => false,
        };
    is_bounded && !before.is_some_and(limit_range::is_ending)
}

/// Admits the end of an object: what the cluster cannot be without stays.
pub(crate) fn delete(info: &ResourceInfo, name: &str) -> Result<(), Status> {
    let verdict = match (&*info.group, &*info.kind) {
        ("", "Namespace") => namespace::may_end(name),
        ("scheduling.k8s.io", "PriorityClass") => priority::may_end(name),
        _ => Ok(()),
    };
    verdict.map_err(|why| Status::forbidden(info, name, why))
}

fn is_resize(request: &Request<'_>) -> bool {
    request.subresource.is_some_and(|part| part.action == Action::Resize)
}

/// An object of the store, decoded.
fn look_up(store: &Store, resource: &str, namespace: &str, name: &str) -> Option<Value> {
    store.get(&Key::new(resource, namespace, name)).map(|record| encode::decode(&record.value))
}

fn is(info: &ResourceInfo, group: &str, kind: &str) -> bool {
    &*info.group == group && &*info.kind == kind
}

/// What a refusal calls the object: before it has a name, what its name will begin with.
fn name<'a>(request: &'a Request<'_>, object: &'a Value) -> &'a str {
    [request.name(), meta::name(object), meta::generate_name(object)]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or("Unknown")
}
