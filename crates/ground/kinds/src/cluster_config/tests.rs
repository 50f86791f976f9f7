//! ClusterConfigs as they are written and stored.

use super::*;
use serde_json::{Value, json};

fn document() -> Value {
    json!({
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": { "name": "prod", "region": "us-east-1", "version": "1.28", "tags": { "team": "sre" } },
        "vpc": { "id": "vpc-1", "cidr": "10.0.0.0/16", "nat": { "gateway": "HighlyAvailable" } },
        "nodeGroups": [{
            "name": "spot",
            "instancesDistribution": { "instanceTypes": ["t3.large", "t3a.large"], "onDemandBaseCapacity": 0 },
            "desiredCapacity": 5,
            "taints": [{ "key": "spot", "value": "true", "effect": "NoSchedule" }],
            "iam": { "withAddonPolicies": { "ebs": true } },
        }],
    })
}

#[test]
fn a_config_survives_being_stored() {
    let written: ClusterConfig = serde_json::from_value(document()).unwrap();
    let mut stored = to_stored(document());
    assert_eq!(
        stored["metadata"],
        json!({ "name": "prod", "annotations": {
            REGION_ANNOTATION: "us-east-1", VERSION_ANNOTATION: "1.28", META_ANNOTATION: r#"{"tags":{"team":"sre"}}"#,
        }})
    );
    // What the API server and kubectl add is not read back.
    stored["metadata"]["uid"] = json!("1");
    stored["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!("{}");
    stored["status"] = json!({ "observedGeneration": 1 });
    assert_eq!(from_stored(&stored).unwrap(), written);
    let object: StoredClusterConfig = serde_json::from_value(stored).unwrap();
    assert_eq!(object.config().unwrap(), written);
    assert_eq!(object.status.unwrap().observed_generation, 1);
}

#[test]
fn a_stored_config_without_its_region_is_refused() {
    let stored = json!({ "metadata": { "name": "prod" } });
    assert!(matches!(from_stored(&stored), Err(StoredError::NoRegion)));
}

#[test]
fn unknown_fields_are_errors_at_every_level() {
    for path in ["/", "/metadata/", "/nodeGroups/0/", "/nodeGroups/0/instancesDistribution/", "/vpc/"] {
        let mut document = document();
        document.pointer_mut(path.trim_end_matches('/')).unwrap()["desiredCapcity"] = json!(1);
        let error = serde_json::from_value::<ClusterConfig>(document).unwrap_err().to_string();
        assert!(error.contains("unknown field `desiredCapcity`"), "{path}: {error}");
    }
}

#[test]
fn taints_read_from_a_list_and_from_a_map() {
    let group = |taints: Value| serde_json::from_value::<NodeGroup>(json!({ "name": "g", "taints": taints }));
    let list = group(
        json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }, { "key": "c", "effect": "NoExecute" }]),
    );
    let map = group(json!({ "c": ":NoExecute", "a": "b:NoSchedule" }));
    assert_eq!(list.unwrap().taints, map.unwrap().taints);
    assert!(group(json!("x")).unwrap_err().to_string().contains("a list of {key, value, effect}"));
}
