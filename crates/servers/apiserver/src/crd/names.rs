//! The names a definition claims, and the status that says whether it got them.

use mainstay_resource::meta;
use serde_json::{Map, Value, json};

use super::definition::storage_version;
use crate::fields::{at, list, text};
use crate::registry::{Origin, Registry, ResourceInfo};

/// Decides the status of a definition that is about to be stored.
pub(crate) fn prepare(registry: &Registry, live: Option<&Value>, definition: &mut Value, now: &str) {
    let conflict = conflict(registry, definition);
    let old = live.and_then(|live| live.get("status")).cloned().unwrap_or_else(|| json!({}));
    let was_established = condition(&old, "Established").is_some_and(|one| one["status"] == "True");
    let accepted = match (&conflict, at(&old, &["acceptedNames"])) {
        (Some(_), Some(names)) => names.clone(),
        (Some(_), None) => json!({ "kind": "", "plural": "" }),
        (None, _) => definition["spec"]["names"].clone(),
    };
    let named = match &conflict {
        Some((reason, message)) => ("False", *reason, message.as_str()),
        None => ("True", "NoConflicts", "no conflicts found"),
    };
    let established = if conflict.is_none() || was_established {
        ("True", "InitialNamesAccepted", "the initial names have been accepted")
    } else {
        ("False", "NotAccepted", "not all names are accepted")
    };
    let mut stored: Vec<Value> = list(&old, &["storedVersions"]).to_vec();
    if let Some(version) = storage_version(definition).map(Value::from).filter(|one| !stored.contains(one)) {
        stored.push(version);
    }
    definition["status"] = json!({
        "acceptedNames": accepted,
        "conditions": conditions(&old, now, &[("NamesAccepted", named), ("Established", established)]),
        "storedVersions": stored,
    });
}

type Verdict<'a> = (&'a str, &'a str, &'a str);

/// The old conditions with these in their places; what did not change keeps its time.
fn conditions(old: &Value, now: &str, set: &[(&str, Verdict<'_>)]) -> Vec<Value> {
    let mut all: Vec<Value> = list(old, &["conditions"]).to_vec();
    for (kind, (status, reason, message)) in set {
        let before = condition(old, kind);
        let since = before
            .filter(|before| before["status"] == *status)
            .map(|before| text(before, &["lastTransitionTime"]));
        let next = json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since.unwrap_or(now),
        });
        match all.iter_mut().find(|one| one["type"] == *kind) {
            Some(place) => *place = next,
            None => all.push(next),
        }
    }
    all
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    list(status, &["conditions"]).iter().find(|one| one["type"] == kind)
}

/// The first name that another resource of the group has already: (reason, message).
fn conflict(registry: &Registry, definition: &Value) -> Option<(&'static str, String)> {
    let empty = Map::new();
    let names = at(definition, &["spec", "names"]).and_then(Value::as_object).unwrap_or(&empty);
    let group = text(definition, &["spec", "group"]);
    let own = meta::name(definition);
    let snapshot = registry.snapshot();
    let others: Vec<&ResourceInfo> = snapshot
        .resources()
        .iter()
        .map(AsRef::as_ref)
        .filter(|info| {
            &*info.group == group
                && !matches!(&info.origin, Origin::Custom { definition } if &**definition == own)
        })
        .collect();
    let word = |field: &str| names.get(field).and_then(Value::as_str).unwrap_or_default();
    let is_resource = |name: &str| {
        others.iter().any(|info| {
            [&info.resource, &info.singular].iter().any(|taken| &***taken == name)
                || info.short_names.iter().any(|taken| &**taken == name)
        })
    };
    let is_kind = |name: &str| {
        others.iter().any(|info| [&info.kind, &info.list_kind].iter().any(|taken| &***taken == name))
    };
    let taken = |name: &str| format!("{name:?} is already in use");
    for (field, reason) in [("plural", "PluralConflict"), ("singular", "SingularConflict")] {
        if is_resource(word(field)) {
            return Some((reason, taken(word(field))));
        }
    }
    let short: Vec<&str> =
        list(definition, &["spec", "names", "shortNames"]).iter().filter_map(Value::as_str).collect();
    if let Some(name) = short.into_iter().find(|name| is_resource(name)) {
        return Some(("ShortNamesConflict", taken(name)));
    }
    for (field, reason) in [("kind", "KindConflict"), ("listKind", "ListKindConflict")] {
        if is_kind(word(field)) {
            return Some((reason, taken(word(field))));
        }
    }
    None
}
