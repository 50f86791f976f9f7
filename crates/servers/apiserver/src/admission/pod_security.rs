//! Upstream's `PodSecurity`: how much the pods of a namespace may reach beyond themselves, as the
//! namespace's labels say.
//!
//! `enforce` refuses pods, and pods alone: a controller's object is let in, and its pods are not.
//! `warn` tells whoever writes a pod or something with a pod's template; without a level of its own
//! it is as strict as `enforce`. `audit` is checked for its spelling only: there is no audit log.
//! No namespace, user or runtime class is exempt, as upstream's default has it.
//!
//! **Invariant:** a change of a pod that leaves its containers and images alone is never judged anew.

use mainstay_resource::meta;
use mainstay_store::{Key, Store};
use serde_json::Value;

use super::{is, name};
use crate::fields::at;
use crate::registry::{Action, ResourceInfo};
use crate::route::Verb;
use crate::status::{Cause, Status};
use crate::verbs::Request;

mod baseline;
mod change;
mod checks;
mod existing;
mod policy;
mod restricted;
#[cfg(test)]
mod tests;

use checks::violations;
use policy::Policy;

/// Refuses a pod that violates what its namespace enforces.
pub(super) fn enforce(request: &Request<'_>, before: Option<&Value>, pod: &Value) -> Result<(), String> {
    if before.is_some_and(|before| !change::is_significant(before, pod)) {
        return Ok(());
    }
    let standard = policy_of(request.server.store(), request.namespace()).enforce;
    match checks::told(&violations(standard, part(pod, &["spec"]), part(pod, &["metadata"]))) {
        told if told.is_empty() => Ok(()),
        told => Err(format!("violates PodSecurity \"{standard}\": {told}")),
    }
}

/// Refuses a Namespace whose labels say what is no level and no version; those it already had may
/// stay.
pub(super) fn check_labels(
    request: &Request<'_>,
    before: Option<&Value>,
    namespace: &Value,
) -> Result<(), Status> {
    if request.subresource.is_some() {
        return Ok(());
    }
    let wrong = wrong_labels(namespace);
    if wrong.is_empty() || before.is_some_and(|before| wrong_labels(before) == wrong) {
        return Ok(());
    }
    Err(Status::invalid(request.info, name(request, namespace), wrong))
}

/// What the writer of an object that is let in should know about it.
pub(crate) fn warnings(request: &Request<'_>, before: Option<&Value>, object: &Value) -> Vec<String> {
    if !matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch) {
        return Vec::new();
    }
    let store = request.server.store();
    if is(request.info, "", "Pod") {
        let is_judged =
            is_of_pod_itself(request) && before.is_none_or(|before| change::is_significant(before, object));
        return if is_judged { of_pod(policy_of(store, request.namespace()), object) } else { Vec::new() };
    }
    if request.subresource.is_some() {
        return Vec::new();
    }
    if is(request.info, "", "Namespace") {
        return before.map_or_else(Vec::new, |before| existing::warnings(store, before, object));
    }
    let template = template_path(request.info).and_then(|path| at(object, path));
    template.map_or_else(Vec::new, |template| {
        let warn = policy_of(store, request.namespace()).warn;
        warning(warn, template).into_iter().collect()
    })
}

/// Whether the request writes what a pod may do: the pod, or one of the parts that hold containers.
pub(super) fn is_of_pod_itself(request: &Request<'_>) -> bool {
    request.subresource.is_none_or(|part| matches!(part.action, Action::Ephemeral | Action::Resize))
}

fn of_pod(policy: Policy, pod: &Value) -> Vec<String> {
    // What it enforces has been looked at already.
    if policy.warn == policy.enforce { Vec::new() } else { warning(policy.warn, pod).into_iter().collect() }
}

/// What a level to warn of has against a pod or a template.
fn warning(standard: policy::Standard, pod: &Value) -> Option<String> {
    let told = checks::told(&violations(standard, part(pod, &["spec"]), part(pod, &["metadata"])));
    (!told.is_empty()).then(|| format!("would violate PodSecurity \"{standard}\": {told}"))
}

/// Where objects of a kind hold the template of their pods.
fn template_path(info: &ResourceInfo) -> Option<&'static [&'static str]> {
    match (&*info.group, &*info.kind) {
        ("", "PodTemplate") => Some(&["template"]),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some(&["spec", "template"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

fn policy_of(store: &Store, namespace: &str) -> Policy {
    let record = store.get(&Key::new("/namespaces", "", namespace));
    record.map_or_else(Policy::default, |record| Policy::of(&|label| record.tags.label(label)).0)
}

fn wrong_labels(namespace: &Value) -> Vec<Cause> {
    Policy::of(&|label| meta::label(namespace, label)).1
}

fn part<'a>(object: &'a Value, path: &[&str]) -> &'a Value {
    static NOTHING: Value = Value::Null;
    at(object, path).unwrap_or(&NOTHING)
}
