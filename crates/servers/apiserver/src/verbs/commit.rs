//! The end of every write: encode, compare, commit; and what the store's refusals mean to a client.

use std::sync::Arc;

use bytes::Bytes;
use mainstay_base::limits;
use mainstay_store::{Change, CommitError, Draft, Expect, Record, Write};
use serde_json::Value;

use super::Request;
use crate::admission::quota::{self, Charges};
use crate::registry::ResourceInfo;
use crate::server::ApiServer;
use crate::status::Status;
use crate::{admission, crd, encode, tags};

/// How often a write that insists on no revision is decided anew when another one came first. More
/// often than upstream does: writers that meet in one batch of the store lose to each other.
const ATTEMPTS: usize = 100;
/// How often a new object is charged anew to a quota that others are charged to meanwhile. Of those
/// that meet in one batch of the store one gets through each time.
const RACES: usize = 1000;

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
    /// What its writer should know about it.
    pub(crate) warnings: Vec<String>,
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
        let mut charges = Charges::default();
        let mut warnings = Vec::new();
        let (change, removed) = match decide(&live)? {
            Plan::Keep => {
                let warnings = admission::warnings(request, Some(&live.object), &live.object);
                return Ok(Outcome { stored: live.record.value.clone(), removed: false, warnings });
            }
            Plan::Put(object) => {
                warnings = admission::warnings(request, Some(&live.object), &object);
                charges = quota::charge(request, Some(&live.object), &object).await?;
                (put(request.info, &object)?, false)
            }
            Plan::Remove(object) => (Change::Delete(draft(request.info, &object)?), true),
        };
        if dry_run {
            let stored = encode::at_revision(change.draft(), &live.record.revision.to_string());
            return Ok(Outcome { stored, removed, warnings });
        }
        if removed && is_definition {
            charges.writes = crd::removal_of_objects(request.server.store(), &live.object);
        }
        let is_charged = !charges.writes.is_empty();
        let write = Write { key: key.clone(), expect: Expect::Revision(live.record.revision), change };
        match request.server.commit(charges, write).await {
            Ok(record) => {
                request.server.committed(&record, removed);
                return Ok(Outcome { stored: record.value.clone(), removed, warnings });
            }
            Err(CommitError::Changed) => {}
            // Where the object is not the one, deciding anew finds it out.
            Err(CommitError::Conflict { .. }) if retry || is_charged => {}
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
    for _ in 0..RACES {
        let charges = quota::charge(request, None, object).await?;
        let change = put(request.info, object)?;
        if dry_run {
            let taken = request.server.store().get(&key).is_some();
            return Ok((!taken).then(|| encode::at_revision(change.draft(), "")));
        }
        let write = Write { key: key.clone(), expect: Expect::Absent, change };
        match request.server.commit(charges, write).await {
            Ok(record) => {
                request.server.committed(&record, false);
                return Ok(Some(record.value.clone()));
            }
            Err(CommitError::Conflict { current: Some(taken) }) if taken.key == key => return Ok(None),
            // A quota has changed, or is gone: somebody else was faster.
            Err(CommitError::Changed | CommitError::Conflict { .. }) => {}
            Err(error) => return Err(request.server.refusal(request.info, name, &error)),
        }
    }
    Err(Status::modified(request.info, name))
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
    /// Commits a write together with what it takes from quotas; the record is the write's own.
    async fn commit(&self, charges: Charges, write: Write) -> Result<Arc<Record>, CommitError> {
        let Charges { mut writes, unchanged } = charges;
        // It comes last, so its record is the last too.
        writes.push(write);
        let mut records = match unchanged {
            Some(unchanged) => self.store().commit_unless_changed(unchanged, writes).await?,
            None => self.store().commit_together(writes).await?,
        };
        Ok(records.pop().expect("invariant: one record per write"))
    }

    /// Notes a commit: the store works, and a definition changes what is served.
    fn committed(&self, record: &Record, removed: bool) {
        self.readiness().clear(STORE);
        crd::committed(self.registry(), record, removed);
    }

    /// What a refused commit means to the client.
    fn refusal(&self, info: &ResourceInfo, name: &str, error: &CommitError) -> Status {
        match error {
            CommitError::Conflict { current: None } => Status::not_found(info, name),
            CommitError::Conflict { current: Some(_) } | CommitError::Changed => Status::modified(info, name),
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
