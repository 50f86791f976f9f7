//! The scenario: a rollout, a pod that fits nowhere, one that crashes, Jobs, sets, a drain.
//!
//! Each step waits for what the one before came to, not for a time. Nothing happens closer to another
//! thing of the same object than a loaded machine can tell apart.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, EvictParams, ListParams, Patch, PatchParams};
use mainstay_platform::Region;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::scene::{api, apply};

/// How long a step may take in all.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// What lies between two steps.
const SETTLE: Duration = Duration::from_millis(500);

/// What is made, and what its kind is.
const MADE: [(&str, &str, &str); 6] = [
    ("apps/v1", "Deployment", "web"),
    ("apps/v1", "StatefulSet", "db"),
    ("apps/v1", "DaemonSet", "log"),
    ("batch/v1", "Job", "works"),
    ("batch/v1", "Job", "fails"),
    ("v1", "Pod", "crash"),
];

/// Plays it to its end.
pub(crate) async fn play(region: &Region) {
    // A ready node may still be closed to pods for the moment its taints take to go.
    until(region, "v1", "Node", "every node's opening", |nodes| {
        nodes.iter().all(|node| node["spec"]["taints"].as_array().is_none_or(Vec::is_empty))
    })
    .await;
    make(region).await;
    roll_out(region).await;
    api(region, "v1", "Pod", "default").delete("huge", &DeleteParams::default()).await.unwrap();
    drain(region).await;
    until(region, "v1", "Pod", "the second crash", |pods| {
        pods.iter().filter(|pod| is_called(pod, "crash")).any(|pod| {
            let container = &pod["status"]["containerStatuses"][0];
            container["restartCount"] == 2 && container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        })
    })
    .await;
    end(region).await;
}

async fn make(region: &Region) {
    let metadata = |name: &str| json!({"name": name, "namespace": "default"});
    let labels = |app: &str| json!({"matchLabels": {"app": app}});
    apply(
        region,
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata("web"),
            "spec": {"maxUnavailable": 1, "selector": labels("web")},
        }),
    )
    .await;
    let apart = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": labels("web")},
    ]}});
    let mut web = template("web", "app", &json!({"mainstay.dev/ready-after": "1s"}));
    web["spec"]["affinity"] = apart;
    apply(
        region,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("web"),
            "spec": {
                "replicas": 3, "selector": labels("web"), "template": web,
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            },
        }),
    )
    .await;
    apply(
        region,
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata("db"),
            "spec": {"replicas": 2, "serviceName": "db", "selector": labels("db"),
                     "template": template("db", "data", &json!({}))},
        }),
    )
    .await;
    let mut log = template("log", "app", &json!({}));
    log["spec"]["nodeSelector"] = json!({});
    apply(
        region,
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata("log"),
            "spec": {"selector": labels("log"), "template": log},
        }),
    )
    .await;
    for (name, completions, exit_code) in [("works", 2, "0"), ("fails", 1, "3")] {
        let ends = json!({"mainstay.dev/run-for": "1s", "mainstay.dev/exit-code": exit_code});
        let mut template = template(name, "data", &ends);
        template["spec"]["restartPolicy"] = json!("Never");
        apply(region, json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(name),
            "spec": {"completions": completions, "parallelism": 1, "backoffLimit": 0, "template": template},
        }))
        .await;
    }
    let crashes = json!({"mainstay.dev/run-for": "1s", "mainstay.dev/exit-code": "1"});
    let mut huge = template("huge", "app", &json!({}));
    huge["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "99"}});
    for (name, mut pod) in [("crash", template("crash", "data", &crashes)), ("huge", huge)] {
        (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
        (pod["metadata"]["name"], pod["metadata"]["namespace"]) = (json!(name), json!("default"));
        apply(region, pod).await;
    }
    rolled_out(region, 3).await;
    until(region, "apps/v1", "StatefulSet", "both replicas", |sets| {
        sets[0]["status"]["availableReplicas"] == 2
    })
    .await;
    until(region, "apps/v1", "DaemonSet", "a pod each", |sets| sets[0]["status"]["numberAvailable"] == 6)
        .await;
    until(region, "batch/v1", "Job", "both Jobs' ends", |jobs| {
        let ended = |job: &Value| {
            let conditions = job["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|one| one["type"] == "Complete" || one["type"] == "Failed")
        };
        jobs.iter().filter(|job| ended(job)).count() == 2
    })
    .await;
}

/// What pods are made from. Each pulls its image anew: who was where before shows in no pull.
fn template(app: &str, place: &str, behaviour: &Value) -> Value {
    let mut annotations = json!({"mainstay.dev/pull-time": "200ms", "mainstay.dev/stop-after": "200ms"});
    for (setting, value) in behaviour.as_object().unwrap() {
        annotations[setting] = value.clone();
    }
    json!({
        "metadata": {"labels": {"app": app}, "annotations": annotations},
        "spec": {
            "nodeSelector": {"place": place},
            "containers": [{"name": app, "image": format!("{app}:1"), "imagePullPolicy": "Always"}],
        },
    })
}

/// Another release, one replica more, and one less.
async fn roll_out(region: &Region) {
    let deployments = api(region, "apps/v1", "Deployment", "default");
    let release = json!({"spec": {"template": {"metadata": {"annotations": {"release": "2"}}}}});
    deployments.patch("web", &PatchParams::default(), &Patch::Merge(&release)).await.unwrap();
    rolled_out(region, 3).await;
    for replicas in [4, 3] {
        let scaled = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        deployments.patch_scale("web", &PatchParams::default(), &scaled).await.unwrap();
        rolled_out(region, replicas).await;
    }
}

/// Empties the node of one of the pods, and opens it again.
async fn drain(region: &Region) {
    let pods: Api<Pod> = Api::namespaced(region.client(), "default");
    let pod = pods.list(&ListParams::default().labels("app=web")).await.unwrap().items.remove(0);
    let (name, node) = (pod.metadata.name.unwrap(), pod.spec.unwrap().node_name.unwrap());
    let nodes = api(region, "v1", "Node", "");
    let cordon = |is: bool| Patch::Merge(json!({"spec": {"unschedulable": is}}));
    nodes.patch(&node, &PatchParams::default(), &cordon(true)).await.unwrap();
    tokio::time::sleep(SETTLE).await;
    pods.evict(&name, &EvictParams::default()).await.unwrap();
    rolled_out(region, 3).await;
    nodes.patch(&node, &PatchParams::default(), &cordon(false)).await.unwrap();
    tokio::time::sleep(SETTLE).await;
}

/// Removes everything; the budget first, so that nobody counts pods that go in no order.
async fn end(region: &Region) {
    let budgets = api(region, "policy/v1", "PodDisruptionBudget", "default");
    budgets.delete("web", &DeleteParams::default()).await.unwrap();
    for (api_version, kind, name) in MADE {
        api(region, api_version, kind, "default").delete(name, &DeleteParams::background()).await.unwrap();
    }
    until(region, "v1", "Pod", "the end of every pod", <[Value]>::is_empty).await;
}

/// Waits until the Deployment has this many pods, all of its template, and no other is left.
async fn rolled_out(region: &Region, replicas: u64) {
    until(region, "apps/v1", "Deployment", "the rollout", |deployments| {
        let (metadata, status) = (&deployments[0]["metadata"], &deployments[0]["status"]);
        status["observedGeneration"] == metadata["generation"]
            && ["replicas", "updatedReplicas", "availableReplicas"]
                .iter()
                .all(|field| status[field] == replicas)
    })
    .await;
    until(region, "v1", "Pod", "the end of the old pods", |pods| {
        let own = pods.iter().filter(|pod| pod["metadata"]["labels"]["app"] == "web");
        u64::try_from(own.count()).unwrap() == replicas
    })
    .await;
}

/// Waits until it is so of the objects of a kind, and a little longer.
async fn until(region: &Region, api_version: &str, kind: &str, what: &str, is_so: impl Fn(&[Value]) -> bool) {
    let api = api(region, api_version, kind, if kind == "Node" { "" } else { "default" });
    let deadline = Instant::now() + PATIENCE;
    loop {
        let objects = api.list(&ListParams::default()).await.unwrap().items;
        let objects: Vec<Value> =
            objects.iter().map(|object| serde_json::to_value(object).unwrap()).collect();
        if is_so(&objects) {
            break;
        }
        assert!(Instant::now() < deadline, "{what} does not come: {objects:#?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tokio::time::sleep(SETTLE).await;
}

fn is_called(object: &Value, name: &str) -> bool {
    object["metadata"]["name"] == name
}
