//! The schema of a custom resource, ready for use: what it keeps of an object, what it adds, and
//! what it has against it.
//!
//! A definition's `openAPIV3Schema` is compiled once, when the version it belongs to begins to be
//! served. A request then prunes what it was sent, fills in defaults and checks the result without
//! looking at the definition again.
//!
//! **Invariants:** pruning and defaulting twice is doing it once; what a pruned and checked object
//! holds can be read by every client that knows the schema.
//!
//! **Spec:** upstream's structural schemas, the words of their errors included.
//!
//! **Not here:** `x-kubernetes-validations` (CEL); how objects merge (`resource::schema`); whether a
//! definition is valid (`crd`).
//!
//! LIMIT: a stored object gets the defaults of a newer schema when it is next written, not when it
//! is read.

mod check;
mod embedded;
mod fill;
mod formats;
mod lists;
mod node;
mod prune;
#[cfg(test)]
mod tests;

use mainstay_resource::{Schema, SchemaRef};
use serde_json::Value;

use crate::status::Cause;
use node::Node;

/// A compiled schema.
#[derive(Debug)]
pub struct Structural {
    root: Node,
    merge: Schema,
}

impl Structural {
    /// Compiles an `openAPIV3Schema`.
    pub fn compile(definition: &Value) -> Self {
        Self { root: Node::compile(definition), merge: Schema::from_openapi(definition) }
    }

    /// How objects of the schema merge.
    pub(crate) fn merge(&self) -> SchemaRef<'_> {
        self.merge.root()
    }

    /// Removes what the schema does not know from an object, and nulls that stand for nothing;
    /// returns the paths of what was unknown, sorted.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        let unknown = prune::prune(object, &self.root);
        prune::nulls(object, &self.root);
        unknown
    }

    /// The paths of fields in a part of an object that the schema does not know.
    pub(crate) fn unknown(&self, part: &Value) -> Vec<String> {
        prune::prune(&mut part.clone(), &self.root)
    }

    /// Fills in the defaults of fields that are not there.
    pub(crate) fn fill(&self, object: &mut Value) {
        fill::fill(object, &self.root);
    }

    /// What is wrong with an object. Of a changed one, what was wrong before is let be.
    pub(crate) fn check(&self, before: Option<&Value>, object: &Value) -> Vec<Cause> {
        let mut causes = check::check(&self.root, before, object);
        embedded::check(&self.root, object, &mut causes);
        if before.is_none_or(|before| lists::check(&self.root, before).is_empty()) {
            causes.extend(lists::check(&self.root, object));
        }
        causes
    }
}
