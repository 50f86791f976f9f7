//! The ground everything stands on: time, randomness, tasks, network, disk and what a user is told.
//!
//! **Invariants:** nothing else in the workspace reads a clock, draws entropy, opens a socket or
//! starts a thread (`clippy.toml` names the calls). One [`World`] holds all of it; code that was
//! given a World cannot tell the real one from the virtual one.
//!
//! **Not here:** Kubernetes (`resource`), files of the platform (`source`), keys (`pki`).

pub mod clock;
pub mod diagnostic;
pub mod disk;
pub mod limits;
pub mod net;
pub mod random;
pub mod task;
pub mod world;

pub use clock::Clock;
pub use diagnostic::{Diagnostic, Severity};
pub use random::{Random, Seed};
pub use world::World;

/// An error of any type, as it crosses a boundary where nobody matches on it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
