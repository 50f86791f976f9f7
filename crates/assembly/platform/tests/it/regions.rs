//! Several regions of one platform: each has its own cluster and its own documents.

use kube::api::ListParams;
use mainstay_platform::Region;
use mainstay_source::Source;

use crate::scene::{api, on};

/// Two clusters, one with two machines, and a namespace.
const TWO: &str = "apiVersion: eksctl.io/v1alpha5
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
";

async fn names(region: &Region, api_version: &str, kind: &str) -> Vec<String> {
    let list = api(region, api_version, kind, "").list(&ListParams::default()).await.unwrap();
    list.items.iter().map(kube::ResourceExt::name_any).collect()
}

#[test]
fn each_region_has_its_own_cluster_and_the_primary_the_rest() {
    on(&Source::from_text("a.yaml", TWO), 1, |_, platform| async move {
        let [main, far] = platform.regions() else { panic!("two regions") };
        assert_eq!(names(main, "eksctl.io/v1alpha5", "ClusterConfig").await, ["main"]);
        assert_eq!(names(far, "eksctl.io/v1alpha5", "ClusterConfig").await, ["far"]);
        assert_eq!(names(main, "v1", "Node").await.len(), 2);
        assert_eq!(names(far, "v1", "Node").await.len(), 1);
        assert!(names(main, "v1", "Namespace").await.contains(&"team".to_owned()));
        assert!(!names(far, "v1", "Namespace").await.contains(&"team".to_owned()));
    });
}
