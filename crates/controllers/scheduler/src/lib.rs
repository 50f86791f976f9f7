//! Which node a pod runs on: filter, score, bind.
//!
//! A decision ([`schedule`]) is a function of the pod, a [`Snapshot`] of all nodes and a random stream
//! that settles ties; the snapshot is kept up to date by every change of a node or a pod, so that a
//! decision costs no more than looking at the candidates. A pod that fits nowhere waits for a change
//! that lets it fit somewhere. Where pods of lower priority could make room, they give way to it.
//!
//! **Not here:** how many nodes there are (`capacity`), running the pod (`agent`).
//!
//! **Spec:** upstream's `kube-scheduler` 1.33 with its default profile.

mod amounts;
mod budgets;
mod controller;
mod demand;
mod filter;
mod life;
mod neighbours;
mod nominations;
mod pod;
mod preemption;
mod queue;
mod schedule;
mod score;
mod seen;
mod snapshot;
mod spread;
mod state;
mod storage;
mod unschedulable;

pub use amounts::Amounts;
pub use controller::{RULES, USER, component, run};
pub use demand::{Company, Demand, Expression, HostPort, NodeTerm, Scope, Spread, Term, Toleration};
pub use filter::{Plugin, Reason, Rejection};
pub use pod::{Owner, PodState};
pub use preemption::Displacement;
pub use schedule::{Draw, Placement, schedule};
pub use seen::Seen;
pub use snapshot::{Facts, NodeId, NodeState, Relations, Snapshot, Update, Usage};
pub use unschedulable::{Preemption, Unschedulable};

#[cfg(test)]
mod cases;
#[cfg(test)]
mod fixture;
