//! The handle everybody has.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mainstay_base::disk::SharedDisk;
use mainstay_base::{limits, task};
use tokio::sync::{mpsc, oneshot};

use crate::committer::{self, Message, Proposal};
use crate::database::Database;
use crate::error::{CommitError, Compacted, OpenError};
use crate::list::{self, Page, Query};
use crate::live::Live;
use crate::record::{Bundle, Event, Key, Record, Tags, Unchanged, Write};
use crate::shared::{Shared, Verdict};
use crate::stats::Stats;
use crate::tuning::Tuning;
use crate::vfs::Counters;
use crate::watch::Watch;

/// Sees each event of a store in memory, in order, before its write is acknowledged.
pub type Observer = Box<dyn Fn(&Event) + Send + Sync>;

/// Makes the tags of an encoded object read from disk.
pub type Index = fn(&Key, &[u8]) -> Tags;

/// The object store; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    writer: Writer,
}

/// How writes are committed.
#[derive(Clone, Debug)]
enum Writer {
    /// By whoever asks, in memory.
    Inline(Arc<Inline>),
    /// By the committer's thread, on disk.
    Queued { inbox: mpsc::Sender<Message>, counters: Arc<Counters> },
}

/// The one writer of a store in memory.
struct Inline {
    observer: Option<Observer>,
    turn: Mutex<()>,
    is_closed: AtomicBool,
}

impl fmt::Debug for Inline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inline").finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store in memory that commits inline, on no thread but the caller's.
    pub fn in_memory(observer: Option<Observer>) -> Self {
        Self::in_memory_tuned(observer, Tuning::default())
    }

    pub(crate) fn in_memory_tuned(observer: Option<Observer>, tuning: Tuning) -> Self {
        let inline = Inline { observer, turn: Mutex::new(()), is_closed: AtomicBool::new(false) };
        let shared = Shared::new(Live::new(tuning.ring));
        Self { shared: Arc::new(shared), writer: Writer::Inline(Arc::new(inline)) }
    }

    /// Opens the store on `disk`, making it where there is none, reads and checks all of it, and
    /// starts its committer. The disk's lock is held until [`Store::close`] returns, or until shortly
    /// after the last handle is gone: the committer first finishes what it took.
    pub fn open(disk: SharedDisk, index: Index) -> Result<Self, OpenError> {
        Self::open_tuned(disk, index, Tuning::default())
    }

    pub(crate) fn open_tuned(disk: SharedDisk, index: Index, tuning: Tuning) -> Result<Self, OpenError> {
        let database = Database::open(disk)?;
        let (live, garbage) = database.load(index, tuning.ring)?;
        let counters = database.counters();
        let shared = Arc::new(Shared::new(live));
        let (inbox, messages) = mpsc::channel(limits::COMMIT_QUEUE);
        let committed = Arc::clone(&shared);
        // Nobody joins the thread: it ends when the last handle is gone, or with `close`.
        let _thread = task::thread("store", move || {
            committer::run(database, committed, garbage, tuning, messages);
        });
        Ok(Self { shared, writer: Writer::Queued { inbox, counters } })
    }

    /// The revision of the last commit.
    pub fn revision(&self) -> u64 {
        self.shared.read().revision()
    }

    /// An object as it is.
    pub fn get(&self, key: &Key) -> Option<Arc<Record>> {
        self.shared.read().get(key).cloned()
    }

    /// A list of what `accept` takes, which must be quick: writes wait for it.
    pub fn list(&self, query: &Query<'_>, accept: &dyn Fn(&Record) -> bool) -> Result<Page, Compacted> {
        list::list(&self.shared.read(), query, accept)
    }

    /// Makes one change; returns when it is durable. For a removal, the answer is the last state.
    pub async fn commit(&self, write: Write) -> Result<Arc<Record>, CommitError> {
        let mut records = self.commit_together(vec![write]).await?;
        Ok(records.pop().expect("invariant: one record per write"))
    }

    /// Makes all changes or none, at successive revisions; returns when they are durable.
    ///
    /// # Panics
    /// When a draft's revision does not lie within it.
    pub async fn commit_together(&self, writes: Vec<Write>) -> Result<Vec<Arc<Record>>, CommitError> {
        self.commit_bundle(writes.into()).await
    }

    /// The same, unless a part of the store has changed that the changes rest on.
    ///
    /// # Panics
    /// As [`Store::commit_together`].
    pub async fn commit_unless_changed(
        &self,
        unchanged: Unchanged,
        writes: Vec<Write>,
    ) -> Result<Vec<Arc<Record>>, CommitError> {
        self.commit_bundle(Bundle { writes, unchanged: Some(unchanged) }).await
    }

    async fn commit_bundle(&self, bundle: Bundle) -> Result<Vec<Arc<Record>>, CommitError> {
        for write in &bundle.writes {
            let draft = write.change.draft();
            assert!(draft.revision_at <= draft.bytes.len(), "invariant: a draft's revision lies within it");
        }
        match &self.writer {
            Writer::Inline(inline) => {
                // Committing never waits, so a task that only writes would never yield.
                tokio::task::coop::consume_budget().await;
                inline.commit(&self.shared, bundle)
            }
            Writer::Queued { inbox, .. } => {
                let (answer, verdict) = oneshot::channel();
                let proposal = Message::Propose(Proposal { bundle, answer });
                inbox.send(proposal).await.map_err(|_| CommitError::Closed)?;
                verdict.await.map_err(|_| CommitError::Closed)?
            }
        }
    }

    /// The changes of `resource` after revision `after`.
    pub fn watch(&self, resource: &str, after: u64) -> Result<Watch, Compacted> {
        self.shared.watch(resource, after)
    }

    /// Forgets the events up to and including revision `up_to`; no object is lost. The rings are
    /// bounded without it.
    pub fn compact(&self, up_to: u64) {
        match &self.writer {
            Writer::Inline(_) => drop(self.shared.compact(up_to)),
            Writer::Queued { inbox, .. } => {
                self.shared.request_compaction(up_to);
                // With a full queue the committer is busy, and looks before it sleeps.
                let _woken = inbox.try_send(Message::Look);
            }
        }
    }

    /// The store's figures.
    pub fn stats(&self) -> Stats {
        let counters = match &self.writer {
            Writer::Inline(_) => None,
            Writer::Queued { counters, .. } => Some(&**counters),
        };
        Stats::read(&self.shared, counters)
    }

    /// Commits what waits, closes the file, and returns when another process may open it.
    pub async fn close(self) {
        match self.writer {
            Writer::Inline(inline) => inline.is_closed.store(true, Ordering::Release),
            Writer::Queued { inbox, .. } => {
                let (answer, closed) = oneshot::channel();
                let asked = inbox.send(Message::Close(answer)).await;
                drop(inbox);
                if asked.is_ok() {
                    let _closed = closed.await;
                }
            }
        }
    }
}

impl Inline {
    fn commit(&self, shared: &Shared, bundle: Bundle) -> Verdict {
        let _turn = self.turn.lock().expect("invariant: no observer panics");
        if self.is_closed.load(Ordering::Acquire) {
            return Err(CommitError::Closed);
        }
        let (events, mut verdicts) = shared.plan(vec![bundle]);
        if !events.is_empty() {
            drop(shared.publish(&events));
            if let Some(observer) = &self.observer {
                for event in &events {
                    observer(event);
                }
            }
        }
        verdicts.pop().expect("invariant: one verdict per proposal")
    }
}
