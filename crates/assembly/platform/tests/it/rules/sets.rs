//! The life of StatefulSets and DaemonSets: updates and rollbacks, claims, orphans of pods and of
//! history, names that are taken.

use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PropagationPolicy};
use mainstay_platform::Region;
use serde_json::{Value, json};

use crate::scene::{api, apply, pass};

/// Lives through all of it.
pub(super) async fn live(region: &Region) {
    for kind in ["StatefulSet", "DaemonSet"] {
        apply(region, set(kind, "a")).await;
        pass(120).await;
        for image in ["b", "a", "b"] {
            change(region, kind, json!({"spec": {"template": template(kind, image)}})).await;
            pass(240).await;
        }
        orphan(region, kind).await;
        stray_history(region, kind).await;
        let sets = api(region, "apps/v1", kind, "default");
        sets.delete(&name(kind), &DeleteParams::default()).await.unwrap();
        pass(60).await;
    }
}

fn name(kind: &str) -> String {
    kind.to_lowercase()
}

fn template(kind: &str, image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": name(kind)}},
        "spec": {"containers": [{"name": "c", "image": image}], "tolerations": [{"operator": "Exists"}]},
    })
}

fn set(kind: &str, image: &str) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name(kind), "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": name(kind)}}, "template": template(kind, image),
            "revisionHistoryLimit": 0,
        },
    });
    if kind == "StatefulSet" {
        set["spec"]["serviceName"] = json!("headless");
        set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    }
    set
}

async fn change(region: &Region, kind: &str, patch: Value) {
    let sets = api(region, "apps/v1", kind, "default");
    sets.patch(&name(kind), &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
}

/// The set goes without its pods and its history, and another takes them over.
async fn orphan(region: &Region, kind: &str) {
    if kind == "StatefulSet" {
        let policy = json!({"whenDeleted": "Delete"});
        change(region, kind, json!({"spec": {"persistentVolumeClaimRetentionPolicy": policy}})).await;
        pass(30).await;
    }
    leave(region, kind).await;
    apply(region, set(kind, "b")).await;
    pass(120).await;
}

/// A revision of the very name and data that a set wants, and which it does not select.
async fn stray_history(region: &Region, kind: &str) {
    leave(region, kind).await;
    let revisions = api(region, "apps/v1", "ControllerRevision", "default");
    for revision in revisions.list(&ListParams::default()).await.unwrap().items {
        if revision.name_any().starts_with(&format!("{}-", name(kind))) {
            let strayed = Patch::Merge(json!({"metadata": {"labels": {"app": "nobody"}}}));
            revisions.patch(&revision.name_any(), &PatchParams::default(), &strayed).await.unwrap();
        }
    }
    apply(region, set(kind, "b")).await;
    pass(60).await;
}

async fn leave(region: &Region, kind: &str) {
    let orphan =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    api(region, "apps/v1", kind, "default").delete(&name(kind), &orphan).await.unwrap();
    pass(30).await;
}
