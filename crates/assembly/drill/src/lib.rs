//! Drills: a scenario run on the real Platform in virtual time.
//!
//! A drill file is read once, at the edge ([`load`]); everything after runs in `World::enter` with
//! the platform's own code. The same file, seed and version give the same timeline, byte for byte.
//! Steps act through the API; what is asked is judged by a witness that sees every commit and
//! changes nothing.
//!
//! **Not here:** traffic and cost (later rooms), printing (`mainstay`).

mod actions;
mod asked;
mod chain;
mod cuts;
mod gaze;
mod guard;
mod history;
mod html;
mod kind;
mod load;
mod machines;
mod report;
mod run;
mod schedule;
mod timeline;
mod witness;

pub use html::html;
pub use load::{Loaded, codes, load};
pub use report::{Finding, Link, Report, StepResult, Violation};
pub use run::{Ran, Told, run};
pub use timeline::Sink;
