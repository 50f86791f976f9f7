//! Parts of objects with a URL and a shape of their own.
//!
//! **Not here:** `status` and `finalize`, which are the object itself (`verbs`).

pub(crate) mod binding;
pub(crate) mod connect;
pub(crate) mod eviction;
pub(crate) mod part;
pub(crate) mod scale;
