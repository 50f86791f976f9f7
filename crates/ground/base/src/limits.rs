//! Every limit of the platform, by name: what is bounded, and by how much.

use std::time::Duration;

/// A request body larger than this is refused with 413 (upstream's limit).
pub const REQUEST_BODY_BYTES: usize = 3 * 1024 * 1024;
/// An object larger than this once encoded is refused (etcd's limit, with room for the envelope).
pub const OBJECT_BYTES: usize = 1_572_864;
/// Writes waiting for the committer; a further one waits for room.
pub const COMMIT_QUEUE: usize = 1024;
/// Writes in one durable transaction.
pub const COMMIT_BATCH: usize = 512;
/// Bytes of objects in one durable transaction, beyond its first write.
pub const COMMIT_BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long the committer gathers writes while several are under way at once.
pub const COMMIT_GATHER: Duration = Duration::from_millis(1);
/// Superseded rows of the durable log that are forgotten together.
pub const FORGET_BATCH: usize = 1024;
/// Bytes of the write-ahead log after which it is folded into the store's file.
pub const LOG_BYTES: u64 = 8 * 1024 * 1024;
/// Changes a watch hands over at once.
pub const WATCH_BATCH: usize = 256;
/// Changes of one resource kept for watches that resume.
pub const HISTORY_EVENTS: usize = 4096;
/// Bytes of changes of one resource kept for watches that resume.
pub const HISTORY_BYTES: usize = 16 * 1024 * 1024;
/// How long a drain may take before what is left is dropped.
pub const DRAIN: Duration = Duration::from_secs(10);
/// A source file larger than this is refused.
pub const SOURCE_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Nodes of one node group: what upstream supports in a whole cluster.
pub const NODE_GROUP_NODES: u32 = 5_000;
/// Files of one Source.
pub const SOURCE_FILES: usize = 20_000;
/// Bytes of all files of one Source.
pub const SOURCE_BYTES: u64 = 512 * 1024 * 1024;
/// How deep the values of one document may be nested.
pub const SOURCE_DEPTH: u32 = 100;
/// Values of one document once its aliases are written out (64 bytes of text count as one more).
pub const SOURCE_ALIASED_VALUES: u32 = 1_000_000;
/// Keys that merges (`<<`) may add in one Source.
pub const SOURCE_MERGED_KEYS: usize = 1_000_000;
/// Problems told of one file's YAML.
pub const SOURCE_PROBLEMS: usize = 100;
/// Problems told of one document that is read into a type; reading stops there.
pub const READ_PROBLEMS: usize = 50;
/// Bytes on their way in one direction of an in-process connection; a writer waits for room.
pub const PIPE_BYTES: usize = 256 * 1024;
/// Connections an in-process listener has not accepted yet; a further one waits.
pub const BACKLOG: usize = 128;
/// Datagrams a receiver has not taken yet; further ones are dropped.
pub const DATAGRAMS: usize = 1024;
/// How long an attempt to connect waits for an answer.
pub const CONNECT: Duration = Duration::from_secs(30);
/// Refused destinations that are remembered.
pub const REFUSED_DESTINATIONS: usize = 1000;
/// Failed tasks of one tree that are still reported; older ones are only counted.
pub const FAILED_TASKS: usize = 100;
/// Connections an API server's listener serves at once; a further one waits to be accepted.
pub const API_CONNECTIONS: usize = 4096;
/// Requests from outside an API server answers at once, watches aside; a further one waits.
pub const API_REQUESTS: usize = 600;
/// Requests one HTTP/2 connection may have open at once, watches included.
pub const API_STREAMS: u32 = 1000;
/// How long a client may take to agree on TLS.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);
/// How long an HTTP/1 connection may stay without a whole request head.
pub const REQUEST_HEAD: Duration = Duration::from_secs(90);
/// How long a request from outside may take until its answer begins.
pub const REQUEST: Duration = Duration::from_mins(1);
/// How long an Event is kept after its last change (upstream's default).
pub const EVENT_AGE: Duration = Duration::from_hours(1);
/// How deep the values of one object may be nested: what any JSON parser reads again.
pub const OBJECT_DEPTH: usize = 120;
/// Values of one object that comes as protobuf, where an empty one takes two bytes.
pub const PROTOBUF_VALUES: usize = 400_000;
/// Documents of one region that are applied at a time.
pub const APPLY_REQUESTS: usize = 64;
