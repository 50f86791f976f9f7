//! The codes of what this crate reports; each has a page in `docs/errors`.

/// The state folder belongs to another platform.
pub const FOREIGN_STATE: &str = "M0201";
/// The state folder was written by a version with another format.
pub const STATE_FORMAT: &str = "M0202";
/// The platform of this state folder is running already.
pub const ALREADY_RUNNING: &str = "M0203";
/// The state folder cannot be used.
pub const STATE_FOLDER: &str = "M0204";
/// No platform runs in this state folder.
pub const NOT_RUNNING: &str = "M0205";
/// Several platforms could be meant.
pub const AMBIGUOUS_PLATFORM: &str = "M0206";
/// A port is in use.
pub const PORT_IN_USE: &str = "M0301";
/// A region could not start.
pub const REGION_START: &str = "M0302";
/// The platform was not ready in time.
pub const NOT_READY: &str = "M0303";
/// The kubeconfig cannot be read or written.
pub const KUBECONFIG: &str = "M0304";
/// Two ClusterConfigs name the same region.
pub const DUPLICATE_REGION: &str = "M0305";
/// A document was refused by the API server.
pub const DOCUMENT_REFUSED: &str = "M0306";
/// A node group's machines cannot be made as it is written.
pub const NODE_GROUP: &str = "M0307";
