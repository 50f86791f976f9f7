//! The Kubernetes object model as data.
//!
//! Objects are `serde_json::Value`s and stay so: what the platform does not know of an object it
//! keeps. Everything here is a pure function of its arguments.
//!
//! **Not here:** the types of the platform's own kinds (`kinds`), what is stored (`store`).

pub mod access;
pub mod cron;
pub mod gvk;
pub mod managed;
pub mod meta;
pub mod name;
pub mod openapi;
pub mod patch;
pub mod quantity;
pub mod quota;
pub mod schema;
pub mod selector;

pub use access::{Identity, Rule};
pub use gvk::{GroupVersionKind, GroupVersionResource};
pub use quantity::Quantity;
pub use schema::{Schema, SchemaRef};
pub use selector::{FieldSelector, LabelSelector};
