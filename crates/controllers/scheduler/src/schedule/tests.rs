//! Tests of the decision, and of the sentence that says why there is none.

use super::*;
use crate::fixture::{asking, fill, key, node, pod, random, snapshot, wanted, wanting};
use mainstay_control::Key;
use mainstay_resource::LabelSelector;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn nodes(prefix: &str, count: usize, changes: &Value) -> Vec<k8s_openapi::api::core::v1::Node> {
    (0..count).map(|index| node(&format!("{prefix}{index}"), changes.clone())).collect()
}

fn draw(seed: u64) -> Draw {
    Draw::new(random(seed))
}

fn sentence(pod: &PodState, snapshot: &mut Snapshot) -> String {
    schedule(pod, snapshot, &mut draw(1)).unwrap_err().to_string()
}

fn tainted(key: &str) -> Value {
    json!({"spec": {"taints": [{"key": key, "value": "true", "effect": "NoSchedule"}]}})
}

/// The platform's 17 nodes: 3 for the system, 5 on the spot market, 9 others.
fn seventeen() -> Snapshot {
    let groups =
        [nodes("s", 3, &tainted("system")), nodes("p", 5, &tainted("spot")), nodes("g", 9, &json!({}))];
    snapshot(&groups.concat())
}

#[test]
fn the_sentence_counts_reasons_as_upstream_does() {
    let huge = wanting("64", "1Gi");
    assert_eq!(
        sentence(&huge, &mut seventeen()),
        "0/17 nodes are available: 3 node(s) had untolerated taint {system: true}, 5 node(s) had untolerated \
         taint {spot: true}, 9 Insufficient cpu. preemption: 0/17 nodes are available: 17 Preemption is not \
         helpful for scheduling."
    );
}

#[test]
fn a_node_counts_for_each_resource_it_lacks_and_pods_of_equal_priority_are_no_victims() {
    let mut snapshot = snapshot(&nodes("a", 2, &json!({})));
    fill(&mut snapshot, "a0", [asking("one", "4", "16Gi")]);
    fill(&mut snapshot, "a1", [asking("two", "4", "1Gi")]);
    assert_eq!(
        sentence(&wanting("1", "1Gi"), &mut snapshot),
        "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. preemption: 0/2 nodes are \
         available: 2 No preemption victims found for incoming pod."
    );
}

#[test]
fn a_pod_that_may_not_preempt_is_told_so() {
    let spec = json!({"spec": {"priority": 9, "preemptionPolicy": "Never", "nodeSelector": {"disk": "ssd"}}});
    assert_eq!(
        sentence(&wanted(spec), &mut snapshot(&nodes("a", 1, &json!({})))),
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: not \
         eligible due to preemptionPolicy=Never."
    );
}

#[test]
fn what_preemption_would_do_is_told_where_there_are_pods_of_lower_priority() {
    let mut snapshot = snapshot(&nodes("a", 1, &json!({})));
    fill(&mut snapshot, "a0", [asking("minor", "2", "1Gi")]);
    let mut wanted = wanting("3", "1Gi");
    Arc::make_mut(&mut wanted.demand).priority = 10;
    assert_eq!(sentence(&wanted, &mut snapshot), "0/1 nodes are available: 1 Insufficient cpu.");
    let mut peer = asking("peer", "2", "1Gi");
    peer.spec.priority = Some(10);
    fill(&mut snapshot, "a0", [peer]);
    assert_eq!(
        sentence(&wanted, &mut snapshot),
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Insufficient cpu."
    );
}

#[test]
fn without_nodes_there_is_little_to_say() {
    assert_eq!(sentence(&wanted(json!({})), &mut Snapshot::default()), "no nodes available to schedule pods");
}

#[test]
fn a_pod_whose_affinity_names_a_node_looks_at_no_other() {
    let name = json!([{"key": "metadata.name", "operator": "In", "values": ["g3"]}]);
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution":
                          {"nodeSelectorTerms": [{"matchFields": name}]}});
    let mut wanted = wanted(json!({"spec": {"affinity": {"nodeAffinity": required}}}));
    let mut snapshot = seventeen();
    let placement = schedule(&wanted, &mut snapshot, &mut draw(1)).unwrap();
    assert_eq!(placement, Placement { node: "g3".into(), evaluated: 1, feasible: 1 });
    fill(&mut snapshot, "g3", [asking("other", "4", "1Gi")]);
    Arc::make_mut(&mut wanted.demand).requested.cpu_milli = 1;
    assert_eq!(
        sentence(&wanted, &mut snapshot),
        "0/17 nodes are available: 1 Insufficient cpu, 16 node(s) didn't satisfy plugin(s) [NodeAffinity]. \
         preemption: 0/17 nodes are available: 1 No preemption victims found for incoming pod, 16 Preemption \
         is not helpful for scheduling."
    );
}

#[test]
fn a_pod_that_asks_one_node_to_have_two_names_is_told_so() {
    let name = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution":
                          {"nodeSelectorTerms": [{"matchFields": [name("g1"), name("g2")]}]}});
    let torn = wanted(json!({"spec": {"affinity": {"nodeAffinity": required}}}));
    assert_eq!(
        sentence(&torn, &mut seventeen()),
        "0/17 nodes are available: pod affinity terms conflict. preemption: 0/17 nodes are available: 17 \
         Preemption is not helpful for scheduling."
    );
}

#[test]
fn a_large_region_is_searched_no_further_than_needed_and_from_where_the_last_search_ended() {
    assert_eq!([50, 100, 200, 1000, 5000, 6000].map(sought), [50, 100, 100, 420, 500, 300]);
    let names = |index: usize| node(&format!("n{index:04}"), json!({}));
    let mut snapshot = snapshot(&(0..300).map(names).collect::<Vec<_>>());
    let mut draw = draw(1);
    let pod = wanted(json!({}));
    let start = draw.start(300);
    for round in 1..4 {
        let placement = schedule(&pod, &mut snapshot, &mut draw).unwrap();
        assert_eq!((placement.evaluated, placement.feasible), (144, 144));
        assert_eq!(draw.start(300), (start + round * 144) % 300);
    }
}

#[test]
fn ties_are_settled_by_the_stream_and_by_nothing_else() {
    let mut snapshot = seventeen();
    let mut pick = |seed| {
        let mut draw = draw(seed);
        let mut pick = || schedule(&wanted(json!({})), &mut snapshot, &mut draw).unwrap().node;
        (0..20).map(|_| pick()).collect::<Vec<_>>()
    };
    assert_eq!(pick(1), pick(1));
    assert_ne!(pick(1), pick(2));
    let chosen: BTreeSet<_> = (0..20).flat_map(pick).collect();
    assert_eq!(chosen.len(), 9, "every node that is as good as the best has its chance: {chosen:?}");
}

#[test]
fn the_replicas_of_one_controller_spread_over_zones_and_hosts() {
    let mut snapshot = snapshot(&["a1", "a2", "b1", "b2", "c1", "c2"].map(|name| node(name, json!({}))));
    let owner =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "w", "uid": "w", "controller": true}]);
    let selector = LabelSelector::parse("app=w").unwrap();
    snapshot.relations_mut().put_set("ReplicaSet", &Key::new("default", "w"), Some(selector));
    let mut draw = draw(3);
    for index in 0..6 {
        let meta = json!({"ownerReferences": owner, "labels": {"app": "w"}});
        let replica = Arc::new(PodState::of(&pod(&format!("w{index}"), json!({"metadata": meta}))));
        let placement = schedule(&replica, &mut snapshot, &mut draw).unwrap();
        snapshot.assume(&placement.node, replica);
        let zones: BTreeSet<_> = snapshot
            .nodes()
            .filter(|it| !it.usage.pods.is_empty())
            .map(|it| it.name.chars().next())
            .collect();
        assert_eq!(zones.len(), (index + 1).min(3), "after {index}");
    }
    assert!(snapshot.nodes().all(|node| node.usage.pods.len() == 1));
}

/// A pod as a property draws it: CPU, memory, a host port, the taint it bears, its zone.
#[derive(Clone, Debug)]
struct Drawn {
    cpu: u16,
    memory: u16,
    port: Option<u8>,
    bears: bool,
    zone: Option<bool>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let port = prop::option::of(0_u8..3);
    let zone = prop::option::of(any::<bool>());
    (0_u16..2500, 0_u16..9000, port, any::<bool>(), zone).prop_map(|(cpu, memory, port, bears, zone)| Drawn {
        cpu,
        memory,
        port,
        bears,
        zone,
    })
}

fn built(index: usize, drawn: &Drawn) -> Arc<PodState> {
    let requests = json!({"cpu": format!("{}m", drawn.cpu), "memory": format!("{}Mi", drawn.memory)});
    let ports: Vec<Value> = drawn
        .port
        .iter()
        .map(|port| json!({"containerPort": 1, "hostPort": 8000 + i32::from(*port)}))
        .collect();
    let tolerations = if drawn.bears { json!([{"key": "spot", "operator": "Exists"}]) } else { json!([]) };
    let zone = drawn.zone.map(|first| if first { "a" } else { "b" });
    let selector = zone.map_or_else(|| json!({}), |zone| json!({"topology.kubernetes.io/zone": zone}));
    let container = json!({"name": "c", "resources": {"requests": requests}, "ports": ports});
    let spec = json!({"containers": [container], "tolerations": tolerations, "nodeSelector": selector});
    Arc::new(PodState::of(&pod(&format!("p{index}"), json!({"spec": spec}))))
}

fn fits(pod: &PodState, node: &NodeState) -> bool {
    let demand = &pod.demand;
    let (offered, taken) = (&node.facts.allocatable, &node.usage.requested);
    let zone = demand.node_selector.get("topology.kubernetes.io/zone");
    demand.requested.cpu_milli + taken.cpu_milli <= offered.cpu_milli
        && demand.requested.memory_bytes + taken.memory_bytes <= offered.memory_bytes
        && node.usage.pods.len() < usize::try_from(node.facts.pods_limit).unwrap()
        && (node.facts.taints.is_empty() || !demand.tolerations.is_empty())
        && zone.is_none_or(|zone| node.name.starts_with(zone.as_str()))
        && node
            .usage
            .pods
            .values()
            .all(|other| demand.ports.iter().all(|port| !other.demand.ports.contains(port)))
}

proptest! {
    #[test]
    fn a_pod_is_placed_where_it_fits_and_only_left_out_where_it_fits_nowhere(
        pods in prop::collection::vec((drawn(), prop::option::of(0_usize..40)), 1..60),
        seed in any::<u64>(),
    ) {
        let spot = tainted("spot");
        let mut snapshot = snapshot(&[
            node("a1", json!({})), node("a2", spot.clone()), node("b1", json!({})), node("b2", spot),
        ]);
        let mut draw = draw(seed);
        for (index, (drawn, leaving)) in pods.iter().enumerate() {
            if let Some(leaving) = leaving {
                snapshot.remove_pod(&key(&format!("p{leaving}")));
            }
            let wanted = built(index, drawn);
            match schedule(&wanted, &mut snapshot, &mut draw) {
                Ok(placement) => {
                    prop_assert!(fits(&wanted, snapshot.node(&placement.node).unwrap()), "{wanted:?}");
                    snapshot.assume(&placement.node, wanted);
                }
                Err(why) => prop_assert!(!snapshot.nodes().any(|node| fits(&wanted, node)), "{why}"),
            }
            for node in snapshot.nodes() {
                prop_assert!(node.usage.requested.cpu_milli <= node.facts.allocatable.cpu_milli);
                prop_assert!(node.usage.requested.memory_bytes <= node.facts.allocatable.memory_bytes);
                prop_assert!(node.usage.pods.len() <= 10);
            }
        }
    }
}
