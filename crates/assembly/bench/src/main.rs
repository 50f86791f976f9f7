//! What a request costs: starts the `mainstay` beside this binary, loads it over TLS with 16 clients,
//! and prints as JSON the server's CPU time per request, rates, and fsyncs per acknowledged write.
//!
//! CPU time is the server process's own (`/proc/PID/stat`, 10 ms ticks), so what else the machine
//! does changes the rates but not the costs.

mod client;
mod load;
mod server;

use std::sync::Arc;

use serde_json::json;

use crate::client::Client;
use crate::load::Load;
use crate::server::Server;

/// Concurrent clients, each with a connection of its own.
const CLIENTS: usize = 16;

fn main() -> anyhow::Result<()> {
    let _provider_is_set = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = Server::start()?;
    let outcome = runtime.block_on(measure(&server));
    let report = outcome?;
    say(&serde_json::to_string_pretty(&report)?);
    Ok(())
}

async fn measure(server: &Server) -> anyhow::Result<serde_json::Value> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Arc::new(Client::connect(&server.access).await?));
    }
    let load = Load { server, clients };
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
        "clients": CLIENTS,
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
