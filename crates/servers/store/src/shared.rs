//! What all handles of one store share: the live objects behind their lock, and the counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use crate::error::{CommitError, Compacted};
use crate::live::Live;
use crate::plan::Plan;
use crate::record::{Bundle, Event, Record};
use crate::watch::Watch;

/// What became of one proposal.
pub(crate) type Verdict = Result<Vec<Arc<Record>>, CommitError>;

/// The shared part of a store. There is one writer at a time; its callers see to that.
#[derive(Debug)]
pub(crate) struct Shared {
    live: RwLock<Live>,
    committed: Arc<AtomicU64>,
    compact_to: AtomicU64,
    /// Writes that were committed.
    pub(crate) commits: AtomicU64,
    /// Transactions that committed them.
    pub(crate) batches: AtomicU64,
    /// Transactions the disk refused.
    pub(crate) failures: AtomicU64,
}

impl Shared {
    /// The shared part of a store that holds `live`.
    pub(crate) fn new(live: Live) -> Self {
        Self {
            committed: Arc::new(AtomicU64::new(live.revision())),
            live: RwLock::new(live),
            compact_to: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// The live objects, for a read that ends soon.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().expect(UNPOISONED)
    }

    /// What a batch of proposals would do. Only the writer asks, so it stays true until it publishes.
    pub(crate) fn plan(&self, batch: Vec<impl Into<Bundle>>) -> (Vec<Arc<Event>>, Vec<Verdict>) {
        let live = self.read();
        let mut plan = Plan::new(&live);
        let verdicts = batch.into_iter().map(|bundle| plan.propose(bundle.into())).collect();
        (plan.into_events(), verdicts)
    }

    /// Makes events visible that are as durable as they will be; the answer is what fell out of
    /// the rings.
    pub(crate) fn publish(&self, events: &[Arc<Event>]) -> Vec<Arc<Event>> {
        let mut evicted = Vec::new();
        let touched = {
            let mut live = self.live.write().expect(UNPOISONED);
            let touched = live.publish(events, &mut evicted);
            self.committed.store(live.revision(), Ordering::Release);
            touched
        };
        for channel in touched.values() {
            channel.wake();
        }
        self.commits.fetch_add(events.len() as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        evicted
    }

    /// A watch of `resource` from `after` on.
    pub(crate) fn watch(&self, resource: &str, after: u64) -> Result<Watch, Compacted> {
        let known = self.read().resource(resource).map(|resource| Arc::clone(&resource.channel));
        let channel = known.unwrap_or_else(|| {
            let mut live = self.live.write().expect(UNPOISONED);
            Arc::clone(&live.resource_or_new(&Arc::from(resource), 0).channel)
        });
        Watch::new(channel, Arc::clone(&self.committed), after)
    }

    /// Forgets the events up to and including `up_to`; the answer is those.
    pub(crate) fn compact(&self, up_to: u64) -> Vec<Arc<Event>> {
        let mut evicted = Vec::new();
        for (_, resource) in self.read().resources() {
            resource.channel.compact(up_to, &mut evicted);
        }
        evicted
    }

    /// Asks the writer to compact.
    pub(crate) fn request_compaction(&self, up_to: u64) {
        self.compact_to.fetch_max(up_to, Ordering::AcqRel);
    }

    /// Up to where the writer was asked to compact since it last looked.
    pub(crate) fn requested_compaction(&self) -> Option<u64> {
        Some(self.compact_to.swap(0, Ordering::AcqRel)).filter(|up_to| *up_to > 0)
    }

    /// From where on each resource's history is known, where that is not the beginning.
    pub(crate) fn floors(&self) -> Vec<(Arc<str>, u64)> {
        let live = self.read();
        let floors = live.resources().map(|(name, resource)| (Arc::clone(name), resource.channel.floor()));
        floors.filter(|(_, floor)| *floor > 0).collect()
    }
}

const UNPOISONED: &str = "invariant: no panic while the live objects are changed";
