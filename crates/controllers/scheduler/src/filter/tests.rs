//! Tests of each filter: what it lets pass, and what it says of what it does not.

use super::*;
use crate::fixture::{asking, filled, node, pod, wanted, wanting};
use crate::{PodState, Seen};
use serde_json::{Value, json};

fn rejection(pod: &PodState, node: &NodeState) -> Option<Rejection> {
    let objection = check(&pod.demand, node, Verdict::of(&pod.demand, node)).err()?;
    Some(objection.explain(&pod.demand, node))
}

fn said(pod: &PodState, node: &NodeState) -> Vec<String> {
    let rejection = rejection(pod, node);
    rejection.into_iter().flat_map(|it| it.reasons).map(|reason| reason.to_string()).collect()
}

fn bare(changes: Value) -> NodeState {
    filled(&node("a1", changes), [])
}

fn tainted(taints: &Value) -> NodeState {
    bare(json!({"spec": {"taints": taints}}))
}

fn tolerating(tolerations: &Value) -> PodState {
    wanted(json!({"spec": {"tolerations": tolerations}}))
}

#[test]
fn a_cordoned_node_takes_only_pods_that_bear_its_taint() {
    let node = bare(json!({"spec": {"unschedulable": true}}));
    assert_eq!(said(&wanted(json!({})), &node), ["node(s) were unschedulable"]);
    let bears = json!([{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]);
    assert!(said(&tolerating(&bears), &node).is_empty());
}

#[test]
fn a_pod_that_names_a_node_goes_nowhere_else() {
    let node = bare(json!({}));
    let named = |name: &str| {
        let demand = Demand { node_name: Some(name.to_owned()), ..Demand::default() };
        PodState { demand: demand.into(), ..PodState::default() }
    };
    assert!(said(&named("a1"), &node).is_empty());
    assert_eq!(said(&named("a2"), &node), ["node(s) didn't match the requested node name"]);
}

#[test]
fn a_taint_keeps_away_who_does_not_bear_it() {
    let cases = [
        (json!([]), Some("{spot: true}")),
        (json!([{"key": "spot", "value": "true", "effect": "NoSchedule"}]), Some("{gone: }")),
        (json!([{"key": "spot", "operator": "Exists"}]), Some("{gone: }")),
        (json!([{"key": "spot", "value": "false"}, {"key": "gone"}]), Some("{spot: true}")),
        (json!([{"key": "spot", "operator": "Exists", "effect": "NoExecute"}]), Some("{spot: true}")),
        (json!([{"key": "spot", "value": "true"}, {"key": "gone", "effect": "NoExecute"}]), None),
        (json!([{"operator": "Exists"}]), None),
        (json!([{"operator": "Exists", "effect": "NoSchedule"}]), Some("{gone: }")),
        (json!([{"key": "spot", "operator": "Near", "value": "true"}]), Some("{spot: true}")),
    ];
    let node = tainted(&json!([
        {"key": "soft", "effect": "PreferNoSchedule"},
        {"key": "spot", "value": "true", "effect": "NoSchedule"},
        {"key": "gone", "effect": "NoExecute"},
    ]));
    for (tolerations, expected) in cases {
        let expected: Vec<_> =
            expected.map(|taint| format!("node(s) had untolerated taint {taint}")).into_iter().collect();
        assert_eq!(said(&tolerating(&tolerations), &node), expected, "{tolerations}");
    }
}

#[test]
fn a_node_meets_a_selector_when_it_has_all_its_labels() {
    let node = bare(json!({"metadata": {"labels": {"role": "system", "disk": "ssd"}}}));
    let selecting = |selector: Value| wanted(json!({"spec": {"nodeSelector": selector}}));
    assert!(said(&selecting(json!({"role": "system", "disk": "ssd"})), &node).is_empty());
    let refused = ["node(s) didn't match Pod's node affinity/selector"];
    assert_eq!(said(&selecting(json!({"role": "system", "disk": "hdd"})), &node), refused);
    assert_eq!(said(&selecting(json!({"zone": "a"})), &node), refused);
}

fn requiring(terms: &Value) -> PodState {
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
    wanted(json!({"spec": {"affinity": {"nodeAffinity": required}}}))
}

#[test]
fn required_affinity_is_met_by_one_term_of_which_everything_holds() {
    let node = bare(json!({"metadata": {"labels": {"cores": "8", "role": "web"}}}));
    let is = |key: &str, operator: &str, values: Value| json!({"key": key, "operator": operator, "values": values});
    let cases = [
        (is("role", "In", json!(["db", "web"])), true),
        (is("role", "In", json!(["db"])), false),
        (is("role", "NotIn", json!(["db"])), true),
        (is("other", "NotIn", json!(["db"])), true),
        (is("role", "NotIn", json!(["web"])), false),
        (is("role", "Exists", json!([])), true),
        (is("other", "Exists", json!([])), false),
        (is("other", "DoesNotExist", json!([])), true),
        (is("role", "DoesNotExist", json!([])), false),
        (is("cores", "Gt", json!(["7"])), true),
        (is("cores", "Gt", json!(["8"])), false),
        (is("cores", "Lt", json!(["9"])), true),
        (is("role", "Lt", json!(["9"])), false),
        (is("other", "Gt", json!(["0"])), false),
        (is("role", "Resembles", json!(["web"])), false),
    ];
    for (expression, holds) in cases {
        let term = json!({"matchExpressions": [expression]});
        assert_eq!(said(&requiring(&json!([term])), &node).is_empty(), holds, "{expression}");
        let both = json!([{"matchExpressions": [is("role", "Exists", json!([])), expression]}]);
        assert_eq!(said(&requiring(&both), &node).is_empty(), holds, "{both}");
        let either = json!([term, {"matchExpressions": [is("role", "Exists", json!([]))]}]);
        assert!(said(&requiring(&either), &node).is_empty(), "{either}");
    }
    assert!(!said(&requiring(&json!([{}])), &node).is_empty(), "an empty term is met by no node");
    let field = |name: &str| json!([{"matchFields": [is("metadata.name", "In", json!([name]))]}]);
    assert!(said(&requiring(&field("a1")), &node).is_empty());
    assert!(!said(&requiring(&field("a2")), &node).is_empty());
}

#[test]
fn affinity_that_names_nodes_in_every_term_leaves_only_those() {
    let name = |values: Value| json!({"key": "metadata.name", "operator": "In", "values": values});
    let named = json!([{"matchFields": [name(json!(["a", "b"])), name(json!(["b", "c"]))]},
                       {"matchFields": [name(json!(["d"]))]}]);
    assert_eq!(affinity::named(&requiring(&named).demand), Some(["b", "d"].into()));
    let open = json!([{"matchFields": [name(json!(["a"]))]},
                      {"matchExpressions": [{"key": "role", "operator": "Exists"}]}]);
    assert_eq!(affinity::named(&requiring(&open).demand), None);
    assert_eq!(affinity::named(&wanted(json!({})).demand), None);
}

fn with_port(name: &str, port: &Value) -> Seen {
    pod(name, json!({"spec": {"containers": [{"name": "c", "ports": [port]}]}}))
}

#[test]
fn a_port_of_the_node_is_taken_once_per_protocol_and_address() {
    let taken = json!({"containerPort": 80, "hostPort": 8080, "hostIP": "10.0.0.1"});
    let node = filled(&node("a1", json!({})), [with_port("other", &taken)]);
    let cases = [
        (json!({"containerPort": 80}), true),
        (json!({"containerPort": 80, "hostPort": 8081}), true),
        (json!({"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}), true),
        (json!({"containerPort": 80, "hostPort": 8080, "hostIP": "10.0.0.2"}), true),
        (json!({"containerPort": 80, "hostPort": 8080, "hostIP": "10.0.0.1"}), false),
        (json!({"containerPort": 80, "hostPort": 8080, "hostIP": "0.0.0.0"}), false),
        (json!({"containerPort": 80, "hostPort": 8080}), false),
    ];
    for (port, is_free) in cases {
        let reasons = said(&PodState::of(&with_port("wanted", &port)), &node);
        assert_eq!(reasons.is_empty(), is_free, "{port}");
        assert!(is_free || reasons == ["node(s) didn't have free ports for the requested pod ports"]);
    }
    let all = json!({"containerPort": 80, "hostPort": 8080});
    let node = filled(&crate::fixture::node("a1", json!({})), [with_port("other", &all)]);
    let one = json!({"containerPort": 80, "hostPort": 8080, "hostIP": "10.0.0.2"});
    assert!(!said(&PodState::of(&with_port("wanted", &one)), &node).is_empty(), "all addresses are taken");
}

#[test]
fn what_a_pod_asks_for_must_be_left_of_every_resource() {
    let gpus = json!({"status": {"allocatable": {"nvidia.com/gpu": "1"}}});
    let node = filled(&node("a1", gpus), [asking("other", "3", "4Gi")]);
    let cases = [
        (
            json!({"cpu": "1", "memory": "12Gi", "ephemeral-storage": "20Gi", "nvidia.com/gpu": "1"}),
            vec![],
            true,
        ),
        (json!({"cpu": "1001m"}), vec!["Insufficient cpu"], true),
        (json!({"cpu": "4001m"}), vec!["Insufficient cpu"], false),
        (json!({"cpu": "2", "memory": "13Gi"}), vec!["Insufficient cpu", "Insufficient memory"], true),
        (json!({"ephemeral-storage": "21Gi"}), vec!["Insufficient ephemeral-storage"], false),
        (json!({"nvidia.com/gpu": "2"}), vec!["Insufficient nvidia.com/gpu"], false),
        (json!({"example.com/fpga": "1"}), vec!["Insufficient example.com/fpga"], false),
        (json!({"example.com/fpga": "0"}), vec![], true),
    ];
    for (requests, expected, is_resolvable) in cases {
        let spec = json!({"spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]}});
        let rejection = rejection(&wanted(spec.clone()), &node);
        assert_eq!(said(&wanted(spec), &node), expected, "{requests}");
        assert_eq!(rejection.is_none_or(|it| it.is_resolvable), is_resolvable, "{requests}");
    }
}

#[test]
fn a_node_takes_no_more_pods_than_it_may_have_whatever_they_ask_for() {
    let pods = |count: u8| (0..count).map(|index| pod(&format!("p{index}"), json!({})));
    let node = node("a1", json!({}));
    assert!(said(&wanted(json!({})), &filled(&node, pods(9))).is_empty());
    assert_eq!(said(&wanted(json!({})), &filled(&node, pods(10))), ["Too many pods"]);
    let both = wanting("9", "1");
    assert_eq!(said(&both, &filled(&node, pods(10))), ["Too many pods", "Insufficient cpu"]);
}
