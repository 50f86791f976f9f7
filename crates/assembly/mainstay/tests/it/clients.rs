//! Other clients over TLS: the Python client and kube-rs.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher;
use kube::{Api, Client, Config, ResourceExt as _};
use serde_json::json;

use crate::harness::{Home, checkout, skip};

const PYTHON: &str = r#"
import sys
from kubernetes import client, config, watch
config.load_kube_config(config_file=sys.argv[1], context=sys.argv[2])
core, apps = client.CoreV1Api(), client.AppsV1Api()
assert len(core.list_node().items) == 17
core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="python"), data={"a": "1"}))
version = core.list_namespaced_config_map("default").metadata.resource_version
core.patch_namespaced_config_map("python", "default", {"data": {"b": "2"}})
kinds = []
for event in watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=10):
    if event["object"].metadata.name == "python":
        kinds.append(event["type"])
        assert event["object"].data == {"a": "1", "b": "2"}, event
        break
assert kinds == ["MODIFIED"], kinds
labels = {"app": "python"}
template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="busybox")]))
apps.create_namespaced_deployment("default", client.V1Deployment(metadata=client.V1ObjectMeta(name="python"), spec=client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=template)))
for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=60):
    if event["object"].metadata.name == "python" and event["object"].status.available_replicas == 1:
        break
else:
    raise SystemExit("never available")
apps.patch_namespaced_deployment_scale("python", "default", {"spec": {"replicas": 2}})
assert apps.read_namespaced_deployment("python", "default").spec.replicas == 2
apps.delete_namespaced_deployment("python", "default")
try:
    core.read_namespaced_pod("nobody", "default")
except client.ApiException as error:
    assert error.status == 404 and '"reason":"NotFound"' in error.body, error
print("python is content")
"#;

/// A Python that has the `kubernetes` package.
fn python() -> Option<String> {
    let own = checkout(".").join("target/python/bin/python3");
    let candidates = [own.to_string_lossy().into_owned(), "python3".to_owned()];
    candidates.into_iter().find(|program| {
        Command::new(program)
            .args(["-c", "import kubernetes"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}

#[test]
fn the_python_client_lists_watches_creates_and_patches() {
    let Some(python) = python() else { return skip("no Python with the kubernetes package") };
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    let output = Command::new(python)
        .args(["-c", PYTHON])
        .arg(home.kubeconfig())
        .arg("mainstay-us-east-1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("python is content"));
}

async fn client(home: &Home) -> Client {
    let _provider_is_set = rustls::crypto::ring::default_provider().install_default();
    let options =
        KubeConfigOptions { context: Some("mainstay-us-east-1".to_owned()), ..KubeConfigOptions::default() };
    let kubeconfig = Kubeconfig::read_from(home.kubeconfig()).unwrap();
    Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap()).unwrap()
}

/// Stamps each ConfigMap labelled `controlled`.
async fn reconcile(map: Arc<ConfigMap>, client: Arc<Client>) -> Result<Action, kube::Error> {
    let maps: Api<ConfigMap> = Api::namespaced(client.as_ref().clone(), "default");
    let patch = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"stamp": map.name_any()}});
    maps.patch(&map.name_any(), &PatchParams::apply("stamper").force(), &Patch::Apply(patch)).await?;
    Ok(Action::await_change())
}

#[tokio::test]
async fn a_kube_rs_controller_reconciles_over_tls() {
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    let client = client(&home).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let selected = watcher::Config::default().labels("controlled=yes");
    let mut controller = Controller::new(maps.clone(), selected)
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(1)), Arc::new(client))
        .boxed();
    for index in 0..20 {
        let map: ConfigMap = serde_json::from_value(json!({
            "metadata": {"name": format!("map-{index}"), "labels": {"controlled": "yes"}}
        }))
        .unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let all_stamped = async {
        while let Some(outcome) = controller.next().await {
            outcome.unwrap();
            let list = maps.list(&kube::api::ListParams::default().labels("controlled=yes")).await.unwrap();
            let stamped = |map: &ConfigMap| {
                map.data.as_ref().is_some_and(|data| data.get("stamp") == Some(&map.name_any()))
            };
            if list.items.len() == 20 && list.items.iter().all(stamped) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all_stamped).await.expect("all are stamped in time");
}
