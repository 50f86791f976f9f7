//! The end of every write: encode, compare, commit; and what the store's refusals mean to a client.

use std::sync::Arc;

use bytes::Bytes;
use mainstay_base::limits;
use mainstay_store::{Change, CommitError, Draft, Expect, Record, Write};
use serde_json::Value;

use super::Request;
use crate::registry::ResourceInfo;
use crate::server::ApiServer;
use crate::status::Status;
use crate::{crd, encode, tags};

/// How often a write that insists on no revision is decided anew when another one came first. More
/// often than upstream does: writers that meet in one batch of the store lose to each other.
const ATTEMPTS: usize = 100;

/// An object as it is, in its stored version.
pub(crate) struct Live {
    pub(crate) record: Arc<Record>,
    pub(crate) object: Value,
}

impl Live {
    /// Decodes a record.
    pub(crate) fn of(record: Arc<Record>) -> Self {
        let object = encode::decode(&record.value);
        Self { record, object }
    }
}

/// What a write wants of a live object.
pub(crate) enum Plan {
    /// Nothing.
    Keep,
    /// This state, in the stored version.
    Put(Value),
    /// Its end; this is its last state.
    Remove(Value),
}

/// What became of a write.
pub(crate) struct Outcome {
    /// The object after the write, in its stored version.
    pub(crate) stored: Bytes,
    /// Whether the object is gone.
    pub(crate) removed: bool,
}

/// Changes the object `name` of the request's collection as `decide` says, deciding anew when
/// another write came first and `retry` allows it.
pub(crate) async fn change(
    request: &Request<'_>,
    name: &str,
    retry: bool,
    dry_run: bool,
    decide: &mut (dyn FnMut(&Live) -> Result<Plan, Status> + Send),
) -> Result<Outcome, Status> {
    let key = request.key(name);
    let is_definition = crd::is_definition(request.info);
    for _ in 0..ATTEMPTS {
        let record = request.server.store().get(&key).ok_or_else(|| Status::not_found(request.info, name))?;
        let live = Live::of(record);
        let (change, removed) = match decide(&live)? {
            Plan::Keep => return Ok(Outcome { stored: live.record.value.clone(), removed: false }),
            Plan::Put(object) => (put(request.info, &object)?, false),
            Plan::Remove(object) => (Change::Delete(draft(request.info, &object)?), true),
        };
        if dry_run {
            let stored = encode::at_revision(change.draft(), &live.record.revision.to_string());
            return Ok(Outcome { stored, removed });
        }
        let mut writes = Vec::new();
        if removed && is_definition {
            writes = crd::removal_of_objects(request.server.store(), &live.object);
        }
        // The object itself comes last, so its record is the last too.
        writes.push(Write { key: key.clone(), expect: Expect::Revision(live.record.revision), change });
        match request.server.store().commit_together(writes).await {
            Ok(mut records) => {
                let record = records.pop().expect("invariant: one record per write");
                request.server.committed(&record, removed);
                return Ok(Outcome { stored: record.value.clone(), removed });
            }
            Err(CommitError::Conflict { .. }) if retry => {}
            Err(error) => return Err(request.server.refusal(request.info, name, &error)),
        }
    }
    Err(Status::modified(request.info, name))
}

/// Makes a new object, in its stored version; `None` when the name is taken.
pub(crate) async fn make(
    request: &Request<'_>,
    name: &str,
    object: &Value,
    dry_run: bool,
) -> Result<Option<Bytes>, Status> {
    let key = request.key(name);
    let change = put(request.info, object)?;
    if dry_run {
        let taken = request.server.store().get(&key).is_some();
        return Ok((!taken).then(|| encode::at_revision(change.draft(), "")));
    }
    match request.server.store().commit(Write { key, expect: Expect::Absent, change }).await {
        Ok(record) => {
            request.server.committed(&record, false);
            Ok(Some(record.value.clone()))
        }
        Err(CommitError::Conflict { .. }) => Ok(None),
        Err(error) => Err(request.server.refusal(request.info, name, &error)),
    }
}

fn put(info: &ResourceInfo, object: &Value) -> Result<Change, Status> {
    Ok(Change::Put(draft(info, object)?, tags::of(&info.storage.resource, object)))
}

fn draft(info: &ResourceInfo, object: &Value) -> Result<Draft, Status> {
    let draft = encode::draft(object);
    if draft.bytes.len() > limits::OBJECT_BYTES {
        let name = mainstay_resource::meta::name(object);
        let size = draft.bytes.len();
        let message = format!(
            "{} \"{name}\" is too large: {size} bytes, at most {}",
            info.qualified(),
            limits::OBJECT_BYTES
        );
        return Err(Status::new(413, "RequestEntityTooLarge", message).about(info, name));
    }
    Ok(draft)
}

/// The name the store's health is listed under.
const STORE: &str = "store";

impl ApiServer {
    /// Notes a commit: the store works, and a definition changes what is served.
    fn committed(&self, record: &Record, removed: bool) {
        self.readiness().clear(STORE);
        crd::committed(self.registry(), record, removed);
    }

    /// What a refused commit means to the client.
    fn refusal(&self, info: &ResourceInfo, name: &str, error: &CommitError) -> Status {
        match error {
            CommitError::Conflict { current: None } => Status::not_found(info, name),
            CommitError::Conflict { current: Some(_) } => Status::modified(info, name),
            CommitError::Full(why) => {
                self.readiness().obstruct(STORE, format!("the disk is full: {why}"));
                Status::internal(format!("the store's disk is full, nothing was written: {why}"))
                    .about(info, name)
            }
            CommitError::Failed(why) => {
                self.readiness().obstruct(STORE, format!("the disk failed: {why}"));
                Status::internal(format!("the store could not write: {why}")).about(info, name)
            }
            CommitError::Closed => {
                self.readiness().obstruct(STORE, "the store takes no more writes");
                Status::shutting_down()
            }
        }
    }
}
