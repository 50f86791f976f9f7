//! Which changes of nodes are of interest.

use mainstay_control::Change;

use super::super::watch::{concerns, is_of_interest};
use super::*;

#[test]
fn labels_and_taints_of_a_node_are_of_interest_where_they_change_what_shall_run() {
    let blue = json!({"color": "blue"});
    let taint = json!([{"key": "gpu", "effect": "NoSchedule"}]);
    let evicting = json!([{"key": "gpu", "effect": "NoExecute"}]);
    let plain = || node("n", &json!({}), &json!([]));
    let allocatable = || {
        let mut node = plain();
        node.status = serde_json::from_value(json!({"allocatable": {"cpu": "200m"}})).unwrap();
        node
    };
    let chosen = || set(json!({"template": asking(json!({"nodeSelector": {"color": "blue"}}))}));
    let any = || set(json!({}));
    let cases = vec![
        ("nothing", Some(plain()), plain(), chosen(), false, false),
        ("labels", Some(plain()), node("n", &blue, &json!([])), chosen(), false, true),
        ("labels that do not matter", Some(plain()), node("n", &blue, &json!([])), any(), true, false),
        ("a taint less", Some(node("n", &json!({}), &taint)), plain(), any(), false, true),
        ("a taint more", Some(plain()), node("n", &json!({}), &taint), any(), true, false),
        ("a taint that evicts", Some(plain()), node("n", &json!({}), &evicting), any(), true, true),
        ("what it has left", Some(plain()), allocatable(), any(), false, false),
        ("a new node", None, plain(), any(), false, true),
        ("a new node for others", None, plain(), chosen(), false, false),
    ];
    for (what, old, new, set, has_pod, expected) in cases {
        let mut cluster = Cluster::new(json!({}));
        if has_pod {
            cluster.one("n", false, 1, None);
        }
        let new = Arc::new(new);
        let change = Change::Applied { old: old.map(Arc::new), new: new.clone() };
        let is_told = is_of_interest(&change) && concerns(&set, &new, &cluster.owned());
        assert_eq!(is_told, expected, "{what}");
    }
}
