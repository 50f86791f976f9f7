//! What the store costs, as one JSON object: `cargo run --release -p mainstay-store --example bench`.
//!
//! Wall-clock figures of one process: commits by 16 writers in memory and on this machine's disk,
//! a list of 5,000 objects, and the fan-out of one writer's events to 50 watches.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]

use std::sync::Arc;
use std::time::Duration;

use mainstay_base::disk::RealDisk;
use mainstay_store::{Change, Draft, Expect, Key, Query, Store, Tags, Write};
use tokio::task::JoinSet;
use tokio::time::Instant;

const WRITERS: usize = 16;
const OBJECTS: usize = 5_000;
const WATCHES: usize = 50;
const EVENTS: usize = 4_000;

#[tokio::main]
async fn main() {
    let memory = Store::in_memory(None);
    let in_memory = commits(&memory, 100_000).await;
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(RealDisk::open(folder.path()).unwrap());
    let durable = Store::open(disk, |_, _| Tags::default()).unwrap();
    let on_disk = commits(&durable, 20_000).await;
    let stats = durable.stats();
    let (listed, list_bytes) = list(&memory);
    let fanned_out = fan_out(&memory).await;
    durable.close().await;
    println!("{{");
    println!("  \"commits_per_second_in_memory\": {:.0},", per_second(100_000, in_memory));
    println!("  \"commits_per_second_durable\": {:.0},", per_second(20_000, on_disk));
    println!("  \"fsyncs_per_commit\": {:.4},", ratio(stats.fsyncs, stats.commits));
    println!("  \"written_bytes_per_commit\": {:.0},", ratio(stats.written_bytes, stats.commits));
    println!("  \"list_{OBJECTS}_ms\": {:.3},", listed.as_secs_f64() * 1e3);
    println!("  \"list_{OBJECTS}_bytes\": {list_bytes},");
    println!("  \"fan_out_{WATCHES}_events_per_second\": {:.0}", per_second(EVENTS * WATCHES, fanned_out));
    println!("}}");
}

/// A ConfigMap-sized object.
fn write(writer: usize, number: usize) -> Write {
    let head = br#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":""#;
    let tail =
        format!("\",\"name\":\"w{writer}-{number}\"}},\"data\":{{\"text\":\"{}\"}}}}", "x".repeat(350));
    let key = Key::new("/configmaps", "bench", format!("w{writer}-{number}"));
    let draft = Draft { bytes: [head, tail.as_bytes()].concat(), revision_at: head.len(), aside: 0..0 };
    Write { key, expect: Expect::Any, change: Change::Put(draft, Tags::default()) }
}

/// The time 16 writers take for `total` writes to some 5,000 objects.
async fn commits(store: &Store, total: usize) -> Duration {
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..total / WRITERS {
                store.commit(write(writer, number % (OBJECTS / WRITERS))).await.unwrap();
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    started.elapsed()
}

/// The time of one list, the median of 21, and its bytes.
fn list(store: &Store) -> (Duration, usize) {
    let query = Query { resource: "/configmaps", ..Query::default() };
    let mut runs: Vec<(Duration, usize)> = (0..21)
        .map(|_| {
            let started = Instant::now();
            let page = store.list(&query, &|_| true).unwrap();
            let bytes = page.records.iter().map(|record| record.value.len()).sum();
            (started.elapsed(), bytes)
        })
        .collect();
    runs.sort();
    runs[10]
}

/// The time until 50 watches saw what one writer wrote.
async fn fan_out(store: &Store) -> Duration {
    let mut watches = JoinSet::new();
    for _ in 0..WATCHES {
        let mut watch = store.watch("/configmaps", store.revision()).unwrap();
        watches.spawn(async move {
            let mut seen = 0;
            while seen < EVENTS {
                seen += watch.next().await.unwrap().len();
            }
        });
    }
    let started = Instant::now();
    for number in 0..EVENTS {
        store.commit(write(0, number % 100)).await.unwrap();
        // One request after another, as a client sends them.
        tokio::task::yield_now().await;
    }
    while let Some(watch) = watches.join_next().await {
        watch.unwrap();
    }
    started.elapsed()
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
