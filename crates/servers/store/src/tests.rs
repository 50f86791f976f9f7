//! What the tests of the store share.

use std::sync::Arc;

use crate::ring::Bounds;
use crate::tuning::Tuning;
use crate::{Change, Draft, Expect, Key, Store, Tags, Write};

mod durability;
mod files;
mod model;
mod reads;
mod restart;
mod writes;

const PODS: &str = "/pods";
const NODES: &str = "/nodes";

/// Rings, rows and logs so small that a short test sees the end of them.
const SMALL: Tuning = Tuning {
    ring: Bounds { events: 8, bytes: 4096 },
    gather: std::time::Duration::ZERO,
    forget_batch: 5,
    log_bytes: 50_000,
};

fn key(resource: &str, namespace: &str, name: &str) -> Key {
    Key::new(resource, namespace, name)
}

fn pod(name: &str) -> Key {
    key(PODS, "default", name)
}

fn draft(text: &str) -> Draft {
    let head = br#"{"metadata":{"resourceVersion":""#;
    Draft {
        bytes: [head, format!("\"}},\"text\":\"{text}\"}}").as_bytes()].concat(),
        revision_at: head.len(),
        aside: 0..0,
    }
}

/// The bytes of `draft(text)` once committed.
fn value(text: &str, revision: u64) -> String {
    format!("{{\"metadata\":{{\"resourceVersion\":\"{revision}\"}},\"text\":\"{text}\"}}")
}

fn put(key: Key, expect: Expect, text: &str) -> Write {
    Write { key, expect, change: Change::Put(draft(text), tags(text)) }
}

fn delete(key: Key, expect: Expect) -> Write {
    Write { key, expect, change: Change::Delete(draft("gone")) }
}

fn tags(text: &str) -> Tags {
    Tags::new([("text", text)], [])
}

/// The tags that `put` gave, read back from the bytes.
fn index(_: &Key, bytes: &[u8]) -> Tags {
    let text = std::str::from_utf8(bytes).expect("the tests write UTF-8");
    let (_, tail) = text.rsplit_once("\"text\":\"").expect("the tests write a text");
    tags(tail.trim_end_matches("\"}"))
}

/// Runs `body` where no time passes and no thread is.
fn run<T>(body: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(body)
}

fn texts(store: &Store, resource: &str, at: Option<u64>) -> Vec<String> {
    let query = crate::Query { resource, at, ..Default::default() };
    let page = store.list(&query, &|_| true).unwrap();
    page.records.iter().map(|record| record.tags.label("text").unwrap().to_owned()).collect()
}

fn shared<D: mainstay_base::disk::Disk + 'static>(disk: D) -> mainstay_base::disk::SharedDisk {
    Arc::new(disk)
}
