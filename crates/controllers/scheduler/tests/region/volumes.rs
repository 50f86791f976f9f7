//! Pods get their volumes where they run; the binder of volumes is played by hand.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Region, region};

fn claims(region: &Region) -> Api<PersistentVolumeClaim> {
    Api::namespaced(region.client(), "default")
}

async fn claim(region: &Region) {
    let class = json!({"metadata": {"name": "late"}, "provisioner": "ebs.csi.aws.com",
                       "volumeBindingMode": "WaitForFirstConsumer"});
    let class: StorageClass = serde_json::from_value(class).unwrap();
    Api::all(region.client()).create(&PostParams::default(), &class).await.unwrap();
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "late",
        "resources": {"requests": {"storage": "5Gi"}}}});
    claims(region).create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
}

/// The node that the claim was told.
async fn told(region: &Region) -> Option<String> {
    let annotations = claims(region).get("data").await.unwrap().metadata.annotations?;
    annotations.get("volume.kubernetes.io/selected-node").cloned()
}

/// What the binder and a provisioner do.
async fn bind(region: &Region, zone: &str) {
    let is_there = json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]});
    let volume = json!({"metadata": {"name": "made"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "5Gi"}, "storageClassName": "late",
        "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "made"},
        "claimRef": {"namespace": "default", "name": "data"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [is_there]}]}}}});
    let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
    Api::all(region.client()).create(&PostParams::default(), &volume).await.unwrap();
    let bound = json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
                       "spec": {"volumeName": "made"}});
    claims(region).patch("data", &PatchParams::default(), &Patch::Merge(&bound)).await.unwrap();
}

fn using(name: &str, zone: Option<&str>) -> Value {
    let selector = zone.map(|zone| json!({"topology.kubernetes.io/zone": zone}));
    json!({"metadata": {"name": name}, "spec": {
        "nodeSelector": selector, "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}})
}

#[test]
fn a_claim_gets_its_volume_where_its_first_pod_runs_and_the_next_follows() {
    region(1, |region| async move {
        region.node("a1").await;
        region.node("b1").await;
        region.create(using("web", Some("b"))).await;
        region.settle().await;
        let missing = region.scheduled("web").await.unwrap().2;
        assert!(missing.contains("persistentvolumeclaim \"data\" not found. preemption: 0/2"), "{missing}");
        claim(&region).await;
        region.sleep(2).await;
        assert_eq!((told(&region).await.as_deref(), region.place("web").await), (Some("b1"), None));
        region.pod("other", "1", None).await;
        region.settle().await;
        assert!(region.place("other").await.is_some(), "nobody waits for another's volume");
        bind(&region, "b").await;
        region.settle().await;
        assert_eq!(region.place("web").await.as_deref(), Some("b1"));
        region.create(using("next", None)).await;
        region.create(using("lost", Some("a"))).await;
        region.settle().await;
        assert_eq!(region.place("next").await.as_deref(), Some("b1"));
        let why = region.scheduled("lost").await.unwrap().2;
        assert!(why.contains("1 node(s) didn't match PersistentVolume's node affinity"), "{why}");
        assert!(region.requests().iter().all(|(_, _, denied)| *denied == 0));
    });
}

#[test]
fn a_pod_whose_volume_never_comes_is_tried_again_and_its_claim_is_free() {
    region(1, |region| async move {
        region.node("a1").await;
        claim(&region).await;
        region.create(using("web", None)).await;
        region.settle().await;
        assert_eq!(told(&region).await.as_deref(), Some("a1"));
        region.sleep(599).await;
        assert_eq!(told(&region).await.as_deref(), Some("a1"));
        region.node("a2").await;
        region.sleep(5).await;
        let events = region.events().await;
        let why = "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
        assert!(events.iter().any(|[_, reason, message, _]| reason == "FailedScheduling" && message == why));
        assert!(told(&region).await.is_some(), "another attempt is under way");
        bind(&region, "a").await;
        region.settle().await;
        assert!(region.place("web").await.is_some());
    });
}

/// Pods of a claim that has to be told its node, and of one for which a volume is there.
pub(crate) async fn ask(region: &Region) {
    claim(region).await;
    region.create(using("first", None)).await;
    region.settle().await;
    let volume = json!({"metadata": {"name": "there"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "9Gi"}, "storageClassName": "late",
        "hostPath": {"path": "/data"}}});
    let volumes = Api::<PersistentVolume>::all(region.client());
    volumes.create(&PostParams::default(), &serde_json::from_value(volume).unwrap()).await.unwrap();
    let available = Patch::Merge(json!({"status": {"phase": "Available"}}));
    volumes.patch_status("there", &PatchParams::default(), &available).await.unwrap();
    let claim = json!({"metadata": {"name": "large"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "late",
        "resources": {"requests": {"storage": "9Gi"}}}});
    claims(region).create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
    let mut pod = using("large", None);
    pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = json!("large");
    region.create(pod).await;
}
