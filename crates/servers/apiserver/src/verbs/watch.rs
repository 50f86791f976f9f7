//! Following a collection: what is there, then every change, as one JSON document per line, or as
//! frames of protobuf.
//!
//! An object that starts to match the selector is ADDED, one that stops is DELETED, whatever
//! happened to it in the store. Frames are the stored bytes in an envelope; what is ready goes out in
//! chunks. The body is pulled: a client that does not read costs a place in the ring.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use mainstay_store::{Compacted, Event, EventKind, Query as StoreQuery, Record, Watch};
use serde_json::json;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Request;
use crate::body::Body;
use crate::encode;
use crate::meter::{Ongoing, Watched};
use crate::negotiate::{Encoding, View};
use crate::protobuf;
use crate::registry::ResourceInfo;
use crate::respond;
use crate::selection::Selection;
use crate::server::ApiServer;
use crate::status::Status;
use crate::table;

mod start;

use start::Start;

/// How often a client that asked for bookmarks gets one.
const BOOKMARK: Duration = Duration::from_mins(1);
/// What one chunk is filled up to: larger ones come from the system, page by page, and go back to it.
const CHUNK_BYTES: usize = 32 * 1024;

/// How much of an object is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    WithoutManagedFields,
}

/// One watch, from its first frame to its last.
struct Stream {
    info: Arc<ResourceInfo>,
    view: View,
    encoding: Encoding,
    extent: Extent,
    include: table::Include,
    server: ApiServer,
    selection: Selection,
    /// `None` once an error was sent.
    watch: Option<Watch>,
    initial: std::vec::IntoIter<Arc<Record>>,
    /// Changes that were taken from the watch, which all go out before anything else does.
    changes: std::vec::IntoIter<Arc<Event>>,
    /// The revision of the bookmark after the initial state.
    end_mark: Option<u64>,
    bookmarks: bool,
    deadline: Instant,
    /// Goes off when a bookmark is due or time is up.
    timer: Pin<Box<Sleep>>,
    /// Ready when the server ends.
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// What is sent before anything else: an error.
    failure: Option<Status>,
    /// Whether a table's columns were sent.
    has_columns: bool,
    is_over: bool,
    ongoing: Ongoing,
}

/// Follows the collection in the URL, or the one object of it.
pub(super) fn watch(request: &Request<'_>) -> Result<Response<Body>, Status> {
    let target = &request.target;
    let selection =
        Selection::of(request.info, target.namespace.as_deref(), target.name.as_deref(), &request.query)?;
    let start = Start::of(request)?;
    let server = request.server;
    let (initial, after) = if start.initial {
        let query = StoreQuery {
            resource: &request.info.storage.resource,
            namespace: selection.namespace(),
            ..StoreQuery::default()
        };
        let page = server.store().list(&query, &|record| selection.matches(record)).map_err(gone)?;
        (page.records, page.revision)
    } else {
        (Vec::new(), start.after)
    };
    let seconds = request.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = match seconds {
        None | Some(0) => server.watch_duration(),
        Some(seconds) => Duration::from_secs(seconds),
    };
    let (watch, failure) = follow(request, after);
    let deadline = server.world().clock().instant() + duration;
    let bookmarks = request.query.flag("allowWatchBookmarks");
    let shutdown = server.shutdown().clone();
    let stream = Stream {
        info: Arc::clone(request.info),
        view: request.view,
        encoding: request.encoding,
        extent: Extent::of(request),
        include: request.table.include,
        server: server.clone(),
        selection,
        watch,
        initial: initial.into_iter(),
        changes: Vec::new().into_iter(),
        end_mark: start.marks_end.then_some(after),
        bookmarks,
        deadline,
        timer: Box::pin(sleep_until(wake(bookmarks, deadline))),
        ending: Box::pin(async move { shutdown.begun().await }),
        failure,
        has_columns: false,
        is_over: false,
        ongoing: server.meter().watch(watched(request.info)),
    };
    let frames = futures::stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((chunk, stream))
    });
    let response = respond::json(StatusCode::OK, Body::stream(frames));
    Ok(if request.encoding == Encoding::Protobuf { protobuf::frames(response) } else { response })
}

impl Extent {
    /// Managed fields are left out for who has no use for them, of what is sent as it is stored.
    fn of(request: &Request<'_>) -> Self {
        let is_stored = request.view == View::Object && request.info.is_stored_version();
        let is_lean = request.wants_lean && is_stored && request.encoding == Encoding::Json;
        if is_lean { Self::WithoutManagedFields } else { Self::Whole }
    }
}

/// When a watch has to look at the clock next.
fn wake(bookmarks: bool, deadline: Instant) -> Instant {
    if bookmarks { deadline.min(Instant::now() + BOOKMARK) } else { deadline }
}

fn watched(info: &ResourceInfo) -> Watched {
    Watched {
        group: Arc::clone(&info.group),
        version: Arc::clone(&info.version),
        kind: Arc::clone(&info.kind),
    }
}

/// The changes after a revision, or why they cannot be had. The reason goes into the stream, where
/// every client looks for it; one about a revision that is yet to come makes it list again too.
fn follow(request: &Request<'_>, after: u64) -> (Option<Watch>, Option<Status>) {
    let current = request.server.store().revision();
    if after > current {
        return (None, Some(Status::watch_expired(after, current)));
    }
    match request.server.store().watch(&request.info.storage.resource, after) {
        Ok(watch) => (Some(watch), None),
        Err(compacted) => (None, Some(gone(compacted))),
    }
}

fn gone(compacted: Compacted) -> Status {
    Status::watch_expired(compacted.requested, compacted.oldest)
}

impl Stream {
    /// The next chunk; `None` when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        if let Some(status) = self.failure.take() {
            return Some(self.fail(&status));
        }
        if let Some(chunk) = self.initial_chunk() {
            return Some(chunk);
        }
        loop {
            if let Some(chunk) = self.changes_chunk() {
                return Some(chunk);
            }
            let watch = self.watch.as_mut()?;
            let batch = tokio::select! {
                biased;
                () = &mut self.ending => return None,
                // Before the changes, or a busy watch would never end.
                () = &mut self.timer => return self.tick(),
                batch = watch.next() => batch,
            };
            match batch {
                Err(compacted) => return Some(self.fail(&gone(compacted))),
                Ok(batch) => self.changes = batch.into_iter(),
            }
        }
    }

    /// What of the changes that are ready fits into a chunk.
    fn changes_chunk(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK_BYTES
            && let Some(event) = self.changes.next()
        {
            self.event(&event, &mut chunk);
        }
        (!chunk.is_empty()).then(|| Bytes::from(chunk))
    }

    /// Whether the resource still exists: a custom one ends with its definition.
    fn is_served(&self) -> bool {
        let info = &self.info;
        self.server.registry().snapshot().find(&info.group, &info.version, &info.resource).is_some()
    }

    /// A bookmark, when one is due; the last one when time is up.
    fn tick(&mut self) -> Option<Bytes> {
        let now = Instant::now();
        self.is_over = now >= self.deadline || !self.is_served();
        if !self.bookmarks {
            return None;
        }
        self.timer.as_mut().reset(wake(self.bookmarks, self.deadline));
        let revision = self.watch.as_ref()?.revision();
        Some(Bytes::from(self.bookmark(revision, false)))
    }

    /// What was there at the start, a chunk at a time, and the bookmark after it.
    fn initial_chunk(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK_BYTES
            && let Some(record) = self.initial.next()
        {
            self.frame("ADDED", &record, &mut chunk);
        }
        if self.initial.len() == 0
            && let Some(revision) = self.end_mark.take()
        {
            chunk.extend_from_slice(&self.bookmark(revision, true));
        }
        (!chunk.is_empty()).then(|| Bytes::from(chunk))
    }

    /// Adds what an event means to this watch.
    fn event(&mut self, event: &Event, chunk: &mut Vec<u8>) {
        let before = event.previous.as_ref().is_some_and(|record| self.selection.matches(record));
        let after = event.kind != EventKind::Deleted && self.selection.matches(&event.record);
        match (before, after) {
            (false, true) => self.frame("ADDED", &event.record, chunk),
            (true, true) => self.frame("MODIFIED", &event.record, chunk),
            (true, false) if event.kind == EventKind::Deleted => {
                self.frame("DELETED", &event.record, chunk);
            }
            (true, false) => {
                // The client knows the object as it was, so that is what it loses, at this revision.
                let known = event.previous.as_ref().map_or_else(Bytes::new, |record| record.value.clone());
                let lost =
                    encode::at_revision(&encode::draft(&encode::decode(&known)), &event.revision.to_string());
                let lost = self.shown(&lost);
                self.ongoing.event();
                self.envelope("DELETED", &[&lost], chunk);
            }
            (false, false) => {}
        }
    }

    fn frame(&mut self, kind: &str, record: &Record, chunk: &mut Vec<u8>) {
        self.ongoing.event();
        if self.extent == Extent::WithoutManagedFields {
            return self.envelope(kind, &encode::around_managed_fields(record), chunk);
        }
        let object = self.shown(&record.value);
        self.envelope(kind, &[&object], chunk);
    }

    /// A stored object in the form the client asked for.
    fn shown(&mut self, stored: &Bytes) -> Bytes {
        match self.view {
            View::Object => encode::in_version(&self.info, stored),
            View::Metadata => encode::metadata_only(stored),
            View::Table => {
                let with_columns = !std::mem::replace(&mut self.has_columns, true);
                let options = table::Options { include: self.include, now: self.server.world().now() };
                table::of_event(&self.info, stored, options, with_columns)
            }
        }
    }

    /// A frame that says how far the client has seen everything: an object that is nothing but a
    /// revision, which as a table is a row like any other.
    fn bookmark(&mut self, revision: u64, ends_initial: bool) -> Vec<u8> {
        let mut metadata = json!({ "resourceVersion": revision.to_string(), "creationTimestamp": null });
        if ends_initial {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let (kind, version) = (&*self.info.kind, &*self.info.storage.api_version);
        let object = json!({ "kind": kind, "apiVersion": version, "metadata": metadata });
        let object = self.shown(&encode::json(&object));
        let mut chunk = Vec::new();
        self.envelope("BOOKMARK", &[&object], &mut chunk);
        chunk
    }

    /// The frame that ends a watch which cannot go on.
    fn fail(&mut self, status: &Status) -> Bytes {
        self.is_over = true;
        let mut chunk = Vec::new();
        self.envelope("ERROR", &[&encode::json(&status.to_value())], &mut chunk);
        Bytes::from(chunk)
    }

    /// Adds a frame of an object whose bytes come in parts.
    fn envelope(&self, kind: &str, object: &[&[u8]], chunk: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Protobuf => protobuf::frame(kind, &object.concat(), chunk),
            Encoding::Json | Encoding::Yaml => line(kind, object, chunk),
        }
    }
}

fn line(kind: &str, object: &[&[u8]], chunk: &mut Vec<u8>) {
    chunk.reserve(object.iter().map(|part| part.len()).sum::<usize>() + 40);
    chunk.extend_from_slice(b"{\"type\":\"");
    chunk.extend_from_slice(kind.as_bytes());
    chunk.extend_from_slice(b"\",\"object\":");
    for part in object {
        chunk.extend_from_slice(part);
    }
    chunk.extend_from_slice(b"}\n");
}
