//! What a pod uses.
//!
//! LIMIT: `spec.resources` of a pod counts for nothing, as upstream has it by default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::amounts::{self, Amounts};
use super::{at, list, text};
use crate::{Quantity, meta, name};

const REQUESTS: &str = "requests.";
const LIMITS: &str = "limits.";
const HUGE_PAGES: &str = "hugepages-";
/// What is counted of requests and of limits.
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Amounts a quota on which makes every container say its own.
const MANDATORY: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// Whether an amount is measured of pods.
pub(super) fn tracks(name: &str) -> bool {
    let bare = name.strip_prefix(REQUESTS).or_else(|| name.strip_prefix(LIMITS)).unwrap_or(name);
    matches!(name, "pods" | "count/pods")
        || COMPUTE.contains(&bare)
        || name.strip_prefix(REQUESTS).unwrap_or(name).starts_with(HUGE_PAGES)
        || (name.starts_with(REQUESTS) && !is_native(name))
}

/// Whether a resource is Kubernetes' own; a bare name always is.
pub fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether a resource is somebody else's: `example.com/dongle`.
pub fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with(REQUESTS)
        && name::qualified_name(&format!("{REQUESTS}{name}")).is_empty()
}

/// What a pod uses: itself, and as long as it has not come to its end, its requests and limits.
pub(super) fn usage(pod: &Value, now: Timestamp) -> Amounts {
    let mut usage = Amounts::new();
    if !is_over(pod, now) {
        let overhead = amounts::read(at(pod, &["spec", "overhead"]));
        let mut requests = of_class(pod, "requests", true);
        amounts::add(&mut requests, &overhead);
        let mut limits = of_class(pod, "limits", true);
        for (name, limit) in &mut limits {
            if let Some(more) = overhead.get(name).filter(|_| !limit.is_zero()) {
                *limit = limit.checked_add(*more).unwrap_or(*limit);
            }
        }
        usage = computed(&requests, &limits);
    }
    usage.insert("count/pods".to_owned(), Quantity::ONE);
    usage
}

/// What containers request together, sidecars and the largest step of their start included.
pub fn spec_requests(pod: &Value) -> Amounts {
    of_class(pod, "requests", false)
}

/// The same of their limits.
pub fn spec_limits(pod: &Value) -> Amounts {
    of_class(pod, "limits", false)
}

/// Requests and limits under the names quotas have for them.
fn computed(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut usage = Amounts::from([("pods".to_owned(), Quantity::ONE)]);
    for (name, request) in requests {
        if COMPUTE.contains(&name.as_str()) || name.starts_with(HUGE_PAGES) {
            usage.insert(name.clone(), *request);
            usage.insert(format!("{REQUESTS}{name}"), *request);
        } else if is_extended(name) {
            usage.insert(format!("{REQUESTS}{name}"), *request);
        }
    }
    for (name, limit) in limits.iter().filter(|(name, _)| COMPUTE.contains(&name.as_str())) {
        usage.insert(format!("{LIMITS}{name}"), *limit);
    }
    usage
}

/// The containers' `requests` or `limits`, with what is still held of a resize where `held` says so.
fn of_class(pod: &Value, class: &str, held: bool) -> Amounts {
    let amount = |container: &Value, part: &str| {
        let own = amounts::read(at(container, &["resources", class]));
        if held { with_held(pod, container, part, class, own) } else { own }
    };
    let mut total = Amounts::new();
    for container in list(pod, &["spec", "containers"]) {
        amounts::add(&mut total, &amount(container, "containerStatuses"));
    }
    let (mut sidecars, mut start) = (Amounts::new(), Amounts::new());
    for container in list(pod, &["spec", "initContainers"]) {
        if text(container, &["restartPolicy"]) == "Always" {
            let own = amount(container, "initContainerStatuses");
            amounts::add(&mut total, &own);
            amounts::add(&mut sidecars, &own);
            amounts::raise(&mut start, &sidecars);
        } else {
            let mut step = amounts::read(at(container, &["resources", class]));
            amounts::add(&mut step, &sidecars);
            amounts::raise(&mut start, &step);
        }
    }
    amounts::raise(&mut total, &start);
    total
}

/// The larger of what a container asks for and what it has; only the latter, if it cannot get more.
fn with_held(pod: &Value, container: &Value, part: &str, class: &str, own: Amounts) -> Amounts {
    let name = text(container, &["name"]);
    let status = list(pod, &["status", part]).iter().find(|status| text(status, &["name"]) == name);
    let Some(status) = status.filter(|status| at(status, &["resources"]).is_some()) else { return own };
    let mut conditions = list(pod, &["status", "conditions"]).iter();
    let pending = conditions.find(|condition| condition["type"] == "PodResizePending");
    let is_infeasible = pending.is_some_and(|condition| condition["reason"] == "Infeasible");
    let mut larger = if is_infeasible { Amounts::new() } else { own };
    amounts::raise(&mut larger, &amounts::read(at(status, &["resources", class])));
    if class == "requests" {
        amounts::raise(&mut larger, &amounts::read(at(status, &["allocatedResources"])));
    }
    larger
}

/// Whether a pod has come to its end, or should have: one whose node is lost is not charged for.
fn is_over(pod: &Value, now: Timestamp) -> bool {
    if matches!(text(pod, &["status", "phase"]), "Failed" | "Succeeded") {
        return true;
    }
    let at = meta::deletion_timestamp(pod).and_then(|stamp| stamp.parse::<Timestamp>().ok());
    let grace = meta::deletion_grace_period_seconds(pod);
    let (Some(at), Some(grace)) = (at, grace) else { return false };
    at.checked_add(SignedDuration::from_secs(grace)).is_ok_and(|end| now > end)
}

/// Whether a pod runs for a limited time only.
pub fn is_time_bound(pod: &Value) -> bool {
    at(pod, &["spec", "activeDeadlineSeconds"]).and_then(Value::as_i64).is_some_and(|seconds| seconds >= 0)
}

/// Whether no container asks for CPU or memory.
pub(super) fn is_best_effort(pod: &Value) -> bool {
    match text(pod, &["status", "qosClass"]) {
        "" => {}
        class => return class == "BestEffort",
    }
    let is_some = |container: &Value, class: &str, name: &str| {
        let amount = at(container, &["resources", class, name]).map(Quantity::from_value);
        amount.is_some_and(|amount| amount.is_ok_and(|amount| amount > Quantity::ZERO))
    };
    !containers(pod).any(|container| {
        ["requests", "limits"]
            .iter()
            .any(|class| ["cpu", "memory"].iter().any(|name| is_some(container, class, name)))
    })
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, &["spec", "containers"]).iter().chain(list(pod, &["spec", "initContainers"]))
}

/// Which containers do not say what a quota on CPU or memory makes them say.
pub(super) fn lacks(required: &BTreeSet<&str>, pod: &Value) -> Option<String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in containers(pod) {
        for required in MANDATORY.iter().filter(|name| required.contains(*name)) {
            let (class, resource) = match required.split_once('.') {
                Some(("limits", resource)) => ("limits", resource),
                Some((_, resource)) => ("requests", resource),
                None => ("requests", *required),
            };
            if at(container, &["resources", class, resource]).is_none() {
                missing.entry(required).or_default().insert(text(container, &["name"]));
            }
        }
    }
    let parts: Vec<String> = missing
        .into_iter()
        .map(|(name, containers)| {
            format!("{name} for: {}", containers.into_iter().collect::<Vec<_>>().join(","))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("must specify {}", parts.join("; ")))
}
