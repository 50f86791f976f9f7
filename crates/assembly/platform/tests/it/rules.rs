//! Each component's table of rules is what it needs: nothing is asked outside it, and nothing
//! stands in it that a full life of a platform does not use.

mod room;
mod sets;
mod stores;
mod volumes;

use std::collections::BTreeSet;

use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams, PropagationPolicy};
use mainstay_platform::{Platform, components};
use serde_json::json;

use crate::scene::{api, apply, on_the_example, pass};

/// Lines for kinds that this server does not have (each of its own can be deleted as a collection),
/// and for Events that only a refused write brings about.
const RARE: [(&str, &str, &str); 4] = [
    ("system:serviceaccount:kube-system:namespace-controller", "*", "delete"),
    ("system:serviceaccount:kube-system:endpoint-controller", "events", "create"),
    ("system:serviceaccount:kube-system:endpoint-controller", "events", "patch"),
    ("system:serviceaccount:kube-system:ebs-csi-controller-sa", "events", "patch"),
];

#[test]
fn no_component_asks_outside_its_rules_and_every_rule_is_used() {
    let (denied, unused) = on_the_example(1, |_, platform| async move {
        live_a_full_life(&platform).await;
        let calls = platform.regions()[0].api().calls();
        let denied: Vec<_> = calls.iter().filter(|call| call.denied > 0).cloned().collect();
        let mut unused = BTreeSet::new();
        for component in components::all(mainstay_pki::NOBODY) {
            for rule in component.rules {
                for (group, resource, verb) in lines(rule) {
                    let used = calls.iter().any(|call| {
                        call.user == component.user
                            && call.allowed > 0
                            && (group == "*" || call.group == group)
                            && is_named(resource, &call.resource)
                            && (verb == "*" || call.verb == verb)
                    });
                    if !used && !RARE.contains(&(component.user, resource, verb)) {
                        unused.insert(format!("{}: {verb} {group}/{resource}", component.user));
                    }
                }
            }
        }
        (denied, unused)
    });
    assert!(denied.is_empty(), "asked outside the table: {denied:#?}");
    assert!(unused.is_empty(), "in the table, never used: {unused:#?}");
}

/// Whether a rule's resource, which may be any or a part of any, is the one asked for.
fn is_named(resource: &str, asked: &str) -> bool {
    resource.strip_prefix('*').map_or(asked == resource, |part| asked.ends_with(part))
}

/// Every (group, resource, verb) of a rule.
fn lines(
    rule: &mainstay_resource::access::Rule,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rule = *rule;
    rule.groups.iter().flat_map(move |group| {
        rule.resources
            .iter()
            .flat_map(move |resource| rule.verbs.iter().map(move |verb| (*group, *resource, *verb)))
    })
}

/// Rollouts, adoption, deletion in every manner, lost machines.
async fn live_a_full_life(platform: &Platform) {
    let region = &platform.regions()[0];
    let merge = PatchParams::default();
    let deployments = api(region, "apps/v1", "Deployment", "production");
    let release = json!({"spec": {"template": {"metadata": {"annotations": {"release": "2"}}}}});
    deployments.patch("order-service", &merge, &Patch::Merge(&release)).await.unwrap();
    let nowhere = json!({"spec": {"template": {"spec": {"nodeSelector": {"workload": "nowhere"}}}}});
    deployments.patch("user-service", &merge, &Patch::Merge(&nowhere)).await.unwrap();
    let history = json!({"spec": {"revisionHistoryLimit": 0}});
    deployments.patch("payment-service", &merge, &Patch::Merge(&history)).await.unwrap();
    deployments.patch("payment-service", &merge, &Patch::Merge(&release)).await.unwrap();
    pass(60).await;
    spoil_certificates(region).await;
    sets::live(region).await;
    room::make(region).await;
    stores::live(region).await;
    adopt(region).await;
    replicate(region).await;
    misplace(region).await;
    bound(region).await;
    roll_back(region).await;
    collide(region).await;
    run_jobs(region).await;
    repeat(region).await;
    serve(region).await;
    disturb(region).await;
    volumes::live(region).await;
    deployments.delete("order-service", &DeleteParams::foreground()).await.unwrap();
    let orphan =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    deployments.delete("payment-service", &orphan).await.unwrap();
    pass(60).await;
    api(region, "v1", "Namespace", "").delete("production", &DeleteParams::default()).await.unwrap();
    lose_machines(region).await;
    pass(600).await;
}

/// A published certificate that somebody changes.
async fn spoil_certificates(region: &mainstay_platform::Region) {
    let maps = api(region, "v1", "ConfigMap", "default");
    let spoiled = json!({"data": {"ca.crt": "spoiled"}});
    maps.patch("kube-root-ca.crt", &PatchParams::default(), &Patch::Merge(&spoiled)).await.unwrap();
    pass(1).await;
    let map = maps.get("kube-root-ca.crt").await.unwrap();
    assert_eq!(map.data["data"]["ca.crt"], mainstay_pki::NOBODY);
}

/// A pod and a set that somebody made by hand, which their selectors claim.
async fn adopt(region: &mainstay_platform::Region) {
    let labels = json!({"app": "adopted"});
    let spec = json!({"containers": [{"name": "c", "image": "x"}], "tolerations": [{"operator": "Exists"}]});
    apply(region, json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "orphan", "namespace": "default", "labels": {"app": "adopted", "set": "yes"}},
        "spec": spec,
    }))
    .await;
    apply(region, json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "hand-made", "namespace": "default", "labels": {"app": "adopted", "set": "yes"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "adopted", "set": "yes"}}, "template": {
            "metadata": {"labels": {"app": "adopted", "set": "yes"}}, "spec": spec,
        }},
    }))
    .await;
    pass(20).await;
    apply(
        region,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "adopter", "namespace": "default"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": spec,
            }},
        }),
    )
    .await;
    pass(60).await;
}

/// A controller of the older kind, with an orphan, more pods than are told of one by one, and fewer.
async fn replicate(region: &mainstay_platform::Region) {
    let spec = json!({"containers": [{"name": "c", "image": "x"}], "tolerations": [{"operator": "Exists"}]});
    let labels = json!({"app": "replicated"});
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": "replicated-orphan", "namespace": "default", "labels": labels},
        }),
    )
    .await;
    apply(region, json!({
        "apiVersion": "v1", "kind": "ReplicationController",
        "metadata": {"name": "replicated", "namespace": "default"},
        "spec": {"replicas": 14, "selector": labels, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }))
    .await;
    pass(30).await;
    let controllers = api(region, "v1", "ReplicationController", "default");
    let scaled = Patch::Merge(json!({"spec": {"replicas": 1}}));
    controllers.patch_scale("replicated", &PatchParams::default(), &scaled).await.unwrap();
    pass(30).await;
}

/// An object that names an owner in another namespace.
async fn misplace(region: &mainstay_platform::Region) {
    let owner = api(region, "v1", "ServiceAccount", "kube-system").get("default").await.unwrap();
    let owner = json!({"apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "uid": owner.uid()});
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "misplaced", "namespace": "default", "ownerReferences": [owner]},
        }),
    )
    .await;
    pass(10).await;
}

/// A quota on pods and on what is merely counted.
async fn bound(region: &mainstay_platform::Region) {
    let at = |name: &str| json!({"name": name, "namespace": "default"});
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": at("bound"),
            "spec": {"hard": {"pods": "1k", "count/configmaps": "100"}},
        }),
    )
    .await;
    pass(5).await;
    apply(region, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": at("counted")})).await;
    api(region, "v1", "ConfigMap", "default").delete("counted", &DeleteParams::default()).await.unwrap();
    pass(5).await;
    let quota = api(region, "v1", "ResourceQuota", "default").get("bound").await.unwrap();
    assert_ne!(quota.data["status"]["used"]["pods"], "0");
}

/// A Deployment that is asked to go back as kubectl of old asked it.
async fn roll_back(region: &mainstay_platform::Region) {
    let deployments = api(region, "apps/v1", "Deployment", "default");
    let release = json!({"spec": {"template": {"metadata": {"annotations": {"release": "2"}}}}});
    deployments.patch("adopter", &PatchParams::default(), &Patch::Merge(&release)).await.unwrap();
    pass(30).await;
    let back = json!({"metadata": {"annotations": {"deprecated.deployment.rollback.to": "0"}}});
    deployments.patch("adopter", &PatchParams::default(), &Patch::Merge(&back)).await.unwrap();
    pass(30).await;
    let deployment = deployments.get("adopter").await.unwrap();
    assert!(deployment.data["spec"]["template"]["metadata"]["annotations"].get("release").is_none());
    assert!(!deployment.annotations().contains_key("deprecated.deployment.rollback.to"));
}

/// A set of the wanted name that belongs to nobody and matches no selector.
async fn collide(region: &mainstay_platform::Region) {
    let deployments = api(region, "apps/v1", "Deployment", "default");
    let deployment = deployments.get("adopter").await.unwrap();
    let orphan =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    deployments.delete("adopter", &orphan).await.unwrap();
    pass(10).await;
    let sets = api(region, "apps/v1", "ReplicaSet", "default");
    for set in sets.list(&kube::api::ListParams::default()).await.unwrap().items {
        if set.name_any().starts_with("adopter-") {
            let relabelled = json!({"metadata": {"labels": {"app": "nobody"}}});
            sets.patch(&set.name_any(), &PatchParams::default(), &Patch::Merge(&relabelled)).await.unwrap();
        }
    }
    apply(
        region,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "adopter", "namespace": "default"}, "spec": deployment.data["spec"],
        }),
    )
    .await;
    pass(30).await;
}

/// A Job that adopts, one that is held twice, one whose time is up; CronJobs that wait for their last
/// Job, replace it, and find one that somebody gave them.
async fn run_jobs(region: &mainstay_platform::Region) {
    let job = |labels: serde_json::Value, run: &str| {
        json!({
            "metadata": {"labels": labels, "annotations": {"mainstay.dev/run-for": run}},
            "spec": {
                "restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}],
                "tolerations": [{"operator": "Exists"}],
            },
        })
    };
    let at = |name: &str| json!({"name": name, "namespace": "default"});
    let chore = job(json!({"app": "chore"}), "300s");
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": at("chore"), "spec": chore["spec"]});
    pod["metadata"]["labels"] = json!({"app": "chore"});
    apply(region, pod).await;
    let adopts =
        json!({"manualSelector": true, "selector": {"matchLabels": {"app": "chore"}}, "template": chore});
    let brief = json!({"ttlSecondsAfterFinished": 10, "template": job(json!({}), "1s")});
    let held = json!({"template": job(json!({}), "300s")});
    for (name, spec) in [("adopts", &adopts), ("brief", &brief), ("held", &held)] {
        apply(region, json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": at(name), "spec": spec}))
            .await;
    }
    for (name, policy) in [("waits", "Forbid"), ("hurries", "Replace")] {
        let spec =
            json!({"schedule": "* * * * *", "concurrencyPolicy": policy, "jobTemplate": {"spec": held}});
        apply(
            region,
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": at(name), "spec": spec}),
        )
        .await;
    }
    pass(10).await;
    let jobs = api(region, "batch/v1", "Job", "default");
    for suspend in [true, false, true, false] {
        let change = json!({"spec": {"suspend": suspend}});
        jobs.patch("held", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
        pass(5).await;
    }
    let owner = api(region, "batch/v1", "CronJob", "default").get("waits").await.unwrap();
    let mut stray = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": at("stray"), "spec": held});
    stray["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": "waits", "uid": owner.metadata.uid,
        "controller": true,
    }]);
    apply(region, stray).await;
    pass(200).await;
}

/// The same things again, so that the same Events are told again.
async fn repeat(region: &mainstay_platform::Region) {
    let deployments = api(region, "apps/v1", "Deployment", "default");
    for replicas in [14, 1, 14, 1, 14, 1] {
        let scaled = json!({"spec": {"replicas": replicas}});
        deployments.patch_scale("adopter", &PatchParams::default(), &Patch::Merge(&scaled)).await.unwrap();
        pass(60).await;
    }
    let claims = api(region, "mainstay.dev/v1alpha1", "NodeClaim", "");
    let name = claims.list(&kube::api::ListParams::default()).await.unwrap().items[5].name_any();
    for fault in [json!("killed"), json!(null), json!("killed"), json!(null)] {
        let marked = json!({"metadata": {"annotations": {"mainstay.dev/fault": fault}}});
        claims.patch(&name, &PatchParams::default(), &Patch::Merge(&marked)).await.unwrap();
        pass(60).await;
    }
    pass(400).await;
}

/// Budgets, an announced end that does not come, a node that drives its pods away.
async fn disturb(region: &mainstay_platform::Region) {
    let budget = |name: &str, app: &str| {
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"maxUnavailable": "30%", "selector": {"matchLabels": {"app": app}}},
        })
    };
    apply(region, budget("adopted", "adopted")).await;
    apply(region, budget("empty", "nobody-at-all")).await;
    let adopter = api(region, "apps/v1", "Deployment", "default").get("adopter").await.unwrap();
    let nodes = api(region, "v1", "Node", "");
    let node = nodes.list(&kube::api::ListParams::default()).await.unwrap().items[0].name_any();
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "adopter", "uid": adopter.uid(), "controller": true,
    });
    let pod = |name: &str, owners: serde_json::Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "adopted"}, "ownerReferences": owners},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "x"}]},
        })
    };
    apply(region, pod("owned-by-a-deployment", json!([owner]))).await;
    apply(region, pod("announced", json!([]))).await;
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let announced = json!({"status": {"conditions": [condition]}});
    let pods = api(region, "v1", "Pod", "default");
    pods.patch_status("announced", &PatchParams::default(), &Patch::Strategic(&announced)).await.unwrap();
    pass(150).await;
    let taint = json!({"key": "maintenance", "effect": "NoExecute"});
    for taints in [json!([taint]), json!([])] {
        let tainted = json!({"spec": {"taints": taints}});
        nodes.patch(&node, &PatchParams::default(), &Patch::Merge(&tainted)).await.unwrap();
        pass(30).await;
    }
}

/// One machine dies, one is no longer wanted, and a pod stays bound to a Node that is gone.
async fn lose_machines(region: &mainstay_platform::Region) {
    let claims = api(region, "mainstay.dev/v1alpha1", "NodeClaim", "");
    let list = claims.list(&kube::api::ListParams::default()).await.unwrap();
    let killed = json!({"metadata": {"annotations": {"mainstay.dev/fault": "killed"}}});
    let dying = list.items[0].name_any();
    claims.patch(&dying, &PatchParams::default(), &Patch::Merge(&killed)).await.unwrap();
    pass(30).await;
    claims.delete(&dying, &DeleteParams::default()).await.unwrap();
    let configs = api(region, "eksctl.io/v1alpha5", "ClusterConfig", "");
    let name = configs.list(&kube::api::ListParams::default()).await.unwrap().items[0].name_any();
    let config = configs.get(&name).await.unwrap();
    let mut groups = config.data["nodeGroups"].clone();
    groups[1]["minSize"] = json!(1);
    groups[1]["desiredCapacity"] = json!(2);
    configs
        .patch(&name, &PatchParams::default(), &Patch::Merge(&json!({"nodeGroups": groups})))
        .await
        .unwrap();
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranded", "namespace": "default"},
            "spec": {"nodeName": "no-such-node", "containers": [{"name": "c", "image": "x"}]},
        }),
    )
    .await;
    pass(120).await;
}

/// A Service of a pod whose node nobody knows, and a slice of its that is not its own.
async fn serve(region: &mainstay_platform::Region) {
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "odd", "namespace": "default"},
            "spec": {"selector": {"app": "odd"}, "ports": [{"port": 80}]},
        }),
    )
    .await;
    apply(
        region,
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "odd", "namespace": "default", "labels": {"app": "odd"}},
            "spec": {"nodeName": "nowhere", "containers": [{"name": "c", "image": "x"}]},
        }),
    )
    .await;
    let address =
        json!({"status": {"phase": "Running", "podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}]}});
    let pods = api(region, "v1", "Pod", "default");
    pods.patch_status("odd", &PatchParams::default(), &Patch::Merge(&address)).await.unwrap();
    apply(
        region,
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
            "metadata": {"name": "odd-foreign", "namespace": "default", "labels": {
                "kubernetes.io/service-name": "odd",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            }},
        }),
    )
    .await;
    pass(20).await;
    api(region, "v1", "Service", "default").delete("odd", &DeleteParams::default()).await.unwrap();
}
