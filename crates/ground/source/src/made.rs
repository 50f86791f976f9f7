//! Values of documents that are made rather than read, each with where its parts were written.

use crate::scalar::Form;
use crate::tree::{NodeId, Place, Tree};

/// A value to become a document.
#[derive(Clone, Debug)]
pub enum Made {
    /// One scalar.
    Scalar {
        /// Its text.
        text: String,
        /// Whether its text decides what it means; else it is text.
        is_plain: bool,
        /// Where it was written.
        at: Place,
    },
    /// Items.
    Sequence(Vec<Made>, Place),
    /// Keys, where each was written, and values.
    Mapping(Vec<(String, Place, Made)>, Place),
}

impl Made {
    pub(crate) fn add_to(&self, tree: &mut Tree) -> NodeId {
        match self {
            Self::Scalar { text, is_plain, at } => {
                tree.add_scalar(text, if *is_plain { Form::Plain } else { Form::Text }, tree.known(*at))
            }
            Self::Sequence(items, at) => {
                let items: Vec<_> = items.iter().map(|item| item.add_to(tree)).collect();
                tree.add_sequence(&items, tree.known(*at))
            }
            Self::Mapping(entries, at) => {
                let mut nodes = Vec::with_capacity(2 * entries.len());
                for (key, place, value) in entries {
                    nodes.push(tree.add_scalar(key, Form::Text, tree.known(*place)));
                    nodes.push(value.add_to(tree));
                }
                tree.add_mapping(&nodes, tree.known(*at))
            }
        }
    }
}
