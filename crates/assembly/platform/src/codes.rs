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
/// Two regions have the same name.
pub const DUPLICATE_REGION: &str = "M0305";
/// A document was refused by the API server.
pub const DOCUMENT_REFUSED: &str = "M0306";
/// A node group's machines cannot be made as it is written.
pub const NODE_GROUP: &str = "M0307";
/// A kubectl context belongs to another platform that runs.
pub const CONTEXT_TAKEN: &str = "M0308";

/// A Platform document cannot be used: it is the second, or of another version.
pub const PLATFORM: &str = "M0320";
/// A region or role that does not exist is named.
pub const UNKNOWN_REGION: &str = "M0321";
/// Not exactly one region is primary.
pub const PRIMARY: &str = "M0322";
/// A region has no ClusterConfig, or several could be meant.
pub const REGION_CLUSTER: &str = "M0323";
/// A platform or region is called what it cannot be.
pub const INVALID_NAME: &str = "M0324";
/// A placement rule decides about no document.
pub const RULE_UNUSED: &str = "M0325";
/// A path of the Platform document leaves the Source, or is empty.
pub const PATH: &str = "M0326";
/// A selector of labels cannot be read.
pub const SELECTOR: &str = "M0327";
/// No region uses a ClusterConfig.
pub const CLUSTER_UNUSED: &str = "M0328";
/// An entry of a declaration is not of its form.
pub const DECLARATION: &str = "M0329";
/// A server that stands for an embedded one may not be called.
pub const EGRESS_MISSING: &str = "M0330";
/// An object stands twice in one region.
pub const DUPLICATE_OBJECT: &str = "M0332";

/// A running platform cannot get or lose regions.
pub const REGIONS_CHANGED: &str = "M0340";
/// The platform is being changed by another `up`.
pub const UP_GOES_ON: &str = "M0341";
/// The running platform is of another version.
pub const OTHER_VERSION: &str = "M0342";
/// A document is in its cluster, and nothing runs it yet.
pub const STORED: &str = "M0343";
/// A document is in no cluster: nothing serves or reads it yet.
pub const NOT_RUN: &str = "M0344";
/// A document goes to no region.
pub const NOT_USED: &str = "M0345";
