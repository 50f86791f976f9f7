//! Which object a document is, whatever version of its API it speaks.

use std::fmt;

use serde_json::Value;

/// An object's identity in a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub group: String,
    pub kind: String,
    /// Empty when it is in none.
    pub namespace: String,
    pub name: String,
}

impl Key {
    /// The object of this kind with this metadata.
    pub(crate) fn of(group: &str, kind: &str, metadata: &Value) -> Self {
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: text("namespace"),
            name: text("name"),
        }
    }
}

impl fmt::Display for Key {
    /// `Deployment production/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
