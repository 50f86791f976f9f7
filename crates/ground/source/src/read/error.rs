//! What does not fit while reading, and at which node.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::tree::{Node, NodeId};

#[derive(Debug)]
pub(crate) enum Problem {
    /// A field that the type does not have.
    Unknown { written: String, known: &'static [&'static str] },
    /// A word that is none of those allowed.
    Variant { written: String, known: &'static [&'static str] },
    /// A field that must be there is not.
    Missing(&'static str),
    /// A value of another type, or out of its type's range.
    Type { expected: String, found: String },
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
            Problem::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Problem::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { problem: Problem::Other(message.to_string()), at: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let problem = Problem::Type { expected: in_words(&expected.to_string()), found: what_stands(found) };
        Self { problem, at: None }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (expected, found) = (expected.to_string(), what_stands(found));
        let expected = range(&expected).map_or_else(|| in_words(&expected), str::to_owned);
        Self { problem: Problem::Type { expected, found }, at: None }
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        if expected.starts_with("struct ") {
            return Self::invalid_type(Unexpected::Seq, &expected.as_str());
        }
        Self::custom(format!("expected {expected}, found {length} values"))
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

/// What a type expects, without the names of Rust's types.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a map" => "a mapping",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    }
    .to_owned()
}

/// The whole numbers a type holds.
fn range(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        _ => return None,
    })
}

/// What stands in the file, in YAML's words.
fn what_stands(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value}`"),
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a sequence".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}
