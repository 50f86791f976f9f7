//! The composition root: `Config` → `Platform::start(World)` → run → drain.
//!
//! **Invariants:** only this crate names ports, paths and listeners. [`components::all`] is the one
//! list of everything that runs; start order, readiness, rules and `status` derive from it. Nothing
//! here prints.
//!
//! **Not here:** the command line (`mainstay`), scenarios (`drill`), any controller or server.

pub mod codes;
pub mod components;
pub mod config;
pub mod control;
mod documents;
pub mod errors;
pub mod kubeconfig;
pub mod plan;
pub mod progress;
mod readiness;
pub mod region;
pub mod start;
pub mod state;
pub mod status;
mod update;

pub use config::{Config, Listening, Placed, RegionConfig};
pub use documents::everything;
pub use region::Region;
pub use start::Platform;
pub use state::State;
