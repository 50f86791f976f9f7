//! The Kubernetes API as one tower service.
//!
//! **Invariants:** in-process and TLS requests pass the same pipeline: authenticate, route,
//! authorize, decode, admit and default, validate, commit, encode. An object is encoded once, when
//! it is written; get, list and watch send those bytes.
//!
//! **Not here:** storage (`store`), the object model (`resource`), certificates (`pki`),
//! controllers.

mod admission;
#[cfg(test)]
mod arbitrary;
mod authentication;
pub mod authorization;
pub mod body;
mod bootstrap;
pub mod crd;
mod decode;
pub mod defaults;
mod discovery;
mod encode;
mod expiry;
mod fields;
mod fingerprint;
pub mod health;
pub mod kinds;
pub mod meter;
mod metrics;
mod misfits;
pub mod negotiate;
mod openapi;
mod paths;
mod protobuf;
pub mod query;
mod readiness;
pub mod registry;
mod respond;
pub mod route;
mod selection;
mod serve;
pub mod server;
pub mod service;
pub mod status;
mod strategy;
mod structural;
mod subresource;
mod table;
mod tags;
pub mod validation;
mod verbs;

pub use body::Body;
pub use metrics::ProcessStats;
pub use readiness::Readiness;
pub use server::{ApiServer, Config};
pub use service::InProcess;
pub use status::Status;
pub use tags::index;
