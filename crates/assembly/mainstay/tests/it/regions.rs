//! Two regions: what `status` tells agrees with kubectl in each, and a restart changes neither.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::crash::until_gone;
use crate::harness::{Home, Kubectl};

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

const TWO: &str = "
apiVersion: mainstay.dev/v1alpha1
kind: Platform
metadata: {name: pair}
spec:
  regions: [{name: us-east-1, role: primary}, {name: eu-west-1, role: secondary}]
  documents: [{kinds: [Namespace, ConfigMap, Deployment], regions: ['*']}]
  objectives: {rto: 15m, availability: 99.9%}
  replacements: {images: {registry.example/web: nginx}}
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: main, region: us-east-1}
nodeGroups: [{name: app, instanceType: c5.large, desiredCapacity: 2}]
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: far, region: eu-west-1}
nodeGroups: [{name: app, instanceType: c5.large, desiredCapacity: 1}]
---
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settled, namespace: team}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx:1.27}]}
";

const KINDS: &str = "namespaces,nodes,pods,deployments,replicasets,configmaps,crds";

/// Kind, namespace and name of each object, with its uid and resourceVersion.
type Objects = BTreeMap<[String; 3], (String, String)>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn objects(kubectl: &Kubectl<'_>) -> Objects {
    let list = kubectl.json(&["get", KINDS, "-A"]);
    let of = |item: &Value| {
        let metadata = &item["metadata"];
        let key = [text(&item["kind"]), text(&metadata["namespace"]), text(&metadata["name"])];
        // Those who live tell of themselves again after a restart.
        let is_quiet = !["Node", "Pod"].contains(&key[0].as_str());
        let version = if is_quiet { text(&metadata["resourceVersion"]) } else { String::new() };
        (key, (text(&metadata["uid"]), version))
    };
    list["items"].as_array().unwrap().iter().map(of).collect()
}

/// The same, once three looks in a row see the same.
fn settled(kubectl: &Kubectl<'_>) -> Objects {
    let (mut last, mut same) = (objects(kubectl), 1);
    for _ in 0..30 {
        let now = objects(kubectl);
        same = if now == last { same + 1 } else { 1 };
        last = now;
        if same == 3 {
            break;
        }
    }
    last
}

/// How many items have a condition of this type that is true.
fn with_condition(list: &Value, condition: &str) -> usize {
    let is_true = |one: &Value| one["type"] == condition && one["status"] == "True";
    let has = |item: &&Value| {
        item["status"]["conditions"].as_array().is_some_and(|conditions| conditions.iter().any(is_true))
    };
    list["items"].as_array().unwrap().iter().filter(has).count()
}

#[test]
fn status_agrees_with_kubectl_in_every_region_and_shows_what_is_declared() {
    let home = Home::new();
    let source = home.write("pair.yaml", TWO);
    let _platform = home.up(&source);
    let status = home.status();
    assert_eq!(status["name"], "pair");
    assert_eq!(status["declared"]["objectives"]["rto"], "15m0s");
    assert_eq!(status["declared"]["replacements"]["images"]["registry.example/web"], "nginx");
    for (index, (region, role)) in REGIONS.iter().zip(["primary", "secondary"]).enumerate() {
        let Some(kubectl) = Kubectl::of("1.33", &home, region) else { return };
        let told = &status["regions"][index];
        assert_eq!((&told["name"], &told["role"]), (&Value::from(*region), &Value::from(role)));
        assert_eq!(told["ready"], true);
        let nodes = with_condition(&kubectl.json(&["get", "nodes"]), "Ready");
        assert_eq!(told["nodes"], nodes, "{region}");
        assert_eq!(told["nodesWanted"], nodes, "{region}");
        let available = with_condition(&kubectl.json(&["get", "deployments", "-A"]), "Available");
        assert_eq!(told["deployments"], available, "{region}");
        let config = kubectl.json(&["config", "view", "--minify"]);
        assert_eq!(config["clusters"][0]["cluster"]["server"], told["endpoints"]["api"]);
    }
}

/// Makes a ConfigMap and returns the resourceVersion of the list before it.
fn make(kubectl: &Kubectl<'_>, name: &str) -> String {
    let list: Value =
        serde_json::from_str(&kubectl.run(&["get", "--raw", "/api/v1/namespaces/team/configmaps"]).ok().out)
            .unwrap();
    kubectl.run(&["create", "configmap", name, "-n", "team"]).ok();
    text(&list["metadata"]["resourceVersion"])
}

/// What a watch of ConfigMaps that starts from `version` tells: the names of those added.
fn added_since(kubectl: &Kubectl<'_>, version: &str) -> Vec<String> {
    let path =
        format!("/api/v1/namespaces/team/configmaps?watch=1&resourceVersion={version}&timeoutSeconds=1");
    let events = kubectl.run(&["get", "--raw", &path]).ok().out;
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .map(|event| {
            assert_eq!(event["type"], "ADDED", "{event}");
            text(&event["object"]["metadata"]["name"])
        })
        .collect()
}

#[test]
fn a_stop_and_a_kill_leave_every_object_of_every_region_and_watches_go_on() {
    let home = Home::new();
    let source = home.write("pair.yaml", TWO);
    let mut platform = home.up(&source);
    let both = REGIONS.map(|region| Kubectl::of("1.33", &home, region));
    let [Some(main), Some(far)] = &both else { return };
    for round in ["stop", "kill"] {
        let versions = [main, far].map(|kubectl| make(kubectl, &format!("before-{round}")));
        let before = [main, far].map(settled);
        if round == "kill" {
            let pid = home.status()["pid"].as_u64().unwrap();
            assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
            std::mem::forget(platform);
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(until_gone(pid));
        } else {
            drop(platform);
        }
        platform = home.up(&source);
        assert_eq!([main, far].map(settled), before, "after a {round}");
        for (kubectl, version) in [main, far].into_iter().zip(&versions) {
            make(kubectl, &format!("after-{round}"));
            let added = added_since(kubectl, version);
            assert_eq!(added, [format!("before-{round}"), format!("after-{round}")], "after a {round}");
        }
    }
}
