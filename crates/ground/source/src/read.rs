//! A document into a type, telling everything that does not fit, each where it was written.
//!
//! Reading a type stops at its first error. So what does not fit is noted and left out, and the
//! document is read again, until it fits or nothing more can be learnt.

use std::collections::BTreeSet;

use mainstay_base::{Diagnostic, limits};
use serde::de::DeserializeOwned;

use crate::problem;
use crate::tree::{Node, NodeId};

mod deserializer;
mod error;

use deserializer::Reader;
use error::{Problem, ReadError};

/// What was read, and what did not fit.
#[derive(Debug)]
pub struct Read<T> {
    /// The value of what fits; nothing when something that must be there is not, or does not fit.
    pub value: Option<T>,
    /// What does not fit. All are errors.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Read<T> {
    /// The value, unless anything is wrong.
    pub fn into_result(self) -> Result<T, Vec<Diagnostic>> {
        match self.value {
            Some(value) if self.diagnostics.is_empty() => Ok(value),
            _ => Err(self.diagnostics),
        }
    }
}

pub(crate) fn read<T: DeserializeOwned>(root: Node<'_>) -> Read<T> {
    let mut left_out = BTreeSet::new();
    let mut diagnostics = Vec::new();
    loop {
        let error = match T::deserialize(Reader::new(root, &left_out)) {
            Ok(value) => return Read { value: Some(value), diagnostics },
            Err(error) => error,
        };
        let node = error.at(root);
        if !is_consequence(&error, node, &left_out) {
            diagnostics.push(diagnostic(&error, node));
        }
        let is_over = node.id() == root.id() || diagnostics.len() >= limits::READ_PROBLEMS;
        if is_over || !left_out.insert(node.id()) {
            return Read { value: None, diagnostics };
        }
    }
}

/// Whether something is wrong only because a part of it was left out.
fn is_consequence(error: &ReadError, node: Node<'_>, left_out: &BTreeSet<NodeId>) -> bool {
    match error.problem {
        Problem::Missing(field) => node.entry(field).is_some_and(|(_, value)| left_out.contains(&value.id())),
        Problem::Other(_) | Problem::Type { .. } => {
            node.entries().any(|(key, value)| left_out.contains(&key.id()) || left_out.contains(&value.id()))
        }
        _ => false,
    }
}

fn diagnostic(error: &ReadError, node: Node<'_>) -> Diagnostic {
    let (code, help) = match &error.problem {
        Problem::Unknown { written, known } => (problem::UNKNOWN_FIELD, suggest(written, known)),
        Problem::Variant { written, known } => (problem::WRONG_VALUE, suggest(written, known)),
        Problem::Missing(_) => (problem::WRONG_VALUE, Some("add it".to_owned())),
        Problem::Type { .. } | Problem::Other(_) => {
            (problem::WRONG_VALUE, Some("change the value shown".to_owned()))
        }
    };
    let mut diagnostic = problem::at(code, error.to_string(), node.file(), node.location());
    diagnostic.help = help;
    diagnostic
}

/// What helps with a word that is not known: the known word nearest to it, else all known words.
pub fn suggest(written: &str, known: &[&str]) -> Option<String> {
    let lower = written.to_lowercase();
    let nearest = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&word.to_lowercase(), &lower), word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= 1.max(word.len().min(written.len()) / 3));
    match nearest {
        Some((_, word)) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None => Some(format!("there are: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests;
