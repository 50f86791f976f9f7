//! Containers that end though they should not.

use super::*;

#[test]
fn a_crash_loop_waits_longer_each_time() {
    let mut life = Life::new(&json!({ "mainstay.dev/run-for": "3s", "mainstay.dev/exit-code": "1" }), &web());
    life.until(80);
    assert_eq!(
        life.statuses(),
        [
            "Pending web=ContainerCreating",
            "Running web=Running+",
            "Running web=Error(1)",
            "Running web=Running*1+",
            "Running web=Error(1)*1",
            "Running web=CrashLoopBackOff*1",
            "Running web=Running*2+",
            "Running web=Error(1)*2",
            "Running web=CrashLoopBackOff*2",
            "Running web=Running*3+",
            "Running web=Error(1)*3",
            "Running web=CrashLoopBackOff*3",
        ]
    );
    let running: Vec<_> = life
        .statuses
        .iter()
        .filter(|(_, line)| line.contains("=Running"))
        .map(|(second, _)| *second)
        .collect();
    let apart: Vec<_> = running.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // It runs for 3 s, and its start takes a part of a second.
    let expected = [3, 3 + 10, 3 + 20];
    assert!(
        apart.iter().zip(expected).all(|(apart, least)| (least..=least + 1).contains(apart)),
        "{apart:?}"
    );
    let told = "BackOff: Back-off restarting failed container web in pod web-1_shop(u1)";
    assert!(
        life.events().len() >= 5 && life.events().iter().all(|event| *event == told),
        "{:?}",
        life.events()
    );
    let container = &life.status()["containerStatuses"][0];
    assert_eq!(
        container["state"]["waiting"]["message"],
        "back-off 40s restarting failed container=web pod=web-1_shop(u1)"
    );
    assert_eq!(container["lastState"]["terminated"]["exitCode"], 1);
    assert_eq!(life.condition("Ready")["message"], "containers with unready status: [web]");
}

#[test]
fn a_container_that_fails_a_few_times_serves_after_that() {
    let annotations = json!({ "mainstay.dev/oom-after": "5s", "mainstay.dev/failures": "2" });
    let mut life = Life::new(&annotations, &web());
    life.until(200);
    assert_eq!(life.statuses()[2], "Running web=OOMKilled(137)");
    assert_eq!(life.statuses().last(), Some(&"Running web=Running*2+"));
    let last = &life.status()["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((&last["reason"], &last["exitCode"]), (&json!("OOMKilled"), &json!(137)));
    let container = &life.status()["containerStatuses"][0];
    assert_ne!(container["containerID"], last["containerID"]);
    assert_eq!(life.wake, None);
}

#[test]
fn the_delay_starts_over_after_ten_minutes_of_peace() {
    let mut life = Life::new(&json!({ "mainstay.dev/run-for": "11m" }), &web());
    life.until(3600);
    assert!(life.events().is_empty() && life.statuses().contains(&"Running web=Running*4+"));
}

#[test]
fn a_failed_liveness_probe_restarts_the_container() {
    let probe = json!({ "periodSeconds": 5, "failureThreshold": 2, "httpGet": { "path": "/", "port": 80 } });
    let spec = with(web(), "web.livenessProbe", probe);
    let annotations = json!({ "mainstay.dev/unhealthy": "20s-", "mainstay.dev/stop-after": "4s" });
    let mut life = Life::new(&annotations, &spec);
    life.until(35);
    let failed = "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503";
    assert_eq!(
        life.events(),
        [failed, failed, "Killing: Container web failed liveness probe, will be restarted"]
    );
    assert_eq!(life.statuses()[2..], ["Running web=Completed(0)", "Running web=Running*1+"]);
    life.until(80);
    assert!(life.statuses().contains(&"Running web=CrashLoopBackOff*1"), "{:?}", life.statuses());
}

#[test]
fn a_probes_own_grace_ends_a_container_that_does_not_stop() {
    let probe = json!({ "failureThreshold": 1, "terminationGracePeriodSeconds": 5 });
    let spec = with(with(web(), "web.startupProbe", probe), "restartPolicy", json!("Never"));
    let annotations = json!({ "mainstay.dev/startup-after": "never", "mainstay.dev/stop-after": "never" });
    let mut life = Life::new(&annotations, &spec);
    life.until(60);
    assert_eq!(
        life.events(),
        ["Unhealthy: Startup probe failed: ", "Killing: Container web failed startup probe"]
    );
    assert_eq!(life.statuses()[2..], ["Failed web=Error(137)"]);
    assert_eq!(life.statuses[2].0 - life.statuses[1].0, 5);
}

#[test]
fn an_image_that_cannot_be_pulled_is_tried_again() {
    let annotations =
        json!({ "mainstay.dev/pull-error": "no route to the registry", "mainstay.dev/pull-failures": "2" });
    let mut life = Life::new(&annotations, &web());
    life.until(40);
    assert_eq!(
        life.statuses(),
        [
            "Pending web=ContainerCreating",
            "Pending web=ErrImagePull",
            "Pending web=ImagePullBackOff",
            "Pending web=ErrImagePull",
            "Pending web=ImagePullBackOff",
            "Running web=Running+",
        ]
    );
    let events: Vec<_> = life.events.iter().map(|(_, event)| &**event).collect();
    assert_eq!(
        events[..6],
        [
            "Pulling: Pulling image \"nginx:1.27\"",
            "Failed: Failed to pull image \"nginx:1.27\": no route to the registry",
            "Failed: Error: ErrImagePull",
            "BackOff: Back-off pulling image \"nginx:1.27\"",
            "Failed: Error: ImagePullBackOff",
            "Pulling: Pulling image \"nginx:1.27\"",
        ]
    );
    let mut stuck = Life::new(&json!({ "mainstay.dev/pull-error": "unauthorized" }), &web());
    stuck.until(5);
    let message = stuck.status()["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "Back-off pulling image \"nginx:1.27\": ErrImagePull: rpc error: code = Unknown desc = "
        ),
        "{message}"
    );
    assert_eq!(stuck.status()["podIP"], "10.20.4.2");
}

#[test]
fn another_agent_goes_on_with_the_counts_there_are() {
    let mut life =
        Life::new(&json!({ "mainstay.dev/run-for": "10s", "mainstay.dev/exit-code": "1" }), &web());
    life.until(26);
    assert_eq!(life.statuses().last(), Some(&"Running web=CrashLoopBackOff*1"));
    life.run = resume(&bound(&life.object), host(), random(), life.now).unwrap();
    let written = life.statuses.len();
    life.until(45);
    assert_eq!(
        life.statuses()[written..],
        ["Running web=Running*2+", "Running web=Error(1)*2", "Running web=CrashLoopBackOff*2"]
    );
}
