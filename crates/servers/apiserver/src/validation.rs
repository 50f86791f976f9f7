//! What upstream refuses with 422: fields that must be there, must agree, or must not change.
//!
//! The part of upstream's validation that controllers rely on and that people run into. Names,
//! labels and finalizers are checked for every object elsewhere (the verbs' metadata).
//!
//! **Not here:** custom resources (`structural`), defaults, admission by other objects.

mod change;
mod check;
mod config;
mod limit_range;
mod named_amounts;
mod pod;
mod quota;
mod service;
#[cfg(test)]
mod tests;
mod workload;

use serde_json::Value;

use crate::crd;
use crate::registry::{Action, Origin, ResourceInfo};
use crate::status::Cause;
use check::Check;

/// What is wrong with a new object that has its defaults.
pub fn create(info: &ResourceInfo, object: &Value) -> Vec<Cause> {
    let mut check = Check::default();
    match info.structural() {
        Some(structural) => check.causes = structural.check(None, object),
        None if info.origin == Origin::BuiltIn => whole(info, None, object, &mut check),
        None => {}
    }
    check.causes
}

/// What is wrong with a change of `live` to `object`; `part` is what was written of it.
pub fn update(info: &ResourceInfo, live: &Value, object: &Value, part: Option<&Action>) -> Vec<Cause> {
    let mut check = Check::default();
    if let Some(structural) = info.structural() {
        return structural.check(Some(live), object);
    }
    if info.origin != Origin::BuiltIn {
        return check.causes;
    }
    match part {
        None => {
            whole(info, Some(live), object, &mut check);
            change::check(info, live, object, &mut check);
            if is_quota(info) {
                quota::change(&mut check, live, object);
            }
        }
        Some(Action::Scale(_)) => whole(info, Some(live), object, &mut check),
        Some(Action::Ephemeral) => change::ephemeral(live, object, &mut check),
        Some(Action::Resize) => change::resized(live, object, &mut check),
        Some(Action::Status) if is_quota(info) => quota::status(&mut check, object),
        Some(_) => {}
    }
    check.causes
}

fn is_quota(info: &ResourceInfo) -> bool {
    info.group.is_empty() && &*info.kind == "ResourceQuota"
}

fn whole(info: &ResourceInfo, live: Option<&Value>, object: &Value, check: &mut Check) {
    match (&*info.group, &*info.kind) {
        ("", "Pod") => pod::spec(check, object, "spec", live.is_none()),
        ("", "PodTemplate") => pod::spec(check, object, "template.spec", true),
        ("", "ReplicationController") => workload::replication_controller(check, object),
        ("", "ResourceQuota") => quota::quota(check, object),
        ("", "LimitRange") => limit_range::limit_range(check, object),
        ("apps" | "batch", kind) => workload::check(check, kind, object),
        ("", "Service") => service::service(check, object),
        ("networking.k8s.io", "Ingress") => service::ingress(check, object),
        ("discovery.k8s.io", "EndpointSlice") => service::endpoint_slice(check, object),
        (crd::GROUP, crd::KIND) => check.causes.extend(crd::validate(object, live)),
        (group, kind) => config::check(check, group, kind, object),
    }
}
