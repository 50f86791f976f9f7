//! kill -9 under load: what was acknowledged is there after the next start.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::json;

use crate::harness::Home;

/// Writers at once.
const WRITERS: usize = 8;

#[test]
fn three_kills_under_load_lose_no_acknowledged_write() {
    kill_under_load(3);
}

#[test]
#[ignore = "long: run by `make soak`"]
fn soak_twenty_kills_under_load_lose_no_acknowledged_write() {
    kill_under_load(20);
}

fn kill_under_load(runs: usize) {
    let home = Home::new();
    let source = home.write("plain.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for run in 0..runs {
        let platform = home.up(&source);
        let pid = home.status()["pid"].as_u64().unwrap();
        runtime.block_on(async {
            let client = client(&home).await;
            verify(&client, &acknowledged).await;
            write_until_killed(&client, run, pid, &acknowledged).await;
        });
        std::mem::forget(platform);
    }
    let platform = home.up(&source);
    runtime.block_on(async { verify(&client(&home).await, &acknowledged).await });
    drop(platform);
    let written = acknowledged.lock().unwrap().len();
    assert!(written > 50 * runs, "only {written} writes were acknowledged in {runs} runs");
}

/// Writes with all writers, and kills the server in the midst of it.
async fn write_until_killed(
    client: &Client,
    run: usize,
    pid: u64,
    acknowledged: &Arc<Mutex<BTreeSet<String>>>,
) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "team");
        let acknowledged = Arc::clone(acknowledged);
        writers.spawn(async move {
            for index in 0.. {
                let name = format!("run-{run}-writer-{writer}-{index}");
                let map = serde_json::from_value(json!({"metadata": {"name": name}, "data": {"name": name}}))
                    .unwrap();
                if maps.create(&PostParams::default(), &map).await.is_err() {
                    return;
                }
                acknowledged.lock().unwrap().insert(name);
            }
        });
    }
    // Each run is killed at another moment of the load.
    tokio::time::sleep(Duration::from_millis(400 + 37 * (run as u64 % 10))).await;
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    while writers.join_next().await.is_some() {}
    until_gone(pid).await;
}

/// A killed process holds its lock until the system has closed all its files.
pub(crate) async fn until_gone(pid: u64) {
    for _ in 0..1000 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        match stat.rsplit_once(") ").and_then(|(_, after)| after.chars().next()) {
            None | Some('Z' | 'X') => return,
            Some(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("process {pid} was killed and is still there after 10 s");
}

/// Every acknowledged write is there, whole.
async fn verify(client: &Client, acknowledged: &Arc<Mutex<BTreeSet<String>>>) {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "team");
    let mut list = maps.list(&ListParams::default()).await.unwrap();
    // A controller's, in every namespace.
    list.items.retain(|map| map.name_any() != "kube-root-ca.crt");
    let present: BTreeSet<String> = list.items.iter().map(ResourceExt::name_any).collect();
    for map in &list.items {
        assert_eq!(map.data.as_ref().unwrap()["name"], map.name_any(), "no half write");
    }
    let expected = acknowledged.lock().unwrap();
    let missing: Vec<_> = expected.difference(&present).collect();
    assert!(missing.is_empty(), "{} acknowledged writes are lost: {missing:?}", missing.len());
}

async fn client(home: &Home) -> Client {
    let _provider_is_set = rustls::crypto::ring::default_provider().install_default();
    let options =
        KubeConfigOptions { context: Some("mainstay-local".to_owned()), ..KubeConfigOptions::default() };
    let kubeconfig = Kubeconfig::read_from(home.kubeconfig()).unwrap();
    Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap()).unwrap()
}
