//! What lies between two places: the table of links and what it does to what travels.
//!
//! **Invariants:** where no link was ever set nothing here costs time or draws a number. Each link
//! draws from a stream of its own, so one link's traffic does not move another's.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::Place;
use crate::limits;
use crate::random::{Random, Seed};

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// Every place.
    Anywhere,
    /// Every place of a region.
    Region(Arc<str>),
    /// One place.
    Place(Place),
}

impl Ends {
    /// Every place of `region`.
    pub fn region(region: &str) -> Self {
        Self::Region(region.into())
    }

    /// This place and all that contain it, narrowest first.
    fn around(place: &Place) -> [Self; 3] {
        [Self::Place(place.clone()), Self::region(place.region()), Self::Anywhere]
    }
}

impl From<Place> for Ends {
    fn from(place: Place) -> Self {
        Self::Place(place)
    }
}

/// How traffic in one direction fares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// How long everything takes to arrive.
    pub latency: Duration,
    /// At most this much is added to the latency, evenly drawn.
    pub jitter: Duration,
    /// The probability that a packet is lost: a datagram is gone, a stream sends it again later.
    pub loss: f64,
    /// How much fits through; no limit where none is set.
    pub bytes_per_second: Option<u64>,
    /// Nothing arrives until this is set back.
    pub partitioned: bool,
}

/// What fits into one packet.
const PACKET_BYTES: usize = 1460;
/// A lost packet is sent again after this at the earliest (the minimum of common TCP stacks).
const FIRST_RETRANSMISSION: Duration = Duration::from_millis(200);
/// A packet lost this often in a row is let through: the next doubling would exceed patience.
const MOST_RETRANSMISSIONS: u32 = 8;

/// All links of a network.
#[derive(Debug)]
pub(super) struct Links {
    seed: Seed,
    /// Whether any link was ever set.
    in_use: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<(Ends, Ends), Entry>,
    /// Who waits for a partition to heal, by the number they drew.
    waiting: BTreeMap<u64, Waker>,
    next_waiter: u64,
}

#[derive(Debug)]
struct Entry {
    link: Link,
    random: Random,
    /// When the last byte given to this link has left its near end.
    free_at: Option<Instant>,
}

/// Whoever waits for a partition to heal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter(u64);

impl Links {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, in_use: AtomicBool::new(false), state: Mutex::default() }
    }

    /// Sets a link and wakes who waits for it to heal.
    pub(super) fn set(&self, from: &Ends, to: &Ends, link: Link) {
        let mut state = self.state();
        let name = format!("net/{from:?}/{to:?}");
        state
            .entries
            .entry((from.clone(), to.clone()))
            .or_insert_with(|| Entry { link, random: Random::named(self.seed, &name), free_at: None })
            .link = link;
        self.in_use.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Whether links cost anything at all.
    pub(super) fn are_in_use(&self) -> bool {
        self.in_use.load(Ordering::Acquire)
    }

    /// When `bytes` of a stream sent now arrive; `None` when at once.
    pub(super) fn arrival(&self, from: &Place, to: &Place, bytes: usize) -> Option<Instant> {
        if !self.are_in_use() {
            return None;
        }
        let mut state = self.state();
        let entry = narrowest(&mut state.entries, from, to)?;
        let sent = entry.depart(bytes);
        let again = entry.retransmissions(bytes);
        Some(sent + again)
    }

    /// When a datagram sent now arrives; `None` when it never does.
    pub(super) fn datagram_arrival(&self, from: &Place, to: &Place, bytes: usize) -> Option<Instant> {
        let now = Instant::now();
        if !self.are_in_use() {
            return Some(now);
        }
        let mut state = self.state();
        let Some(entry) = narrowest(&mut state.entries, from, to) else { return Some(now) };
        if entry.link.partitioned || entry.random.chance(entry.link.loss) {
            return None;
        }
        Some(entry.depart(bytes))
    }

    /// Whether a partition lies between them, in this direction.
    pub(super) fn is_cut(&self, from: &Place, to: &Place) -> bool {
        self.are_in_use()
            && narrowest(&mut self.state().entries, from, to).is_some_and(|entry| entry.link.partitioned)
    }

    /// A number to wait under.
    pub(super) fn waiter(&self) -> Waiter {
        let mut state = self.state();
        state.next_waiter += 1;
        Waiter(state.next_waiter)
    }

    /// Forgets a waiter.
    pub(super) fn leave(&self, waiter: Waiter) {
        self.state().waiting.remove(&waiter.0);
    }

    /// Ready as soon as no partition lies between `from` and `to`.
    pub(super) fn poll_whole(
        &self,
        waiter: Waiter,
        from: &Place,
        to: &Place,
        context: &Context<'_>,
    ) -> Poll<()> {
        if !self.are_in_use() {
            return Poll::Ready(());
        }
        let mut state = self.state();
        match narrowest(&mut state.entries, from, to) {
            Some(entry) if entry.link.partitioned => {
                state.waiting.insert(waiter.0, context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// Waits as long as one packet takes from `from` to `to`.
    pub(super) async fn cross(&self, from: &Place, to: &Place) -> io::Result<()> {
        if !self.are_in_use() {
            return Ok(());
        }
        let started = Instant::now();
        let waiting = Waiting { links: self, waiter: self.waiter() };
        let whole = std::future::poll_fn(|context| self.poll_whole(waiting.waiter, from, to, context));
        if tokio::time::timeout(limits::CONNECT, whole).await.is_err() {
            let text = format!("no answer from {to} within {} s", limits::CONNECT.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        if let Some(arrival) = self.arrival(from, to, 1).filter(|arrival| *arrival > started) {
            tokio::time::sleep_until(arrival).await;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("invariant: no panic under this lock")
    }
}

/// Leaves the queue of waiters when its future is dropped.
struct Waiting<'a> {
    links: &'a Links,
    waiter: Waiter,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.links.leave(self.waiter);
    }
}

impl Entry {
    /// When `bytes` given to the link now are at its far end, were nothing lost.
    fn depart(&mut self, bytes: usize) -> Instant {
        let now = Instant::now();
        let mut leaves = now;
        if let Some(rate) = self.link.bytes_per_second.filter(|rate| *rate > 0) {
            let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(rate);
            let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            leaves = self.free_at.map_or(now, |free| free.max(now)) + takes;
            self.free_at = Some(leaves);
        }
        let jitter = u64::try_from(self.link.jitter.as_nanos()).unwrap_or(u64::MAX);
        let jitter = if jitter == 0 { 0 } else { self.random.below(jitter.saturating_add(1)) };
        leaves + self.link.latency + Duration::from_nanos(jitter)
    }

    /// How much later a stream's bytes arrive because packets of them are lost.
    fn retransmissions(&mut self, bytes: usize) -> Duration {
        if self.link.loss <= 0.0 {
            return Duration::ZERO;
        }
        let mut most = 0;
        for _packet in 0..bytes.div_ceil(PACKET_BYTES).max(1) {
            let mut losses = 0;
            while losses < MOST_RETRANSMISSIONS && self.random.chance(self.link.loss) {
                losses += 1;
            }
            most = most.max(losses);
        }
        // Each wait is twice the one before: 1 + 2 + 4 + … = 2^n - 1.
        FIRST_RETRANSMISSION.max(self.link.latency * 2) * ((1 << most) - 1)
    }
}

/// The link between two places whose ends are the narrowest.
fn narrowest<'a>(
    entries: &'a mut BTreeMap<(Ends, Ends), Entry>,
    from: &Place,
    to: &Place,
) -> Option<&'a mut Entry> {
    const BY_NARROWNESS: [(usize, usize); 9] =
        [(0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (1, 1), (1, 2), (2, 1), (2, 2)];
    let (froms, tos) = (Ends::around(from), Ends::around(to));
    let key = BY_NARROWNESS
        .iter()
        .map(|(from, to)| (froms[*from].clone(), tos[*to].clone()))
        .find(|key| entries.contains_key(key))?;
    entries.get_mut(&key)
}
