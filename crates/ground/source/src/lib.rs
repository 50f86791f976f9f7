//! The platform's files as documents with spans.
//!
//! A Source is a folder, a file or a Markdown document with fenced YAML. All its documents live in
//! one arena tree whose every key and value knows its file, line and column, so that whatever is
//! found wrong later can be shown where it was written.
//!
//! **Invariants:** only `files` touches the disk; everything else works on text. No text makes the
//! loader fail: what is wrong becomes a `Diagnostic`, what is right is still there.
//!
//! **Not here:** the types documents are read into (`kinds`), what is wrong between documents.
//!
//! **Spec:** scalars mean what Kubernetes' own reader takes them for (YAML 1.1 booleans and octals).

mod attached;
mod document;
mod file;
mod files;
mod made;
mod markdown;
mod nested;
mod path;
mod problem;
mod read;
mod scalar;
mod shape;
mod source;
mod tree;
mod yaml;

pub use document::Document;
pub use file::File;
pub use made::Made;
pub use nested::{Inside, Nested};
pub use path::joined;
pub use read::{Read, suggest};
pub use scalar::Scalar;
pub use shape::{Object, Shape};
pub use source::{Aside, Source};
pub use tree::{Node, Place};
