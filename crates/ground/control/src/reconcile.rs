//! The loop that takes keys from a queue, works on several at a time and retries what failed.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::Queue;

/// What follows work on a key that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing until something changes.
    Wait,
    /// Work on it again after this while, changed or not.
    After(Duration),
}

/// What a reconcile function returns.
pub type Outcome<E = kube::Error> = Result<Next, E>;

/// How a controller fares; clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    conflicts: AtomicU64,
    errors: AtomicU64,
}

impl Counters {
    /// Keys worked on to a good end.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// Work repeated because its view was out of date.
    pub fn conflicts(&self) -> u64 {
        self.0.conflicts.load(Ordering::Relaxed)
    }

    /// Work that failed and is repeated after a back-off.
    pub fn errors(&self) -> u64 {
        self.0.errors.load(Ordering::Relaxed)
    }

    /// Counts work done.
    pub fn succeeded(&self) {
        self.0.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts work that failed.
    pub fn failed(&self) {
        self.0.errors.fetch_add(1, Ordering::Relaxed);
    }
}

/// A failure of work on a key, as far as the loop must tell them apart.
pub trait Failure: Display {
    /// Whether the work saw something out of date, which only time mends.
    fn is_conflict(&self) -> bool {
        false
    }
}

impl Failure for kube::Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(status) if status.code == 409)
    }
}

/// Works on what comes out of `queue`, at most `workers` keys at a time, for as long as it is polled.
pub async fn run<T, F, Fut, E>(name: &str, queue: &Queue<T>, workers: usize, counters: &Counters, mut work: F)
where
    T: Ord + Clone + Display,
    F: FnMut(T) -> Fut,
    Fut: Future<Output = Outcome<E>>,
    E: Failure,
{
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some((key, outcome)) = running.next(), if !running.is_empty() => {
                settle(name, queue, counters, &key, outcome);
            }
            key = queue.next(), if running.len() < workers => {
                let future = work(key.clone());
                running.push(async move { (key, future.await) });
            }
        }
    }
}

fn settle<T, E>(name: &str, queue: &Queue<T>, counters: &Counters, key: &T, outcome: Outcome<E>)
where
    T: Ord + Clone + Display,
    E: Failure,
{
    match outcome {
        Ok(next) => {
            counters.succeeded();
            queue.forget(key);
            if let Next::After(delay) = next {
                queue.add_after(key.clone(), delay);
            }
        }
        Err(error) => {
            let delay = queue.add_rate_limited(key.clone());
            if error.is_conflict() {
                counters.0.conflicts.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(controller = name, %key, ?delay, %error, "out of date, tried again");
            } else {
                counters.failed();
                tracing::warn!(controller = name, %key, ?delay, %error, "failed, tried again");
            }
        }
    }
    queue.done(key);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::Instant;

    #[derive(Debug)]
    struct Broken;
    impl Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("broken")
        }
    }
    impl Failure for Broken {}

    #[tokio::test(start_paused = true)]
    async fn a_failed_key_comes_again_later_each_time_until_it_succeeds() {
        let (queue, counters, start) = (Queue::<&str>::default(), Counters::default(), Instant::now());
        let tries = RefCell::new(Vec::new());
        queue.add("a");
        let work = |_| {
            tries.borrow_mut().push(start.elapsed().as_millis());
            let failed = tries.borrow().len() < 4;
            async move { if failed { Err(Broken) } else { Ok(Next::Wait) } }
        };
        let loops = run("test", &queue, 1, &counters, work);
        assert!(tokio::time::timeout(Duration::from_secs(9), loops).await.is_err());
        assert_eq!(*tries.borrow(), [0, 5, 15, 35]);
        assert_eq!((counters.done(), counters.errors(), queue.failures(&"a")), (1, 3, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_keys_are_worked_on_at_a_time_than_there_are_workers() {
        let (queue, counters) = (Queue::<u32>::default(), Counters::default());
        let (busy, most) = (RefCell::new(0), RefCell::new(0));
        (0..10).for_each(|key| queue.add(key));
        let (busy, most) = (&busy, &most);
        let work = |_| async move {
            *busy.borrow_mut() += 1;
            most.replace_with(|most| (*most).max(*busy.borrow()));
            tokio::time::sleep(Duration::from_secs(1)).await;
            *busy.borrow_mut() -= 1;
            Ok::<_, Broken>(Next::Wait)
        };
        let loops = run("test", &queue, 3, &counters, work);
        assert!(tokio::time::timeout(Duration::from_secs(9), loops).await.is_err());
        assert_eq!((*most.borrow(), counters.done()), (3, 10));
    }
}
