//! Kustomizations built in process, from a Source's files.
//!
//! `build` makes what `kubectl kustomize` makes, byte for byte; `expand` puts it in the place of the
//! files a Source's kustomizations are made of. Every value keeps the place where it was written: in
//! the base, the patch or the kustomization.
//!
//! **Invariants:** nothing is read but the Source; no remote base is fetched, no plugin or Helm is
//! run. No text makes the builder fail: what is wrong becomes a `Diagnostic`.
//!
//! **Spec:** kustomize 5.6, as in kubectl 1.33. Merge keys of built-in kinds come from `resource`.

mod build;
mod emit;
mod expand;
mod fields;
mod files;
mod generate;
mod id;
mod kustomization;
mod merge;
mod node;
mod problem;
mod resource;
mod resources;
mod scalar;
mod tables;
mod transform;

pub use build::{Built, build};
pub use expand::{expand, expand_chosen, roots};
