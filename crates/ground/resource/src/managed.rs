//! Field management: who owns which field of an object, and server-side apply on top of it.
//!
//! Every write goes through here. [`update`] notes what a create, update or patch changed;
//! [`apply`] merges a configuration into an object, unless another manager owns a field it would
//! change. Owners are kept in `metadata.managedFields`, whose JSON form is the working form: a write
//! costs about a comparison of the two objects, and touches only the branches that change.
//!
//! **Invariants:** a write that changes nothing leaves the entries as they are; entries are in
//! upstream's order; an object written by a field manager never has an empty entry.
//!
//! **Spec:** structured merge and diff as upstream's field managers do it. Entries of another
//! version of the kind are taken to use the same paths.

mod compare;
mod conflict;
mod element;
mod entries;
mod extract;
mod merge;
mod prune;
mod set;

use serde_json::Value;

pub use compare::{Changes, changes};
pub use conflict::{Conflict, Conflicts};
pub use element::Element;
pub use extract::field_set;
pub use set::FieldSet;

use crate::SchemaRef;
use entries::{APPLY, Entries, UPDATE};
use set::is_subset;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Who writes, and through what.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The field manager; empty means unknown.
    pub manager: &'a str,
    /// The version the write speaks, `apps/v1`.
    pub api_version: &'a str,
    /// The subresource written, `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Now, as objects state it: `2026-11-23T12:00:00Z`.
    pub now: &'a str,
    /// Paths this endpoint does not write, so that nobody comes to own them through it: the status
    /// of a kind that has the subresource, `&[&["status"]]`.
    pub ignored: &'a [&'a [&'a str]],
}

impl Author<'_> {
    fn manager(&self) -> &str {
        if self.manager.is_empty() { "unknown" } else { self.manager }
    }

    fn ignore_in(&self, set: &mut FieldSet) {
        self.ignored.iter().for_each(|path| set.remove_branch(path));
    }
}

/// Why a configuration was not applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields it would change: a conflict (409); apply again with force to take them.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The configuration does not fit its type, or says who owns it: a bad request (400).
    #[error("{0}")]
    Invalid(String),
}

/// Applies a configuration, and records it as what its author owns. The result is the object to
/// store; it equals `live` when nothing changed.
pub fn apply(
    live: Option<&Value>,
    config: &Value,
    schema: SchemaRef<'_>,
    author: &Author<'_>,
    force: bool,
) -> Result<Value, ApplyError> {
    if config.pointer("/metadata/managedFields").is_some_and(|entries| !entries.is_null()) {
        return Err(ApplyError::Invalid("metadata.managedFields must be nil".to_owned()));
    }
    if !config.is_object() {
        return Err(ApplyError::Invalid("expected map".to_owned()));
    }
    if let Some(objections) = extract::objections(config, schema) {
        return Err(ApplyError::Invalid(format!(
            "failed to create typed patch object ({}): {objections}",
            named(config)
        )));
    }
    let entries = entries_to_apply_to(live, schema, author);
    let attempt = merged(live, config, schema, author, entries.clone());
    match attempt.finish(author, force) {
        Err(conflicts) if author.manager == "kubectl" => {
            let left = conflicts.without(&unchanged_since_last_applied(live, schema, author));
            if !left.is_empty() {
                return Err(left.into());
            }
            let attempt = merged(live, config, schema, author, entries);
            Ok(attempt.finish(author, true).map(|object| with_last_applied(object, config, author))?)
        }
        result => Ok(result.map(|object| with_last_applied(object, config, author))?),
    }
}

/// How upstream's errors name an object.
fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let api_version = text("/apiVersion");
    let version = if api_version.contains('/') { String::new() } else { "/".to_owned() } + api_version;
    format!("{}/{}; {version}, Kind={}", text("/metadata/namespace"), text("/metadata/name"), text("/kind"))
}

/// The entries before an apply. What an object without any already holds belongs to whoever was
/// there before the first apply.
fn entries_to_apply_to(live: Option<&Value>, schema: SchemaRef<'_>, author: &Author<'_>) -> Entries {
    let mut entries = Entries::of(live);
    if let Some(live) = live.filter(|_| entries.0.is_empty()) {
        let mut taken = changes(None, live, schema).changed;
        author.ignore_in(&mut taken);
        if !taken.is_empty() {
            entries.record_update(&Author { manager: BEFORE_FIRST_APPLY, ..*author }, taken);
        }
    }
    entries
}

/// A configuration merged into an object, before anybody agreed to it.
struct Attempt {
    object: Value,
    changes: Changes,
    entries: Entries,
    /// What the author owns if it succeeds.
    set: FieldSet,
}

fn merged(
    live: Option<&Value>,
    config: &Value,
    schema: SchemaRef<'_>,
    author: &Author<'_>,
    entries: Entries,
) -> Attempt {
    let mut object = live.cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    merge::merge(schema, &mut object, config);
    let mut set = field_set(config, schema);
    author.ignore_in(&mut set);
    let last = entries.position(author, APPLY).and_then(|index| entries.set_of(index));
    if let Some(last) = last.filter(|last| !is_subset(last, &set.0)) {
        let owned = {
            let mut others = entries.clone();
            others.0.retain(|entry| {
                entries::identity(entry) != (author.manager(), APPLY, "", author.subresource)
            });
            others.all().union(&set)
        };
        prune::prune(schema, &mut object, &FieldSet(last.clone()), &owned);
    }
    let mut changes = changes(live, &object, schema);
    author.ignore_in(&mut changes.changed);
    author.ignore_in(&mut changes.removed);
    compare::strip(&mut set);
    if merge::has_null(config) {
        merge::drop_nulls(schema, &mut object);
    }
    Attempt { object, changes, entries, set }
}

impl Attempt {
    fn finish(mut self, author: &Author<'_>, force: bool) -> Result<Value, Conflicts> {
        let own = self.entries.position(author, APPLY);
        let overlaps = self.entries.overlaps(&self.changes.changed, own);
        if !force && !overlaps.is_empty() {
            return Err(Conflicts::new(overlaps));
        }
        self.entries.subtract(&self.changes.changed, own);
        self.entries.subtract(&self.changes.removed, own);
        self.entries.record_apply(author, self.set, !self.changes.is_empty());
        self.entries.settle();
        self.entries.store(&mut self.object);
        Ok(self.object)
    }
}

/// What client-side apply last applied and still is so: kubectl's server-side apply may take it over.
fn unchanged_since_last_applied(
    live: Option<&Value>,
    schema: SchemaRef<'_>,
    author: &Author<'_>,
) -> FieldSet {
    let last = live.and_then(|live| live.pointer("/metadata/annotations")?.get(LAST_APPLIED)?.as_str());
    let last: Option<Value> = last.and_then(|text| serde_json::from_str(text).ok());
    let (Some(live), Some(last)) = (live, last.filter(|last| last["apiVersion"] == author.api_version))
    else {
        return FieldSet::default();
    };
    let changes = changes(Some(&last), live, schema);
    field_set(&last, schema).difference(&changes.changed).difference(&changes.removed)
}

/// kubectl's server-side apply keeps the annotation of client-side apply up to date, if it is there.
fn with_last_applied(mut object: Value, config: &Value, author: &Author<'_>) -> Value {
    if author.manager != "kubectl" {
        return object;
    }
    let annotation =
        object.pointer_mut("/metadata/annotations").and_then(|annotations| annotations.get_mut(LAST_APPLIED));
    if let Some(annotation) =
        annotation.filter(|annotation| annotation.as_str().is_some_and(|text| !text.is_empty()))
    {
        let mut config = config.clone();
        if let Some(Value::Object(annotations)) = config.pointer_mut("/metadata/annotations") {
            annotations.remove(LAST_APPLIED);
        }
        *annotation = Value::from(format!("{config}\n"));
    }
    object
}

/// Records in `new` what it changes of `live`. Call it with the object about to be stored, after
/// everything else was decided; for a create, `live` is `None`.
pub fn update(live: Option<&Value>, new: &mut Value, schema: SchemaRef<'_>, author: &Author<'_>) {
    let mut entries = entries_to_update(live, new, author);
    if entries.0.is_empty() && live.is_some() {
        // Never tracked, or reset by the client: tracking begins with the first apply.
        return entries.store(new);
    }
    let mut changes = changes(live, new, schema);
    author.ignore_in(&mut changes.changed);
    author.ignore_in(&mut changes.removed);
    if !changes.is_empty() {
        let own = entries.position(author, UPDATE);
        entries.subtract(&changes.changed, own);
        entries.subtract(&changes.removed, None);
        if !changes.changed.is_empty() {
            entries.record_update(author, changes.changed);
        }
        entries.settle();
    }
    entries.store(new);
}

/// The entries before an update: those the client sent if they are any, else those of the live
/// object. A subresource cannot set them; `[]` or `[{}]` resets them.
fn entries_to_update(live: Option<&Value>, new: &mut Value, author: &Author<'_>) -> Entries {
    let stored = live.and_then(entries::stored);
    let sent =
        new.get_mut("metadata").and_then(|metadata| metadata.get_mut("managedFields")).map(Value::take);
    match sent {
        Some(Value::Array(sent)) if stored == Some(&sent) => Entries(sent),
        Some(Value::Array(sent)) if author.subresource.is_empty() => {
            let is_reset = matches!(sent.as_slice(), [] | [Value::Object(_)])
                && sent.iter().all(|entry| entry.as_object().is_some_and(serde_json::Map::is_empty));
            if is_reset {
                return Entries::default();
            }
            Entries::from_client(&sent).unwrap_or_else(|| Entries::of(live))
        }
        _ => Entries::of(live),
    }
}

#[cfg(test)]
mod tests;
