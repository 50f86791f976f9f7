//! What a failure means, when a task starts again, and how a tree ends.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::random::Seed;
use crate::world::World;

fn virtually<F, Fut>(body: F)
where
    F: FnOnce(Tree) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    World::enter(Seed(1), start, |_| body(Tree::new(Shutdown::new())));
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

/// Counts up when it is dropped.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn states(tree: &Tree) -> Vec<State> {
    tree.report().into_iter().map(|report| report.state).collect()
}

#[test]
fn a_controller_starts_again_after_waits_that_double_to_half_a_minute() {
    virtually(|tree| async move {
        let origin = Instant::now();
        let (sender, mut starts) = tokio::sync::mpsc::channel(16);
        tree.supervise(Kind::Controller, "deployment", move || {
            let sender = sender.clone();
            async move {
                sender.send(origin.elapsed().as_secs()).await?;
                Err("the server is away".into())
            }
        });
        let mut seen = Vec::new();
        for _ in 0..8 {
            seen.push(starts.recv().await.unwrap());
        }
        assert_eq!(seen, [0, 1, 3, 7, 15, 31, 61, 91]);
        seconds(1).await;
        let report = &tree.report()[0];
        assert_eq!(report.state, State::BackingOff("the server is away".to_owned()));
        assert_eq!((report.restarts, tree.failures(), tree.panics()), (7, 8, 0));
    });
}

#[test]
fn a_minutes_run_resets_the_back_off() {
    virtually(|tree| async move {
        let origin = Instant::now();
        let (sender, mut starts) = tokio::sync::mpsc::channel(16);
        tree.supervise(Kind::Agent, "node", move || {
            let sender = sender.clone();
            async move {
                let started = origin.elapsed().as_secs();
                sender.send(started).await?;
                seconds(if started == 3 { 60 } else { 0 }).await;
                Err("gone".into())
            }
        });
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(starts.recv().await.unwrap());
        }
        assert_eq!(seen, [0, 1, 3, 64, 66]);
    });
}

#[test]
fn a_panic_is_caught_and_counted_and_the_task_starts_again() {
    virtually(|tree| async move {
        let runs = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&runs);
        tree.supervise(Kind::Housekeeping, "compaction", move || {
            let run = count.fetch_add(1, Ordering::Relaxed);
            assert!(run != 0, "while making the future");
            async move {
                assert!(run != 1, "in the future");
                Ok(())
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(states(&tree), [State::BackingOff("panicked: while making the future".to_owned())]);
        seconds(2).await;
        assert_eq!(states(&tree), [State::BackingOff("panicked: in the future".to_owned())]);
        seconds(60).await;
        assert_eq!((runs.load(Ordering::Relaxed), tree.panics(), states(&tree)), (3, 2, vec![]));
    });
}

#[test]
fn a_failed_step_is_recorded_and_the_rest_goes_on() {
    virtually(|tree| async move {
        let error = io_error();
        tree.spawn(Kind::Step, "apply", async move { Err(error.into()) });
        tree.spawn(Kind::Controller, "once", async { Err("no second future".into()) });
        tree.spawn(Kind::Step, "wait", std::future::pending());
        seconds(100).await;
        let failed = |text: &str| State::Failed(text.to_owned());
        let expected = [failed("cannot read: the disk is gone"), failed("no second future"), State::Running];
        assert_eq!(states(&tree), expected);
        assert!(!tree.shutdown().has_begun());
    });
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read")]
struct ReadError(#[source] std::io::Error);

fn io_error() -> ReadError {
    ReadError(std::io::Error::other("the disk is gone"))
}

#[test]
fn a_failed_listener_ends_its_tree() {
    virtually(|tree| async move {
        let shutdown = tree.shutdown().clone();
        tree.spawn(Kind::Step, "polite", async move {
            shutdown.begun().await;
            Ok(())
        });
        tree.spawn(Kind::Listener, "api", async { Err("the socket is gone".into()) });
        tree.shutdown().begun().await;
        seconds(1).await;
        assert_eq!(states(&tree), [State::Failed("the socket is gone".to_owned())]);
    });
}

#[test]
fn failed_connections_are_counted_but_not_all_remembered() {
    virtually(|tree| async move {
        for number in 0..250 {
            tree.spawn(Kind::Connection, format!("{number}"), async { Err("reset".into()) });
        }
        seconds(1).await;
        let report = tree.report();
        assert_eq!((tree.failures(), report.len()), (250, limits::FAILED_TASKS));
        assert_eq!(report[0].name, "150");
        assert!(tree.0.state().handles.is_empty());
    });
}

#[test]
fn a_kill_drops_every_task_at_its_await_and_lets_none_start() {
    virtually(|tree| async move {
        let dropped = Arc::new(AtomicU32::new(0));
        for number in 0..10_u64 {
            let guard = Dropped(Arc::clone(&dropped));
            tree.spawn(Kind::Step, "sleeper", async move {
                let _guard = guard;
                seconds(number * 1000).await;
                std::future::pending().await
            });
        }
        seconds(2500).await;
        tree.kill();
        tree.ended().await;
        assert_eq!((dropped.load(Ordering::Relaxed), tree.report()), (10, vec![]));
        let late = Dropped(Arc::clone(&dropped));
        tree.spawn(Kind::Step, "late", async move {
            let _late = late;
            std::future::pending().await
        });
        assert_eq!(dropped.load(Ordering::Relaxed), 11);
    });
}

#[test]
fn dropping_the_tree_ends_its_tasks() {
    virtually(|tree| async move {
        let dropped = Arc::new(AtomicU32::new(0));
        let guard = Dropped(Arc::clone(&dropped));
        tree.spawn(Kind::Agent, "node", async move {
            let _guard = guard;
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        drop(tree);
        tokio::task::yield_now().await;
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_drain_waits_for_the_polite_and_drops_the_stubborn() {
    virtually(|tree| async move {
        let (polite, stubborn) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (finished, guard) = (Arc::clone(&polite), Dropped(Arc::clone(&stubborn)));
        let shutdown = tree.shutdown().clone();
        tree.spawn(Kind::Connection, "polite", async move {
            shutdown.begun().await;
            seconds(3).await;
            finished.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        tree.spawn(Kind::Connection, "stubborn", async move {
            let _guard = guard;
            std::future::pending().await
        });
        let started = Instant::now();
        tree.drain(Duration::from_secs(10)).await;
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        assert_eq!((polite.load(Ordering::Relaxed), stubborn.load(Ordering::Relaxed)), (1, 1));
    });
}

#[test]
fn a_drain_does_not_wait_for_a_back_off() {
    virtually(|tree| async move {
        tree.supervise(Kind::Controller, "failing", || async { Err("always".into()) });
        seconds(100).await;
        let started = Instant::now();
        tree.drain(Duration::from_secs(10)).await;
        assert_eq!((started.elapsed(), tree.report()), (Duration::ZERO, vec![]));
    });
}
