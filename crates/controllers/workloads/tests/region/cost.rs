//! What a rollout and a day of rest cost.

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::{Region, region, web};

/// Deployments of the rollout that is counted, and their pods.
const DEPLOYMENTS: u64 = 10;
const PODS: u64 = 10;

/// Creates the Deployments `web-0` and so on, and waits for them.
async fn deploy_many(region: &Region) {
    for index in 0..DEPLOYMENTS {
        let mut deployment = web(i32::try_from(PODS).unwrap());
        let labels = Some([("app".to_owned(), format!("web-{index}"))].into());
        deployment.metadata.name = Some(format!("web-{index}"));
        let spec = deployment.spec.as_mut().unwrap();
        spec.selector.match_labels.clone_from(&labels);
        spec.template.metadata.as_mut().unwrap().labels = labels;
        region.deployments().create(&PostParams::default(), &deployment).await.unwrap();
    }
    region.sleep(60).await;
}

/// What the controllers of Deployments and ReplicaSets write to make 100 pods, and to replace them.
#[test]
fn a_rollout_costs_few_writes_for_each_pod() {
    let (created, both) = region(1, |region| async move {
        deploy_many(&region).await;
        let created = region.writes();
        for index in 0..DEPLOYMENTS {
            let container = json!({"name": "web", "image": "nginx:2"});
            let image =
                Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [container]}}}}));
            let name = format!("web-{index}");
            region.deployments().patch(&name, &PatchParams::default(), &image).await.unwrap();
        }
        region.sleep(120).await;
        region.assert_well();
        (created, region.writes())
    });
    let count = |writes: &BTreeMap<String, u64>, call: &str| {
        let user = "system:serviceaccount:kube-system:";
        writes.get(&format!("{user}{call}")).copied().unwrap_or_default()
    };
    let pods = DEPLOYMENTS * PODS;
    // at most, to create and to replace
    for (call, to_create, to_replace) in [
        ("replicaset-controller create /pods", pods, pods),
        ("replicaset-controller delete /pods", 0, pods),
        ("replicaset-controller create /events", pods, 2 * pods),
        ("replicaset-controller patch apps/replicasets/status", pods * 6 / 10, pods * 16 / 10),
        ("deployment-controller create apps/replicasets", DEPLOYMENTS, DEPLOYMENTS),
        ("deployment-controller patch apps/replicasets", 0, pods * 12 / 10),
        ("deployment-controller patch apps/deployments/status", pods * 7 / 10, pods * 8 / 10),
        ("deployment-controller create /events", DEPLOYMENTS, pods * 12 / 10),
    ] {
        let before = count(&created, call);
        assert!(before <= to_create, "{before} times {call} to create {pods} pods");
        let after = count(&both, call) - before;
        assert!(after <= to_replace, "{after} times {call} to replace {pods} pods");
    }
}

/// Run with `--ignored --nocapture`, in release; prints its measure.
#[test]
#[ignore = "a measurement, meaningful in release only"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures real time and prints it")]
fn a_day_of_rest_of_three_deployments() {
    let started = std::time::Instant::now();
    let (revisions, writes) = region(1, |region| async move {
        region.deploy(30).await;
        region.sleep(24 * 3600).await;
        region.assert_well();
        (region.api.store().revision(), region.writes())
    });
    println!("{revisions} revisions in {:.2} s", started.elapsed().as_secs_f64());
    for (call, count) in writes {
        println!("{count:8} {call}");
    }
}
