//! From bound to ready.

use super::*;

#[test]
fn a_pod_is_reported_before_its_start_and_after_it() {
    let mut life = Life::new(&json!({}), &web());
    life.until(60);
    assert_eq!(life.statuses(), ["Pending web=ContainerCreating", "Running web=Running+"]);
    assert_eq!(life.reasons(), ["Pulling", "Pulled", "Created", "Started"]);
    let events: Vec<_> = life.events.iter().map(|(_, event)| &**event).collect();
    assert_eq!(events[0], "Pulling: Pulling image \"nginx:1.27\"");
    assert!(events[1].starts_with("Pulled: Successfully pulled image \"nginx:1.27\" in "), "{}", events[1]);
    assert_eq!(events[2..], ["Created: Created container: web", "Started: Started container web"]);
    let status = life.status();
    assert_eq!((&status["podIP"], &status["hostIP"]), (&json!("10.20.4.2"), &json!("10.0.1.4")));
    assert_eq!(
        (&status["startTime"], &status["qosClass"]),
        (&json!("1970-01-01T00:00:00Z"), &json!("BestEffort"))
    );
    let types: Vec<_> = status["conditions"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(
        types,
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    );
    let container = &status["containerStatuses"][0];
    assert_eq!(
        (&container["image"], &container["started"]),
        (&json!("docker.io/library/nginx:1.27"), &json!(true))
    );
    assert_eq!(life.wake, None, "a healthy pod costs nothing");
}

#[test]
fn a_pod_that_comes_up_says_what_it_waits_for() {
    let mut life = Life::new(&json!({}), &web());
    life.look();
    let expected = json!({
        "type": "Ready", "status": "False", "reason": "ContainersNotReady",
        "message": "containers with unready status: [web]", "lastTransitionTime": "1970-01-01T00:00:00Z",
    });
    assert_eq!(life.condition("Ready"), &expected);
    assert_eq!(life.status()["podIP"], Value::Null);
    life.until(60);
    let ready = life.condition("Ready");
    assert_eq!(
        (&ready["status"], &ready["reason"], &ready["message"]),
        (&json!("True"), &Value::Null, &Value::Null)
    );
}

#[test]
fn containers_start_one_after_the_other() {
    let mut spec = web();
    spec["containers"].as_array_mut().unwrap().push(json!({ "name": "log", "image": "nginx:1.27" }));
    let mut life = Life::new(&json!({ "mainstay.dev/web.pull-time": "20s" }), &spec);
    life.until(60);
    assert_eq!(life.reasons(), ["Pulling", "Pulled", "Created", "Started", "Pulled", "Created", "Started"]);
    let started =
        life.events.iter().position(|(_, event)| event == "Started: Started container web").unwrap();
    assert!(life.events[started + 1].1.ends_with("already present on machine"));
    assert_eq!(
        life.statuses(),
        ["Pending web=ContainerCreating log=ContainerCreating", "Running web=Running+ log=Running+"]
    );
}

#[test]
fn looking_again_writes_nothing_and_neither_does_another_agent() {
    let mut life = Life::new(&json!({}), &with(web(), "web.readinessProbe", json!({ "periodSeconds": 5 })));
    life.until(60);
    let written = life.statuses.len();
    life.until(3600);
    assert_eq!(life.statuses.len(), written);
    life.run = resume(&bound(&life.object), host(), random(), life.now).unwrap();
    life.until(7200);
    assert_eq!((life.statuses.len(), life.run.address()), (written, Some(Ipv4Addr::new(10, 20, 4, 2))));
    let pending = Life::new(&json!({}), &web());
    assert!(resume(&bound(&pending.object), host(), random(), START).is_none(), "it starts over");
}

#[test]
fn probes_hold_readiness_back_and_are_told_of_when_they_fail() {
    let probe = json!({ "periodSeconds": 5, "failureThreshold": 2, "tcpSocket": { "port": 80 } });
    let spec = with(web(), "web.readinessProbe", probe);
    let mut life =
        Life::new(&json!({ "mainstay.dev/ready-after": "8s", "mainstay.dev/unready": "30s-40s" }), &spec);
    life.until(60);
    assert_eq!(
        life.statuses(),
        [
            "Pending web=ContainerCreating",
            "Running web=Running",
            "Running web=Running+",
            "Running web=Running",
            "Running web=Running+",
        ]
    );
    let refused = "Unhealthy: Readiness probe failed: dial tcp 10.20.4.2:80: connect: connection refused";
    assert_eq!(life.events(), [refused; 4]);
    let changed: Vec<_> = life.statuses[2..].iter().map(|(second, _)| second - life.statuses[1].0).collect();
    assert_eq!(changed, [10, 35, 40]);
}

#[test]
fn a_startup_probe_holds_everything_else_back() {
    let spec = with(web(), "web.startupProbe", json!({ "periodSeconds": 10, "failureThreshold": 30 }));
    let spec = with(spec, "web.livenessProbe", json!({ "periodSeconds": 1, "failureThreshold": 1 }));
    let mut life = Life::new(&json!({ "mainstay.dev/startup-after": "25s" }), &spec);
    life.until(120);
    assert_eq!(
        life.statuses(),
        ["Pending web=ContainerCreating", "Running web=Running", "Running web=Running+"]
    );
    assert_eq!(life.events(), ["Unhealthy: Startup probe failed: "; 3]);
    assert_eq!(life.statuses[2].0 - life.statuses[1].0, 30);
}

#[test]
fn readiness_needs_no_probe_where_the_behaviour_speaks_of_it() {
    let mut life = Life::new(&json!({ "mainstay.dev/ready-after": "20s" }), &web());
    life.until(60);
    assert_eq!(life.statuses()[1..], ["Running web=Running", "Running web=Running+"]);
    assert_eq!(life.events(), Vec::<&str>::new());
    life.annotate("unready", "always").until(120);
    assert_eq!(life.statuses()[3..], ["Running web=Running"]);
    life.annotate("unready", "0s-1s").until(180);
    assert_eq!(life.statuses()[4..], ["Running web=Running+"]);
}

#[test]
fn a_readiness_gate_keeps_a_pod_unready_until_its_condition_holds() {
    let gated = with(web(), "readinessGates", json!([{ "conditionType": "lb/attached" }]));
    let mut life = Life::new(&json!({}), &gated);
    life.until(60);
    assert_eq!(life.condition("Ready")["reason"], "ReadinessGatesNotReady");
    let conditions = life.object["status"]["conditions"].as_array_mut().unwrap();
    conditions.push(json!({ "type": "lb/attached", "status": "True" }));
    life.until(61);
    assert_eq!(life.condition("Ready")["status"], "True");
}

#[test]
fn what_is_described_wrongly_is_told_once_and_ignored() {
    let mut life = Life::new(&json!({ "mainstay.dev/run-for": "soon" }), &web());
    life.until(60);
    assert_eq!(
        life.events(),
        ["InvalidBehaviour: annotation \"mainstay.dev/run-for\": invalid duration \"soon\": write it like \
          90s, 10m or 1h30m; the setting is ignored"]
    );
    assert_eq!(life.statuses().last(), Some(&"Running web=Running+"));
}
