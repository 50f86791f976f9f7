//! How many machines there are: node groups of a ClusterConfig → NodeClaims.
//!
//! Every desired machine of a group has a place of its own (its ordinal), which decides its name,
//! zone, instance type and how it is paid for, so that the same file always asks for the same
//! machines and scaling one group moves no other machine.
//!
//! **Not here:** making Nodes of the claims (`agent`), prices and types (`catalogue`).

mod controller;
mod group;
mod placement;
mod plan;
mod problem;
mod recorded;
mod status;

pub use controller::{RULES, USER, component, run};
pub use group::{Group, groups};
pub use placement::{Placement, place};
pub use plan::{Plan, plan};
pub use problem::Problem;

#[cfg(test)]
mod tests;
