//! The loads, each run by all clients at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use futures::future::try_join_all;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::Client;
use crate::server::Server;

pub(crate) const JSON: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";

/// The server and who loads it.
pub(crate) struct Load<'a> {
    pub(crate) server: &'a Server,
    pub(crate) clients: Vec<Arc<Client>>,
}

impl Load<'_> {
    /// Makes a namespace.
    pub(crate) async fn namespace(&self, name: &str) -> anyhow::Result<()> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).to_string();
        self.first()?.call(Method::POST, "/api/v1/namespaces", JSON, body).await.map(|_created| ())
    }

    pub(crate) async fn create(&self, count: usize) -> anyhow::Result<Value> {
        self.each(count, |client, index| async move {
            let body = config_map("bench", index, 0);
            client.call(Method::POST, "/api/v1/namespaces/bench/configmaps", JSON, body).await.map(|_| ())
        })
        .await
    }

    pub(crate) async fn get(&self, count: usize, objects: usize) -> anyhow::Result<Value> {
        self.each(count, move |client, index| async move {
            let path = format!("/api/v1/namespaces/bench/configmaps/map-{}", index % objects);
            client.call(Method::GET, &path, JSON, "").await.map(|_| ())
        })
        .await
    }

    pub(crate) async fn put(&self, count: usize) -> anyhow::Result<Value> {
        self.each(count, |client, index| async move {
            let path = format!("/api/v1/namespaces/bench/configmaps/map-{index}");
            client.call(Method::PUT, &path, JSON, config_map("bench", index, 1)).await.map(|_| ())
        })
        .await
    }

    pub(crate) async fn apply(&self, count: usize) -> anyhow::Result<Value> {
        self.each(count, |client, index| async move {
            let path = format!("/api/v1/namespaces/bench/configmaps/applied-{index}?fieldManager=bench");
            let body = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("applied-{index}"), "namespace": "bench", "labels": {"app": "bench"}},
                "data": {"key": "value", "index": index.to_string()},
            });
            client.call(Method::PATCH, &path, APPLY, body.to_string()).await.map(|_| ())
        })
        .await
    }

    /// LIST of `count` ConfigMaps, one client, ten times.
    pub(crate) async fn list(&self, count: usize) -> anyhow::Result<Value> {
        const TIMES: u32 = 10;
        self.each(count, |client, index| async move {
            let body = config_map("bench-list", index, 0);
            client
                .call(Method::POST, "/api/v1/namespaces/bench-list/configmaps", JSON, body)
                .await
                .map(|_| ())
        })
        .await?;
        let (cpu, started) = (self.server.cpu_us()?, Instant::now());
        let mut bytes = 0;
        for _ in 0..TIMES {
            bytes = self
                .first()?
                .call(Method::GET, "/api/v1/namespaces/bench-list/configmaps", JSON, "")
                .await?
                .len();
        }
        let seconds = started.elapsed().as_secs_f64() / f64::from(TIMES);
        let cpu = self.server.cpu_us()? - cpu;
        Ok(json!({
            "objects": count,
            "bytes": bytes,
            "ms": rounded(seconds * 1e3),
            "cpuMs": rounded(float(cpu) / 1e3 / f64::from(TIMES)),
            "megabytesPerSecond": rounded(float(bytes as u64) / 1e6 / seconds),
        }))
    }

    /// `watchers` readers see `changes` changes of one object.
    pub(crate) async fn fan_out(&self, watchers: usize, changes: usize) -> anyhow::Result<Value> {
        self.namespace("bench-watch").await?;
        let seen = Arc::new(AtomicUsize::new(0));
        let mut readers = Vec::new();
        for index in 0..watchers {
            let client = Arc::clone(&self.clients[index % self.clients.len()]);
            let path = "/api/v1/namespaces/bench-watch/configmaps?watch=true&resourceVersion=0";
            let answer = client.send(Method::GET, path, JSON, "").await?;
            let seen = Arc::clone(&seen);
            #[allow(clippy::disallowed_methods, reason = "a load generator supervises nothing")]
            readers.push(tokio::spawn(async move {
                let mut body = answer.into_body();
                while let Some(Ok(frame)) = body.frame().await {
                    let lines =
                        frame.data_ref().map_or(0, |data| data.split(|byte| *byte == b'\n').count() - 1);
                    seen.fetch_add(lines, Ordering::Relaxed);
                }
            }));
        }
        let (cpu, started) = (self.server.cpu_us()?, Instant::now());
        self.each(changes, |client, index| async move {
            let body = config_map("bench-watch", index, 0);
            client
                .call(Method::POST, "/api/v1/namespaces/bench-watch/configmaps", JSON, body)
                .await
                .map(|_| ())
        })
        .await?;
        let all = watchers * changes;
        while seen.load(Ordering::Relaxed) < all {
            anyhow::ensure!(
                started.elapsed() < Duration::from_mins(1),
                "watchers saw {} of {all}",
                seen.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), self.server.cpu_us()? - cpu);
        readers.iter().for_each(tokio::task::JoinHandle::abort);
        Ok(json!({
            "watchers": watchers,
            "events": all,
            "eventsPerSecond": rounded(float(all as u64) / seconds),
            "cpuUsPerEvent": rounded(float(cpu) / float(all as u64)),
        }))
    }

    /// fsyncs and commits of the store so far.
    pub(crate) async fn store_counts(&self) -> anyhow::Result<(u64, u64)> {
        let text = self.first()?.call(Method::GET, "/metrics", JSON, "").await?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let value = |name: &str| -> anyhow::Result<u64> {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .with_context(|| format!("no metric {name}"))?;
            let number: f64 = line.split_whitespace().last().unwrap_or("0").parse()?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter")]
            Ok(number as u64)
        };
        Ok((value("mainstay_store_fsyncs_total")?, value("mainstay_store_commits_total")?))
    }

    pub(crate) fn first(&self) -> anyhow::Result<&Arc<Client>> {
        self.clients.first().context("there are clients")
    }

    /// Runs `count` calls, shared out among the clients, and measures them.
    pub(crate) async fn each<F, Fut>(&self, count: usize, call: F) -> anyhow::Result<Value>
    where
        F: Fn(Arc<Client>, usize) -> Fut + Copy,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let next = AtomicUsize::new(0);
        let (cpu, started) = (self.server.cpu_us()?, Instant::now());
        let next = &next;
        try_join_all(self.clients.iter().map(|client| async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return anyhow::Ok(());
                }
                call(Arc::clone(client), index).await?;
            }
        }))
        .await?;
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), self.server.cpu_us()? - cpu);
        Ok(json!({
            "requests": count,
            "perSecond": rounded(float(count as u64) / seconds),
            "cpuUs": rounded(float(cpu) / float(count as u64)),
        }))
    }
}

/// A ConfigMap of about half a kilobyte.
fn config_map(namespace: &str, index: usize, version: usize) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": format!("map-{index}"), "namespace": namespace, "labels": {"app": "bench"}},
        "data": {"version": version.to_string(), "text": "0123456789abcdef".repeat(16)},
    })
    .to_string()
}

#[allow(clippy::cast_precision_loss, reason = "numbers for people")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// Two decimals are enough.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
