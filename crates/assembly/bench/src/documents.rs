//! What a large Source costs: loaded and applied at start, and handed over again unchanged.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::load::{float, rounded};
use crate::server::Server;

/// Documents of one file.
const PER_FILE: usize = 100;

/// Measures Sources of these sizes: seconds until everything is applied, seconds until a second `up`
/// has found that nothing differs, memory.
pub(crate) fn documents(sizes: &[usize]) -> anyhow::Result<Value> {
    let mut measured = serde_json::Map::new();
    for size in sizes {
        measured.insert(size.to_string(), one(*size)?);
    }
    Ok(Value::Object(measured))
}

fn one(size: usize) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut bytes = 0;
    for (file, first) in (0..size).step_by(PER_FILE).enumerate() {
        let mut text = String::new();
        for index in first..(first + PER_FILE).min(size) {
            write!(text, "{}", document(index))?;
        }
        bytes += text.len();
        std::fs::write(folder.path().join(format!("{file:05}.yaml")), text)?;
    }
    let started = Instant::now();
    let server = Server::start_folder(folder.path())?;
    let applied = started.elapsed().as_secs_f64();
    let resident = server.resident_kib()?;
    let (cpu, started) = (server.cpu_us()?, Instant::now());
    let output = Command::new(server.program())
        .args(["up", "--state"])
        .arg(server.state())
        .arg(folder.path())
        .output()
        .context("a second up")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(json!({
        "sourceKiB": bytes / 1024,
        "appliedAfterSeconds": rounded(applied),
        "unchangedAfterSeconds": rounded(started.elapsed().as_secs_f64()),
        "unchangedCpuSeconds": rounded(float(server.cpu_us()? - cpu) / 1e6),
        "residentKiB": resident,
        "residentKiBAfterSecondUp": server.resident_kib()?,
    }))
}

/// One of ten kinds in turn, as platforms have them; nothing that makes pods.
fn document(index: usize) -> String {
    if index == 0 {
        return "apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}\n---\n".to_owned();
    }
    let metadata =
        format!("{{name: object-{index}, namespace: bench, labels: {{app: bench, index: '{index}'}}}}");
    match index % 10 {
        0 => format!(
            "apiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec:\n  selector: {{app: web-{index}}}\n  ports: [{{name: http, port: 80, targetPort: 8080}}]\n---\n"
        ),
        1 => format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {metadata}\nspec:\n  replicas: 0\n  selector: {{matchLabels: {{app: web-{index}}}}}\n  template:\n    metadata: {{labels: {{app: web-{index}}}}}\n    spec:\n      containers:\n        - name: web\n          image: nginx:1.27\n          resources: {{requests: {{cpu: 100m, memory: 64Mi}}}}\n---\n"
        ),
        2 => format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {metadata}\nstringData: {{key: value-{index}}}\n---\n"
        ),
        3 => format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {metadata}\n---\n"),
        4 => format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {metadata}\nspec:\n  podSelector: {{matchLabels: {{app: web-{index}}}}}\n  policyTypes: [Ingress]\n---\n"
        ),
        _ => format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\ndata:\n  key: value-{index}\n  file.conf: |\n    one = 1\n    two = 2\n---\n"
        ),
    }
}
