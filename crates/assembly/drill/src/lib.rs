//! Drills: a scenario run on the real Platform in virtual time.
//!
//! A drill file is read once, at the edge ([`load`]); everything after runs in `World::enter` with
//! the platform's own code. The same file, seed and version give the same timeline, byte for byte.
//!
//! **Not here:** faults of the network, traffic and cost (later rooms), printing (`mainstay`).

mod actions;
mod expect;
mod load;
mod report;
mod run;
mod timeline;

pub use load::{Loaded, codes, load};
pub use report::{Report, StepResult};
pub use run::run;
