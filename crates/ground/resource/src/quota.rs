//! How much of a `ResourceQuota` an object uses, and which quotas it counts towards.
//!
//! Both sides of a quota look here: who admits objects and charges for them, and who recalculates
//! what is used. So they cannot disagree.
//!
//! **Spec:** upstream's quota evaluators for pods, Services, claims and plain counts. Whatever is not
//! stored, and Events, count towards nothing.
//!
//! **Not here:** what a refusal says (`apiserver`), when to recalculate (`workloads`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::Quantity;

pub mod amounts;
mod pod;
mod scope;
mod thing;

#[cfg(test)]
mod tests;

pub use amounts::Amounts;
pub use pod::{is_extended, is_native, is_time_bound, spec_limits, spec_requests};
pub use scope::{Scope, scopes};

/// What a count of objects is called begins with this.
const COUNT: &str = "count/";
/// Kinds whose count has an older name too: the plural itself.
const OLDER: [&str; 4] = ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];
/// What is not counted: Events, and what is answered but never stored.
const IGNORED: [(&str, &str); 10] = [
    ("", "bindings"),
    ("", "componentstatuses"),
    ("", "events"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("events.k8s.io", "events"),
];

/// How objects of one resource are measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Pods: their number and what they request.
    Pods,
    /// Services: their number, node ports and load balancers.
    Services,
    /// PersistentVolumeClaims: their number and size, also by storage class.
    Claims,
    /// Anything else: its number.
    Count {
        /// The resource's group.
        group: String,
        /// Its plural.
        resource: String,
    },
}

impl Measure {
    /// How objects of a resource are measured; `None` for what no quota counts.
    pub fn of(group: &str, resource: &str) -> Option<Self> {
        match (group, resource) {
            ("", "pods") => Some(Self::Pods),
            ("", "services") => Some(Self::Services),
            ("", "persistentvolumeclaims") => Some(Self::Claims),
            ignored if IGNORED.contains(&ignored) => None,
            _ => Some(Self::Count { group: group.to_owned(), resource: resource.to_owned() }),
        }
    }

    /// What the amount of this name in a quota is measured of; `None` for a name nobody tracks.
    pub fn tracking(name: &str) -> Option<Self> {
        if let Some(counted) = name.strip_prefix(COUNT) {
            let (resource, group) = counted.split_once('.').unwrap_or((counted, ""));
            return Self::of(group, resource);
        }
        if OLDER.contains(&name) {
            return Self::of("", name);
        }
        [Self::Pods, Self::Services, Self::Claims].into_iter().find(|measure| measure.tracks(name))
    }

    /// The resource's group and plural.
    pub fn resource(&self) -> (&str, &str) {
        match self {
            Self::Pods => ("", "pods"),
            Self::Services => ("", "services"),
            Self::Claims => ("", "persistentvolumeclaims"),
            Self::Count { group, resource } => (group, resource),
        }
    }

    /// Whether the amount of this name in a quota is one this measures.
    pub fn tracks(&self, name: &str) -> bool {
        match self {
            Self::Pods => pod::tracks(name),
            Self::Services => thing::is_of_services(name),
            Self::Claims => thing::is_of_claims(name),
            Self::Count { group, resource } => is_count(group, resource, name),
        }
    }

    /// What one object uses at a time; each amount by its name in a quota.
    pub fn usage(&self, object: &Value, now: Timestamp) -> Amounts {
        match self {
            Self::Pods => pod::usage(object, now),
            Self::Services => thing::of_service(object),
            Self::Claims => thing::of_claim(object),
            Self::Count { group, resource } => count(group, resource),
        }
    }

    /// Whether an object is within a scope. Only pods have scopes.
    pub fn is_within(&self, scope: &Scope<'_>, object: &Value) -> bool {
        *self == Self::Pods && scope.contains(object)
    }

    /// What an object lacks that a quota on the amounts `required` insists on, in upstream's words.
    pub fn lacks(&self, required: &BTreeSet<&str>, object: &Value) -> Option<String> {
        if *self == Self::Pods { pod::lacks(required, object) } else { None }
    }
}

/// What all of `objects` use together that are within every scope: each amount of a quota that
/// `measure` tracks, those that nothing uses too.
pub fn total<'a>(
    measure: &Measure,
    hard: &Amounts,
    scopes: &[Scope<'_>],
    objects: impl IntoIterator<Item = &'a Value>,
    now: Timestamp,
) -> Amounts {
    let tracked = hard.keys().filter(|name| measure.tracks(name));
    let mut total: Amounts = tracked.map(|name| (name.clone(), Quantity::ZERO)).collect();
    for object in objects {
        if scopes.iter().all(|scope| measure.is_within(scope, object)) {
            let mut usage = measure.usage(object, now);
            usage.retain(|name, _| total.contains_key(name));
            amounts::add(&mut total, &usage);
        }
    }
    total
}

fn count(group: &str, resource: &str) -> Amounts {
    let mut usage = Amounts::from([(count_name(group, resource), Quantity::ONE)]);
    if group.is_empty() && OLDER.contains(&resource) {
        usage.insert(resource.to_owned(), Quantity::ONE);
    }
    usage
}

/// What the count of a resource is called: `count/deployments.apps`, `count/pods`.
fn count_name(group: &str, resource: &str) -> String {
    let separator = if group.is_empty() { "" } else { "." };
    format!("{COUNT}{resource}{separator}{group}")
}

fn is_count(group: &str, resource: &str, name: &str) -> bool {
    let is_older = group.is_empty() && name == resource && OLDER.contains(&name);
    is_older
        || name.strip_prefix(COUNT).and_then(|rest| rest.strip_prefix(resource)).is_some_and(|rest| {
            if group.is_empty() { rest.is_empty() } else { rest.strip_prefix('.') == Some(group) }
        })
}

/// The value below `path`, if every step exists.
fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// The text below `path`; empty when there is none.
fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of the list below `path`.
fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
