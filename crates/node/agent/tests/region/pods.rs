//! Pods on the agent's machines.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use mainstay_base::task::{Shutdown, Tree};
use mainstay_kinds::PodBehaviour;
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
        let region = Region { tree: Tree::new(Shutdown::new()), ..region };
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

/// A pod of an application that serves at port 8080.
fn described(name: &str, node: &str, annotations: &serde_json::Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": name, "labels": { "app": name }, "annotations": annotations },
        "spec": { "nodeName": node, "containers": [
            { "name": "web", "image": "nginx:1.27", "ports": [{ "containerPort": 8080 }] },
        ]},
    }))
    .unwrap()
}

/// What was told of a pod, in order, with how often.
async fn told(region: &Region, name: &str) -> Vec<(String, i32)> {
    let events: Vec<Event> = region.all().await;
    let mut of_it: Vec<_> =
        events.into_iter().filter(|event| event.involved_object.name.as_deref() == Some(name)).collect();
    of_it.sort_by_key(|event| event.metadata.name.clone());
    let said = |event: Event| {
        let reason = event.reason.unwrap_or_default();
        (format!("{reason}: {}", event.message.unwrap_or_default()), event.count.unwrap_or_default())
    };
    of_it.into_iter().map(said).collect()
}

#[test]
fn a_crash_loop_looks_like_upstreams_and_survives_another_agent() {
    region(|region| async move {
        let node = with_node(&region).await;
        let annotations = json!({ "mainstay.dev/run-for": "4s", "mainstay.dev/exit-code": "2" });
        let created = described("loop", &node, &annotations);
        let uid = region.pods().create(&PostParams::default(), &created).await.unwrap().metadata.uid.unwrap();
        region.sleep(30).await;
        let status = region.pods().get("loop").await.unwrap().status.unwrap();
        let container = &status.container_statuses.as_ref().unwrap()[0];
        let waiting = container.state.clone().unwrap().waiting.unwrap();
        assert_eq!(waiting.reason.as_deref(), Some("CrashLoopBackOff"));
        let expected = format!("back-off 20s restarting failed container=web pod=loop_default({uid})");
        assert_eq!(waiting.message, Some(expected));
        let ended = container.last_state.clone().unwrap().terminated.unwrap();
        assert_eq!(
            (container.restart_count, ended.exit_code, ended.reason.as_deref()),
            (2, 2, Some("Error"))
        );
        let told = told(&region, "loop").await;
        let reasons: Vec<_> = told.iter().map(|(event, _)| event.split(':').next().unwrap()).collect();
        assert_eq!(reasons, ["Pulling", "Pulled", "Created", "Started", "Pulled", "BackOff"], "{told:?}");
        let restarts = told.iter().find(|(event, _)| event == "Started: Started container web").unwrap().1;
        assert_eq!(restarts, 3);
        region.tree.kill();
        let region = Region { tree: Tree::new(Shutdown::new()), ..region };
        region.start();
        region.sleep(60).await;
        let after = region.pods().get("loop").await.unwrap().status.unwrap();
        assert!(after.container_statuses.unwrap()[0].restart_count > 2);
        region.assert_well();
    });
}

#[test]
fn a_pod_behaviour_describes_pods_that_run_already() {
    region(|region| async move {
        let node = with_node(&region).await;
        let pods = region.pods();
        for name in ["a", "b"] {
            pods.create(&PostParams::default(), &described(name, &node, &json!({}))).await.unwrap();
        }
        region.sleep(10).await;
        let ready = async |name: &str| {
            let status = pods.get(name).await.unwrap().status.unwrap();
            let ready = status.conditions.unwrap().into_iter().find(|one| one.type_ == "Ready").unwrap();
            ready.status
        };
        assert_eq!((ready("a").await, ready("b").await), ("True".to_owned(), "True".to_owned()));
        let behaviours = Api::<PodBehaviour>::namespaced(region.client.clone(), "default");
        let document: PodBehaviour = serde_json::from_value(json!({
            "apiVersion": "mainstay.dev/v1alpha1", "kind": "PodBehaviour", "metadata": { "name": "sick" },
            "spec": { "selector": { "matchLabels": { "app": "a" } }, "behaviour": { "unready": "always", "runFor": "soon" } },
        }))
        .unwrap();
        behaviours.create(&PostParams::default(), &document).await.unwrap();
        region.sleep(10).await;
        assert_eq!((ready("a").await, ready("b").await), ("False".to_owned(), "True".to_owned()));
        let told = told(&region, "a").await;
        let invalid =
            "InvalidBehaviour: PodBehaviour \"sick\", setting \"run-for\": invalid duration \"soon\"";
        assert!(told.iter().any(|(event, count)| event.starts_with(invalid) && *count == 1), "{told:?}");
        behaviours.delete("sick", &DeleteParams::default()).await.unwrap();
        region.sleep(10).await;
        assert_eq!(ready("a").await, "True");
        region.assert_well();
    });
}

#[test]
fn a_pod_that_starts_and_is_ready_costs_two_patches() {
    region(|region| async move {
        let node = with_node(&region).await;
        let patches = || {
            let calls = region.api.calls().into_iter();
            let is_patch = |resource: &str, verb: &str| resource == "pods/status" && verb == "patch";
            calls.filter(|call| is_patch(&call.resource, &call.verb)).map(|call| call.allowed).sum::<u64>()
        };
        let before = patches();
        for index in 0..10 {
            let name = format!("p{index}");
            region.pods().create(&PostParams::default(), &described(&name, &node, &json!({}))).await.unwrap();
        }
        region.sleep(3600).await;
        assert_eq!(patches() - before, 20);
    });
}

#[test]
fn crash_loops_and_failing_probes_go_the_same_way_twice() {
    let live = || {
        region(|region| async move {
            let node = with_node(&region).await;
            let sick = json!({ "mainstay.dev/run-for": "20s", "mainstay.dev/failure-ratio": "0.5" });
            for name in ["a", "b", "c"] {
                let mut pod = described(name, &node, &sick);
                let spec =
                    json!({ "failureThreshold": 1, "periodSeconds": 7, "tcpSocket": { "port": 8080 } });
                pod.spec.as_mut().unwrap().containers[0].readiness_probe =
                    serde_json::from_value(spec).unwrap();
                let unready = ("mainstay.dev/unready".to_owned(), "3s-16s".to_owned());
                pod.metadata.annotations.as_mut().unwrap().extend([unready]);
                region.pods().create(&PostParams::default(), &pod).await.unwrap();
            }
            region.sleep(600).await;
            let (pods, events): (Vec<Pod>, Vec<Event>) = (region.all().await, region.all().await);
            assert!(events.iter().any(|event| event.reason.as_deref() == Some("Unhealthy")));
            (serde_json::to_string(&pods).unwrap(), serde_json::to_string(&events).unwrap())
        })
    };
    // The revisions in them say in which order everything was written.
    assert_eq!(live(), live());
}
