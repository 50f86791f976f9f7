//! A platform of three regions: each has what the Platform document places there, and `status` says
//! what kubectl sees.

use crate::harness::{Home, Kubectl};

/// Three clusters of 17, 6 and 6 machines, and a service that runs in two of them.
const THREE: &str = "apiVersion: mainstay.dev/v1alpha1
kind: Platform
metadata: {name: shop}
spec:
  regions:
    - {name: us-west-2, role: dr}
    - {name: us-east-1, role: primary, cluster: main}
    - {name: eu-west-1}
  documents:
    - {kinds: [Namespace], regions: ['*']}
    - {selector: app=web, regions: [primary, dr]}
  replacements:
    images: {nginx: localhost:5000/nginx}
  objectives: {rto: 15m, rpo: 5m, availability: 99.9%, monthlyBudget: 25000 USD}
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: main, region: us-east-1}
nodeGroups: [{name: app, instanceType: c5.large, desiredCapacity: 17, maxSize: 17}]
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: europe, region: eu-west-1}
nodeGroups: [{name: app, instanceType: c5.large, desiredCapacity: 6, maxSize: 6}]
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: standby, region: us-west-2}
nodeGroups: [{name: app, instanceType: c5.large, desiredCapacity: 6, maxSize: 6}]
---
{apiVersion: v1, kind: Namespace, metadata: {name: team}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
";

#[test]
fn status_says_of_three_regions_what_kubectl_sees_in_each() {
    let home = Home::new();
    let platform = home.up(&home.write("mainstay.yaml", THREE));
    for context in ["mainstay-us-east-1", "mainstay-eu-west-1", "mainstay-us-west-2"] {
        assert!(platform.said.err.contains(context), "{}", platform.said.err);
    }
    assert!(platform.said.err.contains("6 nodes (dr)"), "{}", platform.said.err);
    let status = home.status();
    assert_eq!(status["name"], "shop");
    assert_eq!(status["declared"]["objectives"]["rto"], "15m0s");
    assert_eq!(status["declared"]["objectives"]["monthlyBudget"], "25000 USD");
    assert_eq!(status["declared"]["replacements"]["images"]["nginx"], "localhost:5000/nginx");
    let roles =
        [("us-east-1", "primary", 17, 1), ("us-west-2", "dr", 6, 1), ("eu-west-1", "secondary", 6, 0)];
    for (index, (name, role, nodes, deployments)) in roles.into_iter().enumerate() {
        let region = &status["regions"][index];
        assert_eq!((region["name"].as_str(), region["role"].as_str()), (Some(name), Some(role)));
        assert_eq!(
            (&region["nodes"], &region["deployments"]),
            (&nodes.into(), &deployments.into()),
            "{name}"
        );
        let Some(kubectl) = Kubectl::of("1.33", &home, name) else { return };
        let count = |arguments: &[&str]| kubectl.run(arguments).ok().out.lines().count();
        assert_eq!(count(&["get", "nodes", "--no-headers"]), nodes, "{name}");
        assert_eq!(count(&["get", "deployments", "-A", "--no-headers"]), deployments, "{name}");
        assert_eq!(count(&["get", "namespace", "team", "--no-headers"]), 1, "{name}");
        let server =
            kubectl.run(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
        assert_eq!(region["endpoints"]["api"], server.ok().out.as_str(), "{name}");
    }
}
