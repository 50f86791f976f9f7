//! What is wrong with a ClusterConfig, as far as its machines are concerned.

use std::fmt;

/// One thing that keeps a node group (or the whole config) from having its machines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The node group; empty when it is the config itself.
    pub group: String,
    /// One word for it, the reason of conditions and Events.
    pub reason: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

impl Problem {
    /// A problem of the group called `group`.
    pub(crate) fn of(group: &str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { group: group.to_owned(), reason, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "node group {}: {}", self.group, self.message)
        }
    }
}
