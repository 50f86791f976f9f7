//! What does not fit while reading, and at which node.

use std::fmt;

use serde::de;

use crate::tree::{Node, NodeId};

#[derive(Debug)]
pub(crate) enum Problem {
    /// A field that the type does not have.
    Unknown { written: String, known: &'static [&'static str] },
    /// A word that is none of those allowed.
    Variant { written: String, known: &'static [&'static str] },
    /// A field that must be there is not.
    Missing(&'static str),
    /// Anything else, as the type says it.
    Other(String),
}

#[derive(Debug)]
pub(crate) struct ReadError {
    pub problem: Problem,
    /// The innermost node that was being read.
    at: Option<NodeId>,
}

impl ReadError {
    /// The error, said to be at this node unless it is known to be at an inner one.
    pub(super) fn or_at(mut self, node: Node<'_>) -> Self {
        self.at.get_or_insert_with(|| node.id());
        self
    }

    /// The node it is at.
    pub(super) fn at<'a>(&self, root: Node<'a>) -> Node<'a> {
        self.at.map_or(root, |id| root.other(id))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Unknown { written, .. } => write!(f, "unknown field `{written}`"),
            Problem::Variant { written, .. } => {
                write!(f, "`{written}` is not one of the values allowed here")
            }
            Problem::Missing(field) => write!(f, "the field `{field}` is missing"),
            Problem::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { problem: Problem::Other(message.to_string()), at: None }
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self { problem: Problem::Unknown { written: field.to_owned(), known }, at: None }
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self { problem: Problem::Variant { written: variant.to_owned(), known }, at: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { problem: Problem::Missing(field), at: None }
    }
}
