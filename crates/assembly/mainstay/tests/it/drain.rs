//! `kubectl drain` asks disruption budgets, waits for them and empties the node.

use serde_json::Value;

use crate::harness::{Home, Kubectl, checkout};

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: drained, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: drained}}
  template:
    metadata: {labels: {app: drained}}
    spec:
      containers: [{name: web, image: nginx:1.27}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: drained, namespace: default}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: drained}}
";

/// The pods of the Deployment that are not on their way out, each with its node.
fn living(kubectl: &Kubectl<'_>) -> Vec<(String, String)> {
    let pods = kubectl.json(&["get", "pods", "-l", "app=drained"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let living =
        pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    living.map(|pod| (text(&pod["metadata"]["name"]), text(&pod["spec"]["nodeName"]))).collect()
}

/// The reasons `kubectl describe` tells of a node, in its order, once `last` is the last of them: its
/// kubelet tells by itself.
fn node_events(kubectl: &Kubectl<'_>, node: &str, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..50 {
        let described = kubectl.run(&["describe", "node", node]).ok().out;
        let events = described.split("\nEvents:\n").nth(1).unwrap_or_default().lines().skip(2);
        told = events.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect();
        if told.last().is_some_and(|reason| reason == last) {
            break;
        }
    }
    told
}

#[test]
fn a_drain_waits_for_the_budget_and_then_empties_the_node() {
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    for version in ["1.31", "1.33"] {
        let Some(kubectl) = Kubectl::of(version, &home, "us-east-1") else { continue };
        kubectl.feed(&["apply", "-f", "-"], WEB).ok();
        kubectl.run(&["rollout", "status", "deployment/drained", "--timeout=60s"]).ok();
        let (pod, node) = living(&kubectl).remove(0);
        let drain = |timeout: &str| {
            let timeout = format!("--timeout={timeout}");
            kubectl.run(&[
                "drain",
                &node,
                "--ignore-daemonsets",
                "--delete-emptydir-data",
                "--force",
                &timeout,
            ])
        };
        let refused = drain("3s");
        let why = format!(
            "error when evicting pods/\"{pod}\" -n \"default\" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget."
        );
        assert!(refused.code != 0 && refused.err.contains(&why), "{version}: {refused:?}");
        assert!(living(&kubectl).iter().any(|(name, _)| *name == pod), "{version}: it is still there");
        let table = kubectl.run(&["get", "pdb", "drained", "--no-headers"]).ok().out;
        assert_eq!(table.split_whitespace().take(4).collect::<Vec<_>>(), ["drained", "2", "N/A", "0"]);
        let fewer = r#"{"spec":{"minAvailable":1}}"#;
        kubectl.run(&["patch", "pdb", "drained", "--type=merge", "-p", fewer]).ok();
        let drained = drain("60s").ok();
        for words in [format!("evicting pod default/{pod}"), format!("node/{node} drained")] {
            assert!((drained.out.clone() + &drained.err).contains(&words), "{version}: {words}: {drained:?}");
        }
        kubectl.run(&["rollout", "status", "deployment/drained", "--timeout=60s"]).ok();
        let left = living(&kubectl);
        assert!(left.len() == 2 && left.iter().all(|(_, at)| *at != node), "{version}: {left:?}");
        let described = kubectl.run(&["describe", "node", &node]).ok().out;
        for words in
            ["node.kubernetes.io/unschedulable:NoSchedule", "Unschedulable:      true", "RegisteredNode"]
        {
            assert!(described.contains(words), "{version}: {words} is missing:\n{described}");
        }
        kubectl.run(&["uncordon", &node]).ok();
        let told = node_events(&kubectl, &node, "NodeSchedulable");
        let place = |reason: &str| told.iter().position(|told| told == reason);
        let order = ["NodeReady", "NodeNotSchedulable", "NodeSchedulable"].map(place);
        assert!(order.is_sorted() && order.iter().all(Option::is_some), "{version}: {told:?}");
        kubectl.run(&["delete", "deployment/drained", "pdb/drained", "--timeout=60s"]).ok();
        kubectl.run(&["wait", "--for=delete", "pod", "-l", "app=drained", "--timeout=60s"]).ok();
    }
}
