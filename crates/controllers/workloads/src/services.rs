//! Which pods stand behind each Service: EndpointSlices, and the older Endpoints.
//!
//! **Not here:** sending traffic there (`gateway`, `network`).
//!
//! **Spec:** upstream's `endpointslice` and `endpoint` controllers.

pub mod endpoints;
mod members;
pub mod slices;
mod trigger;
mod watch;
