//! Conflicts of an apply, in upstream's words.

use std::fmt::{self, Write};

use serde_json::Value;

use super::entries::{UPDATE, identity, text};
use super::set::FieldSet;

/// A field another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its owner as messages name it: `"kubectl" using apps/v1`.
    pub manager: String,
    /// Its path, `.spec.replicas`.
    pub field: String,
}

impl Conflict {
    /// The message of the cause in a `Status`: `conflict with "kubectl" using apps/v1`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// All fields of an apply that others own, in order of their owners. Each is a cause of reason
/// `FieldManagerConflict` in the `Status`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflicts {
    owners: Vec<(String, FieldSet)>,
}

impl Conflicts {
    pub(super) fn new(mut overlaps: Vec<(&Value, FieldSet)>) -> Self {
        overlaps.sort_by(|left, right| identity(left.0).cmp(&identity(right.0)));
        Self { owners: overlaps.into_iter().map(|(entry, common)| (named(entry), common)).collect() }
    }

    /// The conflicts outside a set.
    pub(super) fn without(&self, allowed: &FieldSet) -> Self {
        let left = self.owners.iter().map(|(owner, common)| (owner.clone(), common.difference(allowed)));
        Self { owners: left.filter(|(_, common)| !common.is_empty()).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Every field in conflict.
    pub fn all(&self) -> Vec<Conflict> {
        let fields = |(owner, common): &(String, FieldSet)| {
            let manager = owner.clone();
            common.paths().into_iter().map(move |field| Conflict { manager: manager.clone(), field })
        };
        self.owners.iter().flat_map(|owner| fields(owner).collect::<Vec<_>>()).collect()
    }
}

fn named(entry: &Value) -> String {
    let mut out = format!("{:?}", text(entry, "manager"));
    if !text(entry, "subresource").is_empty() {
        let _ = write!(out, " with subresource {:?}", text(entry, "subresource"));
    }
    if text(entry, "operation") == UPDATE {
        let _ = write!(out, " using {}", text(entry, "apiVersion"));
    }
    out
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        if let [only] = all.as_slice() {
            return write!(f, "Apply failed with 1 conflict: {}: {}", only.message(), only.field);
        }
        let mut lines = Vec::new();
        for (owner, common) in &self.owners {
            lines.push(format!("conflicts with {owner}:"));
            lines.extend(common.paths().iter().map(|path| format!("- {path}")));
        }
        write!(f, "Apply failed with {} conflicts: {}", all.len(), lines.join("\n"))
    }
}

impl std::error::Error for Conflicts {}
