//! What requests and pods cost: starts the `mainstay` beside this binary, loads it over TLS with 16
//! clients, and prints as JSON the server's CPU time per request or pod, rates, and fsyncs per
//! acknowledged write. `mainstay-bench requests`, `scheduling`, `rollout` and `documents`
//! run a part of it.
//!
//! CPU time is the server process's own (`/proc/PID/stat`, 10 ms ticks), so what else the machine
//! does changes the rates but not the costs.

mod client;
mod documents;
mod load;
mod pods;
mod server;

use std::sync::Arc;

use serde_json::json;

use crate::client::Client;
use crate::load::Load;
use crate::server::Server;

/// Concurrent clients, each with a connection of its own.
const CLIENTS: usize = 16;

/// A Source of one region with one machine.
const ONE_MACHINE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}\n";

fn main() -> anyhow::Result<()> {
    let _provider_is_set = rustls::crypto::ring::default_provider().install_default();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = serde_json::Map::from_iter([("clients".to_owned(), json!(CLIENTS))]);
    if wants("requests") {
        report.insert("requests".to_owned(), runtime.block_on(requests())?);
    }
    if wants("scheduling") {
        for nodes in [100, 1_000, 5_000] {
            let measured = runtime.block_on(pods::scheduling(nodes, 5_000))?;
            report.insert(format!("scheduling5000PodsOn{nodes}Nodes"), measured);
        }
    }
    if wants("rollout") {
        report.insert("rolloutOf100x10".to_owned(), runtime.block_on(pods::rollout(100, 10))?);
    }
    if wants("documents") {
        report.insert("documents".to_owned(), documents::documents(&[1_000, 5_000, 10_000])?);
    }
    say(&serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// Connections to a server.
async fn connect(server: &Server) -> anyhow::Result<Load<'_>> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Arc::new(Client::connect(&server.access).await?));
    }
    Ok(Load { server, clients })
}

async fn requests() -> anyhow::Result<serde_json::Value> {
    let server = Server::start(ONE_MACHINE)?;
    let load = connect(&server).await?;
    load.namespace("bench-list").await?;
    let idle_kib = server.resident_kib()?;
    let fsyncs_before = load.store_counts().await?;
    let create = load.create(12_000).await?;
    let fsyncs_after = load.store_counts().await?;
    let get = load.get(30_000, 12_000).await?;
    let put = load.put(12_000).await?;
    let apply = load.apply(4_000).await?;
    let list = load.list(5_000).await?;
    let fan_out = load.fan_out(50, 1_000).await?;
    #[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
    let per_write =
        (fsyncs_after.0 - fsyncs_before.0) as f64 / (fsyncs_after.1 - fsyncs_before.1).max(1) as f64;
    Ok(json!({
        "create": create,
        "get": get,
        "put": put,
        "serverSideApply": apply,
        "list": list,
        "watchFanOut": fan_out,
        "fsyncsPerAcknowledgedWrite": per_write,
        "residentKiB": {"idle": idle_kib, "loaded": server.resident_kib()?},
    }))
}

/// Prints one line.
#[allow(clippy::print_stdout, reason = "a command-line tool of the project")]
fn say(line: &str) {
    println!("{line}");
}
