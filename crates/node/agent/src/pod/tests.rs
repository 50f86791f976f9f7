//! A pod's way from bound to gone, as the API sees it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_base::{Random, Seed};
use serde_json::{Value, json};

use super::{Host, Run, resume, told};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn host() -> Host<'static> {
    Host { node: "ip-10-0-1-4.ec2.internal", address: Ipv4Addr::new(10, 0, 1, 4) }
}

fn pod(spec: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": "web-1", "namespace": "shop", "uid": "u1" },
        "spec": spec,
        "status": { "phase": "Pending", "qosClass": "BestEffort",
                    "conditions": [{ "type": "PodScheduled", "status": "True" }] },
    }))
    .unwrap()
}

fn web(restart_policy: &str) -> Value {
    json!({
        "restartPolicy": restart_policy,
        "containers": [{ "name": "web", "image": "nginx:1.27",
            "resources": { "requests": { "cpu": "100m" } },
            "readinessProbe": { "initialDelaySeconds": 5, "periodSeconds": 5 } }],
    })
}

fn start(pod: &Pod) -> Run {
    let random = Random::named(Seed(7), "pod");
    let address = Some(Ipv4Addr::new(10, 20, 4, 2));
    Run::start(pod, host(), address, &BTreeSet::new(), random, START)
}

/// Runs the pod until nothing comes by itself; returns each written status and told Event.
fn run(run: &mut Run, pod: &mut Pod, from: Timestamp) -> (Vec<PodStatus>, Vec<String>, Timestamp, bool) {
    let (mut now, mut statuses, mut events) = (from, Vec::new(), Vec::new());
    loop {
        let step = run.advance(pod, now);
        for told in step.happened.iter().filter_map(|happening| told(pod, happening)) {
            events.push(format!("{}: {}", told.reason, told.message));
        }
        if let Some(status) = step.status {
            run.wrote(status.clone());
            pod.status = Some(status.clone());
            statuses.push(status);
        }
        match step.wake {
            Some(wake) => now = wake,
            None => return (statuses, events, now, step.finish),
        }
    }
}

fn conditions(status: &PodStatus) -> Vec<(&str, &str, &str)> {
    let conditions = status.conditions.iter().flatten();
    conditions
        .map(|condition| {
            (&*condition.type_, &*condition.status, condition.reason.as_deref().unwrap_or_default())
        })
        .collect()
}

#[test]
fn a_pod_is_reported_step_by_step_until_it_is_ready() {
    let mut pod = pod(&web("Always"));
    let (statuses, events, now, finish) = run(&mut start(&pod), &mut pod, START);
    assert!(!finish && now > START + Duration::from_secs(5));
    let phases: Vec<_> = statuses.iter().filter_map(|status| status.phase.as_deref()).collect();
    assert_eq!(phases, ["Pending", "Pending", "Running", "Running"]);
    let first = &statuses[0];
    assert_eq!((first.pod_ip.as_deref(), first.host_ip.as_deref()), (None, Some("10.0.1.4")));
    assert_eq!(first.start_time, Some(Time(START)));
    let waiting = first.container_statuses.as_ref().unwrap()[0].state.clone().unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("ContainerCreating"));
    assert_eq!(
        conditions(first),
        [
            ("PodReadyToStartContainers", "False", ""),
            ("Initialized", "True", ""),
            ("Ready", "False", "ContainersNotReady"),
            ("ContainersReady", "False", "ContainersNotReady"),
        ]
    );
    let unready = first.conditions.as_ref().unwrap()[2].message.as_deref();
    assert_eq!(unready, Some("containers with unready status: [web]"));
    assert_eq!(conditions(&statuses[2])[2].1, "False", "the probe has not run");
    let last = &statuses[3];
    assert_eq!(last.pod_ip.as_deref(), Some("10.20.4.2"));
    assert!(conditions(last).iter().all(|condition| condition.1 == "True"), "{:?}", conditions(last));
    let container = &last.container_statuses.as_ref().unwrap()[0];
    assert!(container.ready && container.started == Some(true));
    assert_eq!(container.image, "docker.io/library/nginx:1.27");
    assert!(container.container_id.as_deref().is_some_and(|id| id.starts_with("simulated://")));
    assert_eq!(last.qos_class, None, "the API server's");
    let reasons: Vec<_> = events.iter().filter_map(|event| event.split(':').next()).collect();
    assert_eq!(reasons, ["Pulling", "Pulled", "Created", "Started"]);
    assert_eq!(events[0], "Pulling: Pulling image \"nginx:1.27\"");
    assert!(events[1].starts_with("Pulled: Successfully pulled image \"nginx:1.27\" in "));
    assert_eq!(events[2..], ["Created: Created container: web", "Started: Started container web"]);
}

#[test]
fn looking_again_writes_nothing() {
    let mut pod = pod(&web("Always"));
    let mut taken_on = start(&pod);
    let (_, _, now, _) = run(&mut taken_on, &mut pod, START);
    let step = taken_on.advance(&pod, now + Duration::from_hours(1));
    assert_eq!((step.status, step.wake, step.finish), (None, None, false));
    // Nor does it where the written status has come back without fractions of seconds.
    pod.status = serde_json::from_value(serde_json::to_value(&pod.status).unwrap()).unwrap();
    taken_on.written = None;
    assert_eq!(taken_on.advance(&pod, now + Duration::from_hours(1)).status, None);
}

#[test]
fn a_deleted_pod_stops_reports_its_end_and_goes() {
    let mut pod = pod(&web("Always"));
    let mut taken_on = start(&pod);
    let (_, _, now, _) = run(&mut taken_on, &mut pod, START);
    let deleted = now + Duration::from_mins(1);
    pod.metadata.deletion_timestamp = Some(Time(deleted + Duration::from_secs(30)));
    pod.metadata.deletion_grace_period_seconds = Some(30);
    let (statuses, events, end, finish) = run(&mut taken_on, &mut pod, deleted);
    assert!(finish && end > deleted && end < deleted + Duration::from_secs(1));
    assert_eq!(events, ["Killing: Stopping container web"]);
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0].phase.as_deref(), Some("Succeeded"));
    assert_eq!(
        conditions(&statuses[0]),
        [
            ("PodReadyToStartContainers", "False", ""),
            ("Initialized", "True", "PodCompleted"),
            ("Ready", "False", "PodCompleted"),
            ("ContainersReady", "False", "PodCompleted"),
        ]
    );
}

#[test]
fn a_pod_deleted_before_anything_ran_goes_without_a_word() {
    let mut pod = pod(&web("Always"));
    let mut taken_on = start(&pod);
    taken_on.advance(&pod, START);
    pod.metadata.deletion_timestamp = Some(Time(START));
    let step = taken_on.advance(&pod, START);
    assert!(step.finish);
    assert_eq!((step.status, step.wake), (None, None));
}

#[test]
fn pods_that_end_by_themselves_succeed_or_fail() {
    for (policy, code, phase) in
        [("Never", "0", "Succeeded"), ("Never", "2", "Failed"), ("OnFailure", "0", "Succeeded")]
    {
        let mut pod = pod(&web(policy));
        let annotations = [("mainstay.dev/run-for", "20s"), ("mainstay.dev/exit-code", code)];
        let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned()));
        pod.metadata.annotations = Some(annotations.into());
        let (statuses, _, _, finish) = run(&mut start(&pod), &mut pod, START);
        assert_eq!(statuses.last().unwrap().phase.as_deref(), Some(phase));
        assert!(!finish, "its object stays");
    }
}

#[test]
fn init_containers_hold_the_pod_back() {
    let mut spec = web("Always");
    spec["initContainers"] = json!([{ "name": "migrate", "image": "app:1" }]);
    let mut pod = pod(&spec);
    let (statuses, _, _, _) = run(&mut start(&pod), &mut pod, START);
    let initialized = |status: &PodStatus| {
        let condition = &status.conditions.as_ref().unwrap()[1];
        (condition.status.clone(), condition.message.clone().unwrap_or_default())
    };
    let message = "containers with incomplete status: [migrate]".to_owned();
    assert_eq!(initialized(&statuses[0]), ("False".to_owned(), message));
    let waiting = statuses[0].container_statuses.as_ref().unwrap()[0].state.clone().unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("PodInitializing"));
    let last = statuses.last().unwrap();
    assert_eq!(initialized(last).0, "True");
    let ended = last.init_container_statuses.as_ref().unwrap()[0].state.clone().unwrap().terminated.unwrap();
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (0, Some("Completed")));
}

#[test]
fn a_readiness_gate_keeps_a_pod_unready_until_its_condition_holds() {
    let mut spec = web("Always");
    spec["readinessGates"] = json!([{ "conditionType": "lb/attached" }]);
    let mut pod = pod(&spec);
    let (statuses, _, _, _) = run(&mut start(&pod), &mut pod, START);
    let last = conditions(statuses.last().unwrap()).clone();
    assert_eq!((last[2], last[3].1), (("Ready", "False", "ReadinessGatesNotReady"), "True"));
}

#[test]
fn a_pod_of_the_machines_network_has_the_machines_address() {
    let mut pod = pod(&web("Always"));
    let random = Random::named(Seed(7), "pod");
    let mut taken_on = Run::start(&pod, host(), None, &BTreeSet::new(), random, START);
    let (statuses, _, _, _) = run(&mut taken_on, &mut pod, START);
    assert_eq!(statuses[0].pod_ip.as_deref(), Some("10.0.1.4"));
}

#[test]
fn a_pod_an_earlier_agent_ran_is_taken_on_as_it_is() {
    let mut pod = pod(&web("Always"));
    let (_, _, now, _) = run(&mut start(&pod), &mut pod, START);
    pod.status = serde_json::from_value(serde_json::to_value(&pod.status).unwrap()).unwrap();
    let mut resumed = resume(&pod, host(), Random::named(Seed(8), "pod")).unwrap();
    let (statuses, events, _, _) = run(&mut resumed, &mut pod, now + Duration::from_hours(1));
    assert_eq!((statuses, events), (vec![], Vec::<String>::new()));
    assert_eq!(resumed.address(), Some(Ipv4Addr::new(10, 20, 4, 2)));
    // One that was still starting starts over.
    let pending: Pod = self::pod(&web("Always"));
    assert!(resume(&pending, host(), Random::named(Seed(8), "pod")).is_none());
}
