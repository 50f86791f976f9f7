//! The Kubernetes API as one tower service.
//!
//! **Invariants:** in-process and TLS requests pass the same pipeline: authenticate, route,
//! authorize, decode, admit and default, validate, commit, encode. An object is encoded once, when
//! it is written; get, list and watch send those bytes.
//!
//! **Not here:** storage (`store`), the object model (`resource`), certificates (`pki`),
//! controllers.

pub mod kinds;
pub mod registry;
