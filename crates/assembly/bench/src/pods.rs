//! What a pod costs from its creation over TLS until it is bound, or until its Deployment is
//! available: CPU time of the whole server process, API, controllers, scheduler, nodes and Events.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::Client;
use crate::connect;
use crate::load::{JSON, Load, float, rounded};
use crate::server::Server;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// After this long without work the server counts as being at rest.
const REST: Duration = Duration::from_secs(20);

/// `pods` pods are created and bound on `nodes` Nodes that nobody runs.
pub(crate) async fn scheduling(nodes: usize, pods: usize) -> anyhow::Result<Value> {
    let server = Server::start(&source(0))?;
    let load = connect(&server).await?;
    load.each(nodes, |client, index| async move {
        client.call(Method::POST, "/api/v1/nodes", JSON, node(index)).await.map(|_| ())
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut bound = Follow::start(load.first()?, "/api/v1/namespaces/bench/pods").await?;
    let resident_before = server.resident_kib()?;
    let (cpu, started) = (server.cpu_us()?, Instant::now());
    let creation = load.each(pods, |client, index| async move {
        client.call(Method::POST, "/api/v1/namespaces/bench/pods", JSON, pod(index)).await.map(|_| ())
    });
    let (created, seen) =
        tokio::join!(creation, bound.until(pods, |pod| pod["spec"]["nodeName"].is_string()));
    created?;
    seen?;
    let mut measured = outcome(&load, pods, cpu, started)?;
    tokio::time::sleep(REST).await;
    measured["residentKiBPerPod"] =
        json!(rounded(float(server.resident_kib()?.saturating_sub(resident_before)) / float(pods as u64)));
    Ok(measured)
}

/// `deployments` Deployments of `replicas` pods become available on simulated machines.
pub(crate) async fn rollout(deployments: usize, replicas: usize) -> anyhow::Result<Value> {
    let server = Server::start(&source(100))?;
    let load = connect(&server).await?;
    let mut available = Follow::start(load.first()?, "/apis/apps/v1/namespaces/bench/deployments").await?;
    let (cpu, started) = (server.cpu_us()?, Instant::now());
    let creation = load.each(deployments, |client, index| async move {
        let path = "/apis/apps/v1/namespaces/bench/deployments";
        client.call(Method::POST, path, JSON, deployment(index, replicas)).await.map(|_| ())
    });
    let is_available = |one: &Value| one["status"]["availableReplicas"].as_u64() == Some(replicas as u64);
    let (created, seen) = tokio::join!(creation, available.until(deployments, is_available));
    created?;
    seen?;
    let mut measured = outcome(&load, deployments * replicas, cpu, started)?;
    measured["cpuSeconds"] = json!(rounded(float(server.cpu_us()? - cpu) / 1e6));
    Ok(measured)
}

fn outcome(load: &Load<'_>, pods: usize, cpu: u64, started: Instant) -> anyhow::Result<Value> {
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), load.server.cpu_us()? - cpu);
    Ok(json!({
        "pods": pods,
        "seconds": rounded(seconds),
        "podsPerSecond": rounded(float(pods as u64) / seconds),
        "cpuMsPerPod": rounded(float(cpu) / 1e3 / float(pods as u64)),
    }))
}

/// A watch that counts objects which have come as far as they should.
struct Follow {
    body: hyper::body::Incoming,
    rest: Vec<u8>,
}

impl Follow {
    async fn start(client: &Arc<Client>, path: &str) -> anyhow::Result<Self> {
        let path = format!("{path}?watch=true&resourceVersion=0");
        let answer = client.send(Method::GET, &path, JSON, "").await?;
        Ok(Self { body: answer.into_body(), rest: Vec::new() })
    }

    /// Returns when `count` objects of different names have met `is_done`.
    async fn until(&mut self, count: usize, is_done: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        let mut done = std::collections::BTreeSet::new();
        let started = Instant::now();
        while done.len() < count {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let frame = tokio::time::timeout(left, self.body.frame()).await;
            let frame = frame.with_context(|| format!("{} of {count} after {PATIENCE:?}", done.len()))?;
            let frame = frame.context("the watch ended")??;
            self.rest.extend_from_slice(frame.data_ref().map_or(&[], AsRef::as_ref));
            let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            for line in self.rest[..end].split(|byte| *byte == b'\n') {
                let event: Value = serde_json::from_slice(line)?;
                if is_done(&event["object"]) {
                    done.insert(event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned());
                }
            }
            self.rest.drain(..=end);
        }
        Ok(())
    }
}

/// A Source of one region with so many machines.
fn source(machines: usize) -> String {
    format!(
        "apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {{name: bench, region: us-east-1, version: '1.33'}}
nodeGroups:
  - {{name: workers, instanceType: c5.4xlarge, desiredCapacity: {machines}, minSize: 0, maxSize: 100}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: bench}}
"
    )
}

/// A Node as scheduler benchmarks have it: 110 pods, four cores, 32 GiB.
fn node(index: usize) -> String {
    let amounts = json!({"cpu": "4", "memory": "32Gi", "pods": "110"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": format!("node-{index}"), "labels": {
            "kubernetes.io/hostname": format!("node-{index}"),
            "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
        }},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    })
    .to_string()
}

/// A pod of one container that asks for a little.
fn pod(index: usize) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": format!("pod-{index}"), "namespace": "bench", "labels": {"app": "bench"}},
        // The Nodes are nobody's, so that they are never reported ready.
        "spec": {"tolerations": [{"operator": "Exists"}], "containers": [container()]},
    })
    .to_string()
}

fn deployment(index: usize, replicas: usize) -> String {
    let labels = json!({"app": format!("web-{index}")});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": format!("web-{index}"), "namespace": "bench"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container()]}},
        },
    })
    .to_string()
}

fn container() -> Value {
    json!({"name": "web", "image": "nginx:1.27", "resources": {"requests": {"cpu": "10m", "memory": "50Mi"}}})
}
