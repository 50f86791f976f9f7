//! Whether a node is cordoned for a pod.

use k8s_openapi::api::core::v1::Taint;

use super::taints;
use crate::{Demand, NodeState};

/// Whether the node is cordoned and the pod does not bear that.
pub(crate) fn keeps_away(demand: &Demand, node: &NodeState) -> bool {
    if !node.facts.is_unschedulable {
        return false;
    }
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    !taints::is_tolerated(&demand.tolerations, &taint)
}
