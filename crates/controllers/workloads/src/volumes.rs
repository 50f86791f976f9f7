//! Persistent volumes: claims get one, volumes nobody claims any more are given back.
//!
//! **Not here:** which node a pod's volumes let it run on (`scheduler`), what is on them (`agent`).

pub mod binder;
pub mod matching;
pub mod protection;
pub mod provisioner;
mod words;
