//! The single writer of a store on disk: takes what waits, commits it in one transaction, makes it
//! visible, and answers.
//!
//! Each transaction has a price of its own: the disk is waited for, and every watch wakes up. So while
//! several writers are about, those who were just answered are given a moment to come with their next
//! write. A writer that is alone waits for nothing but the disk.
//!
//! **Invariant:** nothing is visible, and nobody is answered, before the transaction is durable.
//! A transaction the disk refuses leaves memory untouched; the next one is tried as if it were the first.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mainstay_base::{limits, task};
use tokio::sync::{mpsc, oneshot};

use crate::database::{Database, Log};
use crate::error::CommitError;
use crate::record::{Bundle, Event, EventKind};
use crate::shared::{Shared, Verdict};
use crate::tuning::Tuning;

/// Writes that are committed all or none, and who waits for them.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) bundle: Bundle,
    pub(crate) answer: oneshot::Sender<Verdict>,
}

/// What the committer is asked.
#[derive(Debug)]
pub(crate) enum Message {
    /// To commit.
    Propose(Proposal),
    /// To see whether there is something to tidy.
    Look,
    /// To commit what waits, and close.
    Close(oneshot::Sender<()>),
}

/// Runs until all handles are gone or one of them closes the store.
pub(crate) fn run(
    database: Database,
    shared: Arc<Shared>,
    garbage: Vec<u64>,
    tuning: Tuning,
    mut inbox: mpsc::Receiver<Message>,
) {
    let mut closing = Vec::new();
    match database.log() {
        Ok(log) => Committer::new(shared, log, garbage, tuning).serve(&mut inbox, &mut closing),
        Err(error) => tracing::error!(%error, "the store cannot write"),
    }
    database.close();
    for answer in closing {
        let _gone = answer.send(());
    }
}

/// The writer's state.
pub(crate) struct Committer<'d> {
    shared: Arc<Shared>,
    log: Log<'d>,
    garbage: Vec<u64>,
    tuning: Tuning,
}

impl<'d> Committer<'d> {
    /// A writer of `log`, whose rows `garbage` nothing refers to.
    pub(crate) fn new(shared: Arc<Shared>, log: Log<'d>, garbage: Vec<u64>, tuning: Tuning) -> Self {
        Self { shared, log, garbage, tuning }
    }

    fn serve(&mut self, inbox: &mut mpsc::Receiver<Message>, closing: &mut Vec<oneshot::Sender<()>>) {
        let mut is_busy = false;
        while let Some(first) = inbox.blocking_recv() {
            if is_busy {
                task::rest(self.tuning.gather);
            }
            let mut batch = Batch::default();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Propose(proposal) => batch.add(proposal),
                    Message::Look => {}
                    Message::Close(answer) => {
                        inbox.close();
                        closing.push(answer);
                    }
                }
                next = if batch.is_full() { None } else { inbox.try_recv().ok() };
            }
            is_busy = batch.answers.len() > 1;
            let verdicts = self.commit(batch.bundles);
            for (answer, verdict) in batch.answers.into_iter().zip(verdicts) {
                let _gone = answer.send(verdict);
            }
            self.tidy();
        }
    }

    /// Commits a batch of proposals in one transaction; the answer has a verdict for each.
    pub(crate) fn commit(&mut self, batch: Vec<impl Into<Bundle>>) -> Vec<Verdict> {
        let (events, verdicts) = self.shared.plan(batch);
        if events.is_empty() {
            return verdicts;
        }
        if let Err(refused) = self.log.append(&events) {
            let refusal = CommitError::from(refused);
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
            // Conflicts too: what they conflict with may be what was refused.
            return verdicts.iter().map(|_| Err(refusal.clone())).collect();
        }
        let evicted = self.shared.publish(&events);
        self.discard(&evicted);
        verdicts
    }

    /// Forgets what nothing refers to any more and folds the log, when there is enough of either.
    pub(crate) fn tidy(&mut self) {
        let requested = self.shared.requested_compaction();
        if let Some(up_to) = requested {
            let evicted = self.shared.compact(up_to);
            self.discard(&evicted);
        }
        if requested.is_some() || self.garbage.len() >= self.tuning.forget_batch {
            self.forget();
        }
        if let Err(error) = self.log.fold_when_longer(self.tuning.log_bytes) {
            tracing::warn!(%error, "the store's log could not be folded yet");
        }
    }

    fn forget(&mut self) {
        let revision = self.shared.read().revision();
        match self.log.forget(&self.garbage, &self.shared.floors(), revision) {
            Ok(()) => self.garbage.clear(),
            Err(error) => tracing::warn!(%error, "the store could not forget old revisions yet"),
        }
    }

    fn discard(&mut self, evicted: &[Arc<Event>]) {
        self.garbage.extend(evicted.iter().flat_map(|event| unreferenced(event)));
    }
}

/// The rows that nothing refers to once `event` left its ring.
pub(crate) fn unreferenced(event: &Event) -> impl Iterator<Item = u64> + use<> {
    let superseded = event.previous.as_ref().map(|record| record.revision);
    let tombstone = (event.kind == EventKind::Deleted).then_some(event.revision);
    superseded.into_iter().chain(tombstone)
}

/// Proposals that share a transaction.
#[derive(Default)]
struct Batch {
    bundles: Vec<Bundle>,
    answers: Vec<oneshot::Sender<Verdict>>,
    count: usize,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, proposal: Proposal) {
        let writes = &proposal.bundle.writes;
        self.count += writes.len();
        self.bytes += writes.iter().map(|write| write.change.draft().bytes.len()).sum::<usize>();
        self.bundles.push(proposal.bundle);
        self.answers.push(proposal.answer);
    }

    fn is_full(&self) -> bool {
        self.count >= limits::COMMIT_BATCH || self.bytes >= limits::COMMIT_BATCH_BYTES
    }
}

impl From<crate::database::Refused> for CommitError {
    fn from(refused: crate::database::Refused) -> Self {
        if refused.is_full { Self::Full(refused.text) } else { Self::Failed(refused.text) }
    }
}
