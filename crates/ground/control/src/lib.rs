//! What every controller shares: caches of watched objects, a work queue, the event recorder.
//!
//! kube-rs speaks the protocol (its client and its `watcher`); what is held and in which order it is
//! worked on is decided here. kube's own reflector and `Controller` keep objects and pending requests
//! in hash maps without indices: finding the pods of one ReplicaSet among 5,000 reads all of them,
//! some 50 times as long as by an index (measured in `informer`'s tests), and a trigger may come before
//! the cache shows what it is about.
//!
//! **Invariants:** every order that can show is a key's, a name's or that of arrival; every delay is
//! without jitter; nothing here waits for another thread.
//!
//! **Not here:** what any controller decides.

pub mod backoff;
pub mod component;
pub mod events;
pub mod excerpt;
pub mod feed;
pub mod informer;
pub mod key;
pub mod meta;
pub mod patch;
pub mod queue;
pub mod reconcile;
pub mod reflect;
pub mod writes;

pub use component::Component;
pub use events::Recorder;
pub use excerpt::Excerpt;
pub use feed::News;
pub use informer::{Change, Informer};
pub use key::Key;
pub use queue::Queue;
pub use reconcile::{Counters, Next};
pub use writes::Writer;
