//! Nodes against templates, and the pods made for them.

use super::super::placement::{self, Demand};
use super::*;

#[test]
fn a_node_shall_have_a_pod_or_may_keep_one() {
    const BOTH: Fit = Fit { runs: true, keeps: true };
    const KEEPS: Fit = Fit { runs: false, keeps: true };
    const NEITHER: Fit = Fit { runs: false, keeps: false };
    let plain = |labels: Value| node("test-node", &labels, &json!([]));
    let tainted = |taints: Value| node("test-node", &json!({}), &taints);
    let affine = |term: Value| json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}});
    let is = |key: &str, operator: &str, values: Value| json!({"key": key, "operator": operator, "values": values});
    let kind = |value: &str| affine(json!({"matchExpressions": [is("type", "In", json!([value]))]}));
    let field = |name: &str| affine(json!({"matchFields": [is("metadata.name", "In", json!([name]))]}));
    let production = || plain(json!({"type": "production"}));
    let taint = |key: &str, effect: &str| tainted(json!([{"key": key, "effect": effect}]));
    let tolerating = |key: &str| json!({"tolerations": [{"key": key, "operator": "Exists"}]});
    let large = json!({"containers": [{"name": "c", "resources": {"requests": {"memory": "200T"}},
                                       "ports": [{"hostPort": 666, "containerPort": 1}]}]});
    let cases = vec![
        ("nothing asked", json!({}), plain(json!({})), BOTH),
        ("more than the node has, and its ports", large, plain(json!({})), BOTH),
        ("another node", json!({"nodeName": "other-node"}), plain(json!({})), NEITHER),
        ("this node", json!({"nodeName": "test-node"}), plain(json!({})), BOTH),
        ("another label", json!({"nodeSelector": {"type": "test"}}), production(), NEITHER),
        ("this label", json!({"nodeSelector": {"type": "production"}}), production(), BOTH),
        ("affinity to others", kind("test"), production(), NEITHER),
        ("affinity", kind("production"), production(), BOTH),
        ("affinity by name to others", field("other-node"), plain(json!({})), NEITHER),
        ("affinity by name", field("test-node"), plain(json!({})), BOTH),
        ("an empty term", affine(json!({})), plain(json!({})), NEITHER),
        (
            "a malformed term",
            affine(json!({"matchExpressions": [is("type", "Like", json!(["p"]))]})),
            production(),
            NEITHER,
        ),
        ("a taint", json!({}), taint("gpu", "NoSchedule"), KEEPS),
        ("a soft taint", json!({}), taint("gpu", "PreferNoSchedule"), BOTH),
        ("a taint that evicts", json!({}), taint("gpu", "NoExecute"), NEITHER),
        ("a borne taint", tolerating("gpu"), taint("gpu", "NoExecute"), BOTH),
        ("another taint", tolerating("tpu"), taint("gpu", "NoSchedule"), KEEPS),
        ("a cordon", json!({}), taint("node.kubernetes.io/unschedulable", "NoSchedule"), BOTH),
        ("not ready", json!({}), taint("node.kubernetes.io/not-ready", "NoExecute"), BOTH),
        ("unreachable", json!({}), taint("node.kubernetes.io/unreachable", "NoExecute"), BOTH),
        ("disk", json!({}), taint("node.kubernetes.io/disk-pressure", "NoSchedule"), BOTH),
        ("memory", json!({}), taint("node.kubernetes.io/memory-pressure", "NoSchedule"), BOTH),
        ("processes", json!({}), taint("node.kubernetes.io/pid-pressure", "NoSchedule"), BOTH),
        ("no network", json!({}), taint("node.kubernetes.io/network-unavailable", "NoSchedule"), KEEPS),
        (
            "no network, of the host",
            json!({"hostNetwork": true}),
            taint("node.kubernetes.io/network-unavailable", "NoSchedule"),
            BOTH,
        ),
    ];
    for (what, spec, node, expected) in cases {
        let set = set(json!({"template": asking(spec)}));
        assert_eq!(Demand::of(&set).fit(&node), expected, "{what}");
    }
}

#[test]
fn a_toleration_for_a_while_becomes_one_for_ever() {
    let spec = json!({"containers": [], "tolerations": [
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        {"key": "gpu", "operator": "Exists"},
    ]});
    let all = placement::tolerations(&serde_json::from_value(spec).unwrap());
    assert_eq!(all.len(), 7);
    assert_eq!(
        (all[0].key.as_deref(), all[0].toleration_seconds),
        (Some("node.kubernetes.io/not-ready"), None)
    );
    assert_eq!(all[1].key.as_deref(), Some("gpu"));
}

#[test]
fn a_pod_asks_for_its_one_node_whatever_the_template_asks_for() {
    let required = |terms: Value| json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
    let key = json!([{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]);
    let preferred =
        json!([{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]);
    let mut both = required(key.clone());
    both["preferredDuringSchedulingIgnoredDuringExecution"] = preferred.clone();
    let cases = vec![
        (json!({}), None),
        (json!({"affinity": {}}), None),
        (json!({"affinity": {"podAffinity": {}}}), None),
        (json!({"affinity": {"nodeAffinity": {}}}), None),
        (json!({"affinity": {"nodeAffinity": required(key)}}), None),
        (json!({"affinity": {"nodeAffinity": required(json!([]))}}), None),
        (json!({"affinity": {"nodeAffinity": both}}), Some(preferred)),
    ];
    for (spec, kept) in cases {
        let set = set(json!({"template": asking(spec.clone())}));
        let made = pod::on(&pod::pod(&set, "h"), "here");
        let affinity = serde_json::to_value(&made.spec.as_ref().unwrap().affinity).unwrap();
        let only = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["here"]}]}]);
        let wanted = &affinity["nodeAffinity"];
        assert_eq!(
            wanted["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"], only,
            "{spec}"
        );
        assert_eq!(wanted.get("preferredDuringSchedulingIgnoredDuringExecution").cloned(), kept);
        assert_eq!(placement::target(&made), Some("here"));
        assert_eq!(made.spec.unwrap().node_name, None);
    }
}

#[test]
fn a_pods_node_is_the_one_it_is_on_or_the_only_one_it_asks_for() {
    let of = |spec: Value| serde_json::from_value::<Pod>(json!({"spec": spec})).unwrap();
    let affine = |fields: Value| {
        json!({"containers": [], "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": fields}]}}}})
    };
    let named = |values: Value| json!([{"key": "metadata.name", "operator": "In", "values": values}]);
    let cases = vec![
        (json!({"containers": [], "nodeName": "a"}), Some("a")),
        (affine(named(json!(["b"]))), Some("b")),
        (affine(named(json!(["b", "c"]))), None),
        (affine(json!([{"key": "metadata.name", "operator": "NotIn", "values": ["b"]}])), None),
        (json!({"containers": []}), None),
        (json!({"containers": [], "affinity": {}}), None),
    ];
    for (spec, expected) in cases {
        assert_eq!(placement::target(&of(spec.clone())), expected, "{spec}");
    }
}

#[test]
fn a_pod_is_labelled_by_hash_and_generation_and_either_makes_it_up_to_date() {
    let mut set = set(json!({}));
    assert_eq!(pod::pod(&set, "h").metadata.labels.unwrap().get("pod-template-generation"), None);
    let annotate = |set: &mut DaemonSet, generation: &str| {
        set.metadata.annotations = Some([(TEMPLATE_GENERATION.to_owned(), generation.to_owned())].into());
    };
    annotate(&mut set, "7");
    let labels = pod::pod(&set, "h").metadata.labels.unwrap();
    assert_eq!((&*labels["pod-template-generation"], &*labels["controller-revision-hash"]), ("7", "h"));
    let labelled = |hash: Option<&str>, generation: Option<&str>| {
        let labels = json!({"controller-revision-hash": hash, "pod-template-generation": generation});
        let labels: serde_json::Map<_, _> =
            labels.as_object().cloned().unwrap().into_iter().filter(|(_, value)| !value.is_null()).collect();
        serde_json::from_value::<Pod>(json!({"metadata": {"labels": labels}})).unwrap()
    };
    let cases = vec![
        (Some("7"), "h", labelled(Some("h"), Some("7")), true),
        (Some("7"), "h", labelled(Some("g"), Some("7")), true),
        (Some("7"), "h", labelled(Some("h"), Some("6")), true),
        (Some("7"), "h", labelled(Some("g"), Some("6")), false),
        (Some("7"), "h", labelled(None, None), false),
        (Some("7"), "", labelled(Some(""), Some("7")), true),
        (Some("x"), "h", labelled(Some("g"), Some("x")), false),
        (None, "h", labelled(Some("h"), Some("7")), true),
        (None, "h", labelled(Some("g"), Some("7")), false),
        (None, "", labelled(None, None), false),
    ];
    for (index, (generation, hash, pod, expected)) in cases.into_iter().enumerate() {
        let mut set = set.clone();
        set.metadata.annotations = None;
        if let Some(generation) = generation {
            annotate(&mut set, generation);
        }
        let board = Board::new(&set, &[], &[], hash, time(0));
        assert_eq!(board.is_updated(&pod), expected, "{index}");
    }
}
