//! What a ClusterConfig says that nothing acts on: it is told, so that nobody believes it is done.

use mainstay_kinds::ClusterConfig;
use serde_json::Value;

/// Keys of the config that are acted on.
const ACTED_ON: [&str; 6] =
    ["apiVersion", "kind", "metadata", "availabilityZones", "nodeGroups", "managedNodeGroups"];
/// Keys of a node group that are acted on.
const ACTED_ON_IN_GROUPS: [&str; 14] = [
    "name",
    "instanceType",
    "instanceTypes",
    "instancesDistribution",
    "spot",
    "desiredCapacity",
    "minSize",
    "maxSize",
    "availabilityZones",
    "labels",
    "taints",
    "volumeSize",
    "maxPodsPerNode",
    "amiFamily",
];

/// The keys that are recorded only, each once, as paths (`nodeGroups[].iam`).
pub(crate) fn recorded(config: &ClusterConfig) -> Vec<String> {
    let Ok(Value::Object(document)) = serde_json::to_value(config) else { return Vec::new() };
    let mut found: Vec<String> =
        document.keys().filter(|key| !ACTED_ON.contains(&key.as_str())).cloned().collect();
    for list in ["nodeGroups", "managedNodeGroups"] {
        let groups = document.get(list).and_then(Value::as_array).into_iter().flatten();
        let keys = groups.filter_map(Value::as_object).flat_map(serde_json::Map::keys);
        let unused = keys.filter(|key| !ACTED_ON_IN_GROUPS.contains(&key.as_str()));
        found.extend(unused.map(|key| format!("{list}[].{key}")));
    }
    found.sort();
    found.dedup();
    found
}
