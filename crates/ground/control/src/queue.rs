//! The work queue: each item at most once, never worked on twice at a time, delayed where asked.
//!
//! **Invariants:** items come out in the order they became ready; an item added while it is worked
//! on comes out again once that work is done; of two delays of one item the shorter holds. What is
//! queued is bounded by the number of distinct items.
//!
//! **Spec:** upstream's `workqueue.RateLimitingInterface`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::backoff::ItemBackoff;

/// A queue of keys to work on; clones share it. One task takes from it.
#[derive(Debug)]
pub struct Queue<T>(Arc<Shared<T>>);

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    ready: VecDeque<T>,
    /// What is in `ready`, or is to be once its current work is done.
    dirty: BTreeSet<T>,
    working: BTreeSet<T>,
    delayed: BTreeMap<(Instant, u64), T>,
    due: BTreeMap<T, (Instant, u64)>,
    arrivals: u64,
    backoff: ItemBackoff<T>,
}

impl<T: Ord + Clone> Default for Queue<T> {
    fn default() -> Self {
        Self::new(ItemBackoff::default())
    }
}

impl<T: Ord + Clone> Queue<T> {
    /// An empty queue whose failed items wait as `backoff` says.
    pub fn new(backoff: ItemBackoff<T>) -> Self {
        let state = State {
            ready: VecDeque::new(),
            dirty: BTreeSet::new(),
            working: BTreeSet::new(),
            delayed: BTreeMap::new(),
            due: BTreeMap::new(),
            arrivals: 0,
            backoff,
        };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }))
    }

    /// Asks for work on `item`, now.
    pub fn add(&self, item: T) {
        let mut state = self.lock();
        state.add(item);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Asks for work on `item` in a while.
    pub fn add_after(&self, item: T, delay: Duration) {
        if delay.is_zero() {
            return self.add(item);
        }
        self.lock().delay(item, Instant::now() + delay);
        self.0.changed.notify_one();
    }

    /// Asks for work on `item` after the delay its failures have earned it; says how long that is.
    pub fn add_rate_limited(&self, item: T) -> Duration {
        let mut state = self.lock();
        let delay = state.backoff.fail(&item);
        state.delay(item, Instant::now() + delay);
        drop(state);
        self.0.changed.notify_one();
        delay
    }

    /// Forgets the failures of `item`.
    pub fn forget(&self, item: &T) {
        self.lock().backoff.forget(item);
    }

    /// How often `item` failed since it was last forgotten.
    pub fn failures(&self, item: &T) -> u32 {
        self.lock().backoff.failures(item)
    }

    /// Waits for an item to work on; its work ends with [`Queue::done`].
    pub async fn next(&self) -> T {
        loop {
            let deadline = {
                let mut state = self.lock();
                state.release(Instant::now());
                if let Some(item) = state.take() {
                    return item;
                }
                state.delayed.keys().next().map(|(at, _)| *at)
            };
            match deadline {
                None => self.0.changed.notified().await,
                Some(at) => tokio::select! {
                    biased;
                    () = self.0.changed.notified() => {}
                    () = tokio::time::sleep_until(at) => {}
                },
            }
        }
    }

    /// Ends the work on `item`; it comes again if it was added meanwhile.
    pub fn done(&self, item: &T) {
        let mut state = self.lock();
        state.working.remove(item);
        if state.dirty.contains(item) {
            state.ready.push_back(item.clone());
            drop(state);
            self.0.changed.notify_one();
        }
    }

    /// How many items wait to be worked on now.
    pub fn len(&self) -> usize {
        self.lock().ready.len()
    }

    /// Whether nothing waits to be worked on now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.state.lock().expect("invariant: no panic under this lock")
    }
}

impl<T: Ord + Clone> State<T> {
    fn add(&mut self, item: T) {
        if !self.dirty.insert(item.clone()) || self.working.contains(&item) {
            return;
        }
        self.ready.push_back(item);
    }

    fn delay(&mut self, item: T, at: Instant) {
        match self.due.get(&item) {
            Some((earlier, _)) if *earlier <= at => return,
            Some(later) => {
                self.delayed.remove(later);
            }
            None => {}
        }
        self.arrivals += 1;
        self.due.insert(item.clone(), (at, self.arrivals));
        self.delayed.insert((at, self.arrivals), item);
    }

    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let item = entry.remove();
            self.due.remove(&item);
            self.add(item);
        }
    }

    fn take(&mut self) -> Option<T> {
        let item = self.ready.pop_front()?;
        self.dirty.remove(&item);
        self.working.insert(item.clone());
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue<&'static str> {
        Queue::default()
    }

    async fn drain(queue: &Queue<&'static str>) -> Vec<&'static str> {
        let mut items = Vec::new();
        while let Ok(item) = tokio::time::timeout(Duration::ZERO, queue.next()).await {
            queue.done(&item);
            items.push(item);
        }
        items
    }

    #[tokio::test(start_paused = true)]
    async fn items_come_once_each_in_order_of_arrival() {
        let queue = queue();
        for item in ["b", "a", "b", "c"] {
            queue.add(item);
        }
        assert_eq!(drain(&queue).await, ["b", "a", "c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_added_during_its_work_comes_again_after_it() {
        let queue = queue();
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        assert!(queue.is_empty(), "nobody works on it twice at a time");
        queue.done(&"a");
        assert_eq!(drain(&queue).await, ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_delays_the_shorter_holds() {
        let queue = queue();
        let start = Instant::now();
        queue.add_after("a", Duration::from_secs(9));
        queue.add_after("a", Duration::from_secs(3));
        queue.add_after("a", Duration::from_secs(5));
        queue.add_after("b", Duration::from_secs(3));
        assert_eq!(queue.next().await, "a");
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert_eq!(queue.next().await, "b");
        queue.done(&"a");
        queue.done(&"b");
        assert!(tokio::time::timeout(Duration::from_mins(1), queue.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_lengthen_the_delay_until_they_are_forgotten() {
        let queue = queue();
        assert_eq!(queue.add_rate_limited("a"), Duration::from_millis(5));
        assert_eq!(queue.add_rate_limited("a"), Duration::from_millis(10));
        assert_eq!(queue.failures(&"a"), 2);
        queue.forget(&"a");
        assert_eq!(queue.add_rate_limited("a"), Duration::from_millis(5));
    }
}
