//! The node agent: NodeClaims of provider `embedded` → Nodes, and their pods.
//!
//! One agent speaks for all embedded machines. For each it does what a cloud and a kubelet do:
//! makes the machine, registers its Node, renews its lease, reports its status, starts the pods
//! bound to it, reports theirs and ends them. A pod's containers are run by a [`runtime`]; the only
//! one here simulates them.
//!
//! **Invariants:** everything is learnt and said through the Kubernetes API; a machine that was
//! killed says nothing any more; the words of conditions, reasons and Events are the kubelet's.
//!
//! **Not here:** who wants machines (`capacity`), who chooses them for pods (`scheduler`), who
//! notices a dead one (the node lifecycle controller).

mod addresses;
mod agent;
mod bound;
mod claim_status;
mod described;
mod heartbeat;
mod machine;
mod node;
mod plate;
mod pod;

pub mod runtime;

pub use agent::{RULES, USER, component, run};
