//! Which objects a question is about: selectors over labels and over fields.
//!
//! **Spec:** upstream's `labels.Selector` and `fields.Selector`, their query grammar and messages.

mod field;
mod label;
mod lexer;
mod parser;

pub use field::{FieldRequirement, FieldSelector};
pub use label::{LabelSelector, Operator, Requirement};

/// Why a text or an object is no selector. The messages are upstream's. Not retryable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub(crate) String);

fn write_joined(
    requirements: &[impl std::fmt::Display],
    f: &mut std::fmt::Formatter<'_>,
) -> std::fmt::Result {
    for (index, requirement) in requirements.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        requirement.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
