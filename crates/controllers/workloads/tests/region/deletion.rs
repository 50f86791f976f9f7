//! What goes with what: owners, namespaces, nodes.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use mainstay_kinds::NodeClaim;
use serde_json::json;

use crate::support::region;

#[test]
fn a_deleted_deployment_takes_its_sets_and_pods_along() {
    region(1, |region| async move {
        region.deploy(3).await;
        region.sleep(20).await;
        region.deployments().delete("web", &DeleteParams::background()).await.unwrap();
        region.sleep(60).await;
        assert!(region.all::<ReplicaSet>().await.is_empty());
        assert!(region.all::<Pod>().await.is_empty());
        region.assert_well();
    });
}

#[test]
fn in_the_foreground_the_deployment_goes_last() {
    region(2, |region| async move {
        region.deploy(3).await;
        region.sleep(20).await;
        region.deployments().delete("web", &DeleteParams::foreground()).await.unwrap();
        for _ in 0..600 {
            let is_there = region.deployments().get_opt("web").await.unwrap().is_some();
            let has_pods = !region.all::<Pod>().await.is_empty();
            assert!(is_there || !has_pods, "it outlives its pods");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert!(region.deployments().get_opt("web").await.unwrap().is_none());
        assert!(region.all::<ReplicaSet>().await.is_empty());
        region.assert_well();
    });
}

#[test]
fn orphaned_sets_stay_with_their_pods() {
    region(3, |region| async move {
        region.deploy(2).await;
        region.sleep(20).await;
        region.deployments().delete("web", &DeleteParams::orphan()).await.unwrap();
        region.sleep(60).await;
        assert!(region.deployments().get_opt("web").await.unwrap().is_none());
        let sets = region.all::<ReplicaSet>().await;
        assert_eq!(sets.len(), 1);
        assert!(sets[0].metadata.owner_references.as_ref().is_none_or(Vec::is_empty));
        assert_eq!(region.all::<Pod>().await.len(), 2);
        region.assert_well();
    });
}

#[test]
fn an_object_whose_owner_never_was_is_collected() {
    region(4, |region| async move {
        let maps = Api::<ConfigMap>::namespaced(region.client.clone(), "default");
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "00000000-0000-4000-8000-000000000000"});
        let map = json!({"metadata": {"name": "left", "ownerReferences": [owner]}});
        maps.create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.unwrap();
        region.sleep(5).await;
        assert!(maps.get_opt("left").await.unwrap().is_none());
        region.assert_well();
    });
}

#[test]
fn a_deleted_namespace_is_emptied_and_goes() {
    region(5, |region| async move {
        let namespaces = Api::<Namespace>::all(region.client.clone());
        let shop = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
        namespaces.create(&PostParams::default(), &shop).await.unwrap();
        let deployments = Api::namespaced(region.client.clone(), "shop");
        deployments.create(&PostParams::default(), &crate::support::web(3)).await.unwrap();
        let maps = Api::<ConfigMap>::namespaced(region.client.clone(), "shop");
        let map = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
        maps.create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.unwrap();
        region.sleep(20).await;
        namespaces.delete("shop", &DeleteParams::default()).await.unwrap();
        region.sleep(90).await;
        assert!(region.all::<Pod>().await.is_empty());
        let status = namespaces.get("shop").await.unwrap().status.unwrap();
        assert_eq!(status.phase.as_deref(), Some("Terminating"));
        let conditions = status.conditions.unwrap();
        let held = conditions.iter().find(|own| own.type_ == "NamespaceFinalizersRemaining").unwrap();
        let expected = "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances";
        assert_eq!(held.message.as_deref(), Some(expected));
        let release = Patch::Merge(json!({"metadata": {"finalizers": []}}));
        maps.patch("held", &PatchParams::default(), &release).await.unwrap();
        region.sleep(60).await;
        assert!(namespaces.get_opt("shop").await.unwrap().is_none());
        region.assert_well();
    });
}

#[test]
fn the_pods_and_the_lease_of_a_node_that_is_gone_go_too() {
    region(6, |region| async move {
        region.deploy(8).await;
        region.sleep(20).await;
        let pods = region.all::<Pod>().await;
        let node = pods[0].spec.as_ref().unwrap().node_name.clone().unwrap();
        let claims = Api::<NodeClaim>::all(region.client.clone());
        let claim = claims.list(&ListParams::default()).await.unwrap().items.into_iter().find(|claim| {
            claim.status.as_ref().and_then(|status| status.node_name.as_deref()) == Some(&*node)
        });
        let claim = claim.unwrap().metadata.name.unwrap();
        // Its machine dies, then its Node is taken away by hand.
        let fault = Patch::Merge(json!({"metadata": {"annotations": {"mainstay.dev/fault": "killed"}}}));
        claims.patch(&claim, &PatchParams::default(), &fault).await.unwrap();
        region.sleep(5).await;
        Api::<Node>::all(region.client.clone()).delete(&node, &DeleteParams::default()).await.unwrap();
        region.sleep(30).await;
        let bound = |pods: Vec<Pod>| {
            pods.into_iter()
                .filter(|pod| pod.spec.as_ref().unwrap().node_name.as_deref() == Some(&*node))
                .count()
        };
        assert!(bound(region.all::<Pod>().await) > 0, "a node may come back within 40 s");
        region.sleep(30).await;
        assert_eq!(bound(region.all::<Pod>().await), 0);
        assert_eq!(region.all::<Pod>().await.len(), 8, "others took their place");
        let leases = Api::<Lease>::namespaced(region.client.clone(), "kube-node-lease");
        assert!(leases.get_opt(&node).await.unwrap().is_none());
        region.assert_well();
    });
}

#[test]
fn an_owner_in_another_namespace_is_told_of_and_owns_nothing() {
    region(7, |region| async move {
        let owners = Api::<ConfigMap>::namespaced(region.client.clone(), "kube-system");
        let named = |name: &str| json!({"metadata": {"name": name}});
        let owner = serde_json::from_value(named("owner")).unwrap();
        let owner = owners.create(&PostParams::default(), &owner).await.unwrap().metadata.uid.unwrap();
        region.sleep(5).await;
        let mut map = named("left");
        map["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner}]);
        let maps = Api::<ConfigMap>::namespaced(region.client.clone(), "default");
        maps.create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.unwrap();
        region.sleep(5).await;
        assert!(maps.get_opt("left").await.unwrap().is_none());
        let told = region.told("ConfigMap").await;
        let message = format!(
            "ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: {owner}] does not exist in namespace \"default\""
        );
        assert_eq!(told, [("OwnerRefInvalidNamespace".to_owned(), message, 1)]);
        region.assert_well();
    });
}
