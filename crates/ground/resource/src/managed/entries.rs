//! The entries of `metadata.managedFields`: who owns what, by which operation, since when.

use serde_json::{Map, Value, json};

use super::Author;
use super::set::{FieldSet, Trie, intersection, subtract_from, union_into};
use crate::meta;

/// How many entries of updates an object keeps; older ones are merged.
const UPDATE_ENTRIES_MAX: usize = 10;
const ANCIENT: &str = "ancient-changes";

pub(super) const APPLY: &str = "Apply";
pub(super) const UPDATE: &str = "Update";

/// The entries of an object, in their JSON form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entries(pub(super) Vec<Value>);

/// The entries in an object's metadata.
pub(super) fn stored(object: &Value) -> Option<&Vec<Value>> {
    meta::metadata(object)?.get("managedFields")?.as_array()
}

pub(super) fn text<'v>(entry: &'v Value, field: &str) -> &'v str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn trie(entry: &Value) -> Option<&Trie> {
    entry.get("fieldsV1").and_then(Value::as_object)
}

fn trie_mut(entry: &mut Value) -> Option<&mut Trie> {
    entry.get_mut("fieldsV1").and_then(Value::as_object_mut)
}

/// Upstream's identifier of a manager: what makes two entries the same. An applier is the same in
/// every version.
pub(super) fn identity(entry: &Value) -> (&str, &str, &str, &str) {
    let operation = text(entry, "operation");
    let version = if operation == APPLY { "" } else { text(entry, "apiVersion") };
    (text(entry, "manager"), operation, version, text(entry, "subresource"))
}

impl Entries {
    /// The entries of an object as the server stored it.
    pub(super) fn of(object: Option<&Value>) -> Self {
        Self(object.and_then(stored).cloned().unwrap_or_default())
    }

    /// Entries a client sent, brought into the stored form; `None` when they are malformed.
    pub(super) fn from_client(entries: &[Value]) -> Option<Self> {
        let mut found = Self::default();
        for entry in entries {
            let known = [APPLY, UPDATE].contains(&text(entry, "operation"));
            if !known || text(entry, "apiVersion").is_empty() || text(entry, "fieldsType") != "FieldsV1" {
                return None;
            }
            let fields = match entry.get("fieldsV1") {
                None | Some(Value::Null) => FieldSet::default(),
                Some(fields) => FieldSet::from_fields_v1(fields)?,
            };
            let mut clean = json!({
                "manager": text(entry, "manager"), "operation": text(entry, "operation"),
                "apiVersion": text(entry, "apiVersion"), "fieldsType": "FieldsV1", "fieldsV1": fields.into_fields_v1(),
            });
            for name in ["time", "subresource"] {
                if !text(entry, name).is_empty() {
                    clean[name] = Value::from(text(entry, name));
                }
            }
            found.0.retain(|other| identity(other) != identity(&clean));
            found.0.push(clean);
        }
        found.settle();
        Some(found)
    }

    pub(super) fn position(&self, author: &Author<'_>, operation: &str) -> Option<usize> {
        let version = if operation == APPLY { "" } else { author.api_version };
        let wanted = (author.manager(), operation, version, author.subresource);
        self.0.iter().position(|entry| identity(entry) == wanted)
    }

    pub(super) fn set_of(&self, index: usize) -> Option<&Trie> {
        self.0.get(index).and_then(trie)
    }

    /// What all managers own together.
    pub(super) fn all(&self) -> FieldSet {
        let mut all = FieldSet::default();
        self.0.iter().filter_map(trie).for_each(|trie| union_into(&mut all.0, trie));
        all
    }

    /// Takes paths from every entry but one.
    pub(super) fn subtract(&mut self, set: &FieldSet, except: Option<usize>) {
        if set.is_empty() {
            return;
        }
        for (index, entry) in self.0.iter_mut().enumerate() {
            if Some(index) != except
                && let Some(trie) = trie_mut(entry)
            {
                subtract_from(trie, &set.0);
            }
        }
    }

    /// The paths every entry but one has in common with a set, for those that have any.
    pub(super) fn overlaps(&self, set: &FieldSet, except: Option<usize>) -> Vec<(&Value, FieldSet)> {
        let others = self.0.iter().enumerate().filter(|(index, _)| Some(*index) != except);
        let overlaps =
            others.filter_map(|(_, entry)| Some((entry, FieldSet(intersection(trie(entry)?, &set.0)))));
        overlaps.filter(|(_, common)| !common.is_empty()).collect()
    }

    /// Gives an author what it changed.
    pub(super) fn record_update(&mut self, author: &Author<'_>, taken: FieldSet) {
        match self.position(author, UPDATE) {
            Some(index) => {
                let entry = &mut self.0[index];
                if let Some(trie) = trie_mut(entry) {
                    union_into(trie, &taken.0);
                }
                entry["time"] = Value::from(author.now);
            }
            None => self.0.push(entry(author, UPDATE, taken)),
        }
    }

    /// Makes a set all that an applier owns. The time stays when nothing changed.
    pub(super) fn record_apply(&mut self, author: &Author<'_>, set: FieldSet, changed: bool) {
        let Some(index) = self.position(author, APPLY) else {
            self.0.push(entry(author, APPLY, set));
            return;
        };
        let time = match self.0[index].get("time") {
            Some(time) if !changed && self.set_of(index) == Some(&set.0) => Some(time.clone()),
            _ => None,
        };
        self.0[index] = entry(author, APPLY, set);
        if let Some(time) = time {
            self.0[index]["time"] = time;
        }
    }

    /// Brings the entries into upstream's form: none empty, at most ten updates, in order.
    pub(super) fn settle(&mut self) {
        self.0.retain(|entry| trie(entry).is_some_and(|trie| !trie.is_empty()));
        self.merge_ancient();
        self.0.sort_by(|left, right| order(left).cmp(&order(right)));
    }

    /// Merges the oldest updates of the same version until no more than ten are left.
    fn merge_ancient(&mut self) {
        let is_update = |entry: &Value| text(entry, "operation") == UPDATE;
        let mut updates: Vec<usize> = (0..self.0.len()).filter(|index| is_update(&self.0[*index])).collect();
        let mut excess = updates.len().saturating_sub(UPDATE_ENTRIES_MAX);
        if excess == 0 {
            return;
        }
        updates.sort_by_key(|index| (text(&self.0[*index], "time").to_owned(), *index));
        let mut buckets: Vec<(String, usize)> = Vec::new();
        for index in updates {
            if excess == 0 {
                break;
            }
            let version = text(&self.0[index], "apiVersion").to_owned();
            match buckets.iter().find(|(of, _)| *of == version) {
                None => buckets.push((version, index)),
                Some((_, bucket)) => {
                    self.pour(index, *bucket);
                    excess -= 1;
                }
            }
        }
        self.0.retain(|entry| !entry.is_null());
    }

    /// Moves what one entry owns, and its time, into the entry of ancient changes.
    fn pour(&mut self, from: usize, bucket: usize) {
        let poured = self.0[from].take();
        let entry = &mut self.0[bucket];
        if let (Some(trie), Some(more)) = (trie_mut(entry), trie(&poured)) {
            union_into(trie, more);
        }
        if let Value::Object(entry) = entry {
            entry.insert("manager".to_owned(), Value::from(ANCIENT));
            entry.remove("subresource");
            match poured.get("time") {
                Some(time) => entry.insert("time".to_owned(), time.clone()),
                None => entry.remove("time"),
            };
        }
    }

    /// Puts the entries into an object; none at all is no field.
    pub(super) fn store(self, object: &mut Value) {
        if self.0.is_empty() {
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
            return;
        }
        if let Value::Object(object) = object
            && let Value::Object(metadata) =
                object.entry("metadata").or_insert_with(|| Value::Object(Map::new()))
        {
            metadata.insert("managedFields".to_owned(), Value::Array(self.0));
        }
    }
}

fn entry(author: &Author<'_>, operation: &str, set: FieldSet) -> Value {
    let mut entry = json!({
        "manager": author.manager(), "operation": operation, "apiVersion": author.api_version, "time": author.now,
        "fieldsType": "FieldsV1", "fieldsV1": set.into_fields_v1(),
    });
    if !author.subresource.is_empty() {
        entry["subresource"] = Value::from(author.subresource);
    }
    entry
}

fn order(entry: &Value) -> [&str; 5] {
    ["operation", "time", "manager", "apiVersion", "subresource"].map(|field| text(entry, field))
}
