//! Pods on the agent's machines.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::support::{Region, region};

async fn with_node(region: &Region) -> String {
    region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 1 }])).await;
    region.start();
    region.sleep(2).await;
    region.nodes().await[0].metadata.name.clone().unwrap()
}

fn pod(name: &str, node: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "nodeName": node, "containers": [{ "name": "web", "image": "nginx:1.27" }] },
    }))
    .unwrap()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

#[test]
fn a_bound_pod_runs_and_is_ready_with_an_address_of_its_own() {
    region(|region| async move {
        let node = with_node(&region).await;
        for name in ["a", "b"] {
            region.pods().create(&PostParams::default(), &pod(name, &node)).await.unwrap();
        }
        region.sleep(5).await;
        let (a, b) = (region.pods().get("a").await.unwrap(), region.pods().get("b").await.unwrap());
        assert_eq!((phase(&a), phase(&b)), ("Running", "Running"));
        let (a, b) = (a.status.unwrap(), b.status.unwrap());
        assert_ne!(a.pod_ip, b.pod_ip);
        let order: Vec<_> = a.conditions.iter().flatten().map(|condition| &*condition.type_).collect();
        let expected = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];
        assert_eq!(order[..4], expected);
        assert_eq!(a.qos_class.as_deref(), Some("BestEffort"));
        let events: Vec<Event> = region.all().await;
        let told: Vec<_> = events
            .iter()
            .filter(|event| event.involved_object.name.as_deref() == Some("a"))
            .filter_map(|event| event.reason.as_deref())
            .collect();
        assert_eq!(told, ["Pulling", "Pulled", "Created", "Started"]);
        region.assert_well();
    });
}

#[test]
fn a_deleted_pod_stops_within_its_grace_and_goes() {
    region(|region| async move {
        let node = with_node(&region).await;
        let mut slow = pod("slow", &node);
        slow.metadata.annotations = Some([("mainstay.dev/stop-after".to_owned(), "10s".to_owned())].into());
        region.pods().create(&PostParams::default(), &slow).await.unwrap();
        region.sleep(5).await;
        region.pods().delete("slow", &DeleteParams::default()).await.unwrap();
        region.sleep(9).await;
        let stopping = region.pods().get("slow").await.unwrap();
        assert_eq!((phase(&stopping), stopping.metadata.deletion_timestamp.is_some()), ("Running", true));
        region.sleep(2).await;
        assert!(region.pods().get_opt("slow").await.unwrap().is_none());
        region.assert_well();
    });
}

#[test]
fn pods_of_a_dead_machine_stay_as_they_were() {
    region(|region| async move {
        let node = with_node(&region).await;
        region.pods().create(&PostParams::default(), &pod("a", &node)).await.unwrap();
        region.sleep(5).await;
        region.fault("prod-g-0", &json!("killed")).await;
        region.sleep(1).await;
        let before = region.pods().get("a").await.unwrap();
        region.pods().delete("a", &DeleteParams::default()).await.unwrap();
        region.sleep(3600).await;
        let after = region.pods().get("a").await.unwrap();
        assert_eq!(phase(&after), "Running");
        assert_eq!(after.status, before.status);
    });
}

#[test]
fn a_restarted_agent_leaves_running_pods_alone() {
    region(|region| async move {
        let node = with_node(&region).await;
        region.pods().create(&PostParams::default(), &pod("a", &node)).await.unwrap();
        region.sleep(5).await;
        let before = region.pods().get("a").await.unwrap();
        region.tree.kill();
        let region =
            Region { tree: mainstay_base::task::Tree::new(mainstay_base::task::Shutdown::new()), ..region };
        region.start();
        region.sleep(60).await;
        let after = region.pods().get("a").await.unwrap();
        assert_eq!(after.status, before.status);
        assert_eq!(after.metadata.resource_version, before.metadata.resource_version);
        region.pods().create(&PostParams::default(), &pod("b", &node)).await.unwrap();
        region.sleep(5).await;
        let b = region.pods().get("b").await.unwrap();
        assert_ne!(b.status.unwrap().pod_ip, before.status.unwrap().pod_ip);
    });
}

#[test]
fn every_rule_of_both_tables_is_used() {
    region(|region| async move {
        let node = with_node(&region).await;
        let again = pod("again", &node);
        region.pods().create(&PostParams::default(), &again).await.unwrap();
        region.sleep(15).await;
        region.pods().delete("again", &DeleteParams::default()).await.unwrap();
        // An event of the same words is counted on the first: a machine that comes back tells again.
        for fault in [json!("killed"), json!(null)] {
            region.fault("prod-g-0", &fault).await;
            region.sleep(15).await;
        }
        let resize =
            |size: u32| json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": size }]);
        for size in [2, 1, 2, 1] {
            region.configure(resize(size)).await;
            region.sleep(2).await;
        }
        region.assert_well();
        let calls = region.api.calls();
        for (user, rules) in [
            (mainstay_agent::USER, mainstay_agent::RULES),
            (mainstay_capacity::USER, mainstay_capacity::RULES),
        ] {
            for rule in rules {
                for (verb, resource) in
                    rule.verbs.iter().flat_map(|verb| rule.resources.iter().map(move |one| (verb, one)))
                {
                    let is_used = calls.iter().any(|call| {
                        call.user == user
                            && call.verb == *verb
                            && call.resource == *resource
                            && rule.groups.contains(&&*call.group)
                    });
                    assert!(is_used, "{user} never used {verb} {resource}");
                }
            }
        }
    });
}
