//! What a decision costs, as one JSON object: `cargo run --release -p mainstay-scheduler --example bench`.
//!
//! Microseconds of CPU per pod placed, counting it on its node included, in regions of 100 to 5,000 nodes
//! in three zones: pods of a Deployment behind a Service; the same spread strictly over zones; the same
//! kept apart on hosts; and what a pod costs that fits nowhere.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]

use std::fs;
use std::sync::Arc;

use mainstay_base::random::{Random, Seed};
use mainstay_control::Key;
use mainstay_resource::LabelSelector;
use mainstay_scheduler::{Draw, PodState, Seen, Snapshot, schedule};
use serde_json::{Value, json};

const SIZES: [usize; 4] = [100, 1000, 2500, 5000];
const PODS: u32 = 2000;

fn main() {
    println!("{{");
    for (name, spec) in kinds() {
        let costs = SIZES.map(|nodes| format!("\"{nodes}\": {:.1}", cost(nodes, &spec)));
        println!("  \"{name}_us\": {{{}}},", costs.join(", "));
    }
    println!("  \"pods\": {PODS}");
    println!("}}");
}

/// What is added to the spec of a pod.
fn kinds() -> [(&'static str, Value); 4] {
    let selector = json!({"matchLabels": {"app": "web"}});
    let zones = json!([{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1,
                        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}]);
    let hosts = json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}]);
    [
        ("plain", json!({})),
        ("zone_spread", json!({"topologySpreadConstraints": zones})),
        (
            "host_anti_affinity",
            json!({"affinity": {"podAntiAffinity":
            {"requiredDuringSchedulingIgnoredDuringExecution": hosts}}}),
        ),
        ("fits_nowhere", json!({"nodeSelector": {"disk": "none"}})),
    ]
}

/// The mean cost of placing a pod.
fn cost(nodes: usize, spec: &Value) -> f64 {
    let mut snapshot = region(nodes);
    let mut draw = Draw::new(Random::named(Seed(1), "bench"));
    let first = pod(0, spec);
    let pods: Vec<PodState> = (0..PODS)
        .map(|index| PodState { key: Key::new("default", &format!("web-{index}")), ..first.clone() })
        .collect();
    let started = cpu_us();
    for pod in pods {
        if let Ok(placement) = schedule(&pod, &mut snapshot, &mut draw) {
            snapshot.assume(&placement.node, Arc::new(pod));
        }
    }
    (cpu_us() - started) / f64::from(PODS)
}

/// The CPU time of this thread, which does all the work.
fn cpu_us() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = stat.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e3
}

fn region(nodes: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for index in 0..nodes {
        let name = format!("node-{index:05}");
        let offers = json!({"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"});
        let node = json!({
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
                "topology.kubernetes.io/region": "region", "node.kubernetes.io/instance-type": "m5.4xlarge",
            }},
            "status": {"allocatable": offers},
        });
        snapshot.put(&serde_json::from_value(node).unwrap());
    }
    let labels = [("app".to_owned(), "web".to_owned())];
    let selector = LabelSelector::parse("app=web,pod-template-hash=1").unwrap();
    snapshot.relations_mut().put_service(&Key::new("default", "web"), Some(labels.into()));
    snapshot.relations_mut().put_set("ReplicaSet", &Key::new("default", "web"), Some(selector));
    snapshot
}

fn pod(index: u32, spec: &Value) -> PodState {
    let requests = json!({"cpu": "100m", "memory": "128Mi"});
    let mut pod = json!({
        "metadata": {
            "name": format!("web-{index}"), "namespace": "default", "uid": "uid",
            "labels": {"app": "web", "pod-template-hash": "1"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "w",
                                 "controller": true}],
        },
        "spec": {"containers": [{"name": "c", "image": "web:1", "resources": {"requests": requests}}],
                 "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]},
    });
    pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let seen: Seen = serde_json::from_value(pod).unwrap();
    // As the scheduler has it, which numbers the demands it shares.
    PodState { sort: 1, ..PodState::of(&seen) }
}
