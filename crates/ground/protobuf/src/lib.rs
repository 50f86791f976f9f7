//! Kubernetes objects between JSON and protobuf.
//!
//! One table has the messages of every kind that is served (`table`); two walks over it do the rest.
//! `decode` reads a body into the JSON value that upstream's typed encoding would give: what is
//! absent stays absent, what upstream always encodes is there. `encode` reads JSON once and writes
//! protobuf as it goes, without a tree in between. `spot` tells those who check JSON beforehand what
//! the table says of a field.
//!
//! **Invariants:** no input makes it panic, nest deeper than `limits::OBJECT_DEPTH` or grow beyond
//! `limits::PROTOBUF_VALUES`; an error says in which message and field it is.
//!
//! **Not here:** what a client accepts (`apiserver`), custom kinds, which are JSON alone.
//!
//! **Spec:** protocol buffers' encoding, `k8s.io/apimachinery`'s envelope (`k8s\0`, then a
//! `runtime.Unknown`).

mod decode;
mod encode;
mod envelope;
mod error;
mod list;
mod special;
mod spot;
mod table;
mod wire;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::encode;
pub use envelope::frame;
pub use error::{Fault, ProtobufError};
pub use list::List;
pub use spot::{Form, Spot};
pub use table::{Message, VERSION};

/// The media type of what is encoded here.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
