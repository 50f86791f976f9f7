//! The Kubernetes API as one tower service.
//!
//! **Invariants:** in-process and TLS requests pass the same pipeline: authenticate, route,
//! authorize, decode, admit and default, validate, commit, encode. An object is encoded once, when
//! it is written; get, list and watch send those bytes.
//!
//! **Not here:** storage (`store`), the object model (`resource`), certificates (`pki`),
//! controllers.

pub mod authorization;
pub mod body;
pub mod kinds;
pub mod meter;
pub mod negotiate;
pub mod query;
pub mod registry;
pub mod route;
pub mod status;

pub use body::Body;
pub use status::Status;
