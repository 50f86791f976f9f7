//! Pods that are deleted, out of time, or done.

use super::*;

#[test]
fn a_deleted_pod_stops_reports_its_end_and_goes() {
    let mut life = Life::new(&json!({ "mainstay.dev/stop-after": "3s" }), &web());
    life.until(60).delete(30);
    assert!(!life.is_gone && life.statuses.len() == 2, "it runs as before");
    life.until(62);
    assert!(!life.is_gone);
    life.until(64);
    assert!(life.is_gone);
    assert_eq!(life.events(), ["Killing: Stopping container web"]);
    assert_eq!(life.statuses()[2..], ["Succeeded web=Completed(0)"]);
    let said = |type_: &str| {
        let condition = life.condition(type_);
        format!(
            "{} {}",
            condition["status"].as_str().unwrap(),
            condition["reason"].as_str().unwrap_or_default()
        )
    };
    assert_eq!(said("PodReadyToStartContainers"), "False ");
    assert_eq!(said("Initialized"), "True PodCompleted");
    assert_eq!(
        (said("Ready"), said("ContainersReady")),
        ("False PodCompleted".into(), "False PodCompleted".into())
    );
}

#[test]
fn a_pod_that_does_not_stop_is_killed_when_its_grace_is_over() {
    let hook = json!({ "preStop": { "sleep": { "seconds": 3 } } });
    let mut life =
        Life::new(&json!({ "mainstay.dev/stop-after": "never" }), &with(web(), "web.lifecycle", hook));
    life.until(60).delete(10).until(69);
    assert!(!life.is_gone);
    life.until(70);
    assert!(life.is_gone);
    assert_eq!(life.statuses()[2..], ["Failed web=Error(137)"]);
}

#[test]
fn a_pod_deleted_before_anything_ran_goes_without_a_word() {
    let mut life = Life::new(&json!({}), &web());
    life.look();
    life.delete(30);
    assert!(life.is_gone && life.statuses.len() == 1 && life.wake.is_none());
}

#[test]
fn a_crash_loop_that_is_deleted_shows_how_it_ended() {
    let mut life = Life::new(&json!({ "mainstay.dev/run-for": "1s", "mainstay.dev/exit-code": "2" }), &web());
    life.until(10);
    assert_eq!(life.statuses().last(), Some(&"Running web=CrashLoopBackOff*1"));
    life.delete(30);
    assert!(life.is_gone);
    assert_eq!(life.statuses().last(), Some(&"Failed web=Error(2)*1"));
}

#[test]
fn pods_that_end_by_themselves_succeed_or_fail() {
    for (policy, code, expected) in [
        ("Never", "0", "Succeeded web=Completed(0)"),
        ("Never", "2", "Failed web=Error(2)"),
        ("OnFailure", "0", "Succeeded web=Completed(0)"),
    ] {
        let annotations = json!({ "mainstay.dev/run-for": "20s", "mainstay.dev/exit-code": code });
        let mut life = Life::new(&annotations, &with(web(), "restartPolicy", json!(policy)));
        life.until(60);
        assert_eq!(life.statuses().last(), Some(&expected));
        assert!(!life.is_gone && life.wake.is_none(), "its object stays");
    }
    let annotations = json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/failures": "2" });
    let mut life = Life::new(&annotations, &with(web(), "restartPolicy", json!("OnFailure")));
    life.until(120);
    assert_eq!(life.statuses().last(), Some(&"Succeeded web=Completed(0)*2"));
}

#[test]
fn a_pod_that_runs_longer_than_it_may_is_ended() {
    let spec = with(web(), "activeDeadlineSeconds", json!(30));
    let mut life = Life::new(&json!({ "mainstay.dev/stop-after": "4s" }), &spec);
    life.until(33);
    assert_eq!(life.statuses().last(), Some(&"Running web=Running+"));
    life.until(60);
    assert_eq!(
        life.events(),
        [
            "DeadlineExceeded: Pod was active on the node longer than the specified deadline",
            "Killing: Stopping container web",
        ]
    );
    assert_eq!(life.statuses().last(), Some(&"Failed web=Completed(0)"));
    let status = life.status();
    assert_eq!(
        (&status["reason"], &status["message"]),
        (&json!("DeadlineExceeded"), &json!("Pod was active on the node longer than the specified deadline"))
    );
    assert_eq!(life.condition("Ready")["reason"], "PodFailed");
}

#[test]
fn a_job_is_done_though_its_sidecars_run_on() {
    let spec = with(
        with(web(), "restartPolicy", json!("Never")),
        "initContainers",
        json!([
            { "name": "mesh", "image": "proxy:1", "restartPolicy": "Always" },
            { "name": "log", "image": "log:1", "restartPolicy": "Always" },
        ]),
    );
    let annotations = json!({
        "mainstay.dev/run-for": "20s", "mainstay.dev/mesh.stop-after": "2s", "mainstay.dev/log.stop-after": "2s",
    });
    let mut life = Life::new(&annotations, &spec);
    life.until(120);
    assert_eq!(
        life.statuses()[life.statuses.len() - 4..],
        [
            "Running mesh=Running+ log=Running+ web=Running+",
            "Running mesh=Running+ log=Running+ web=Completed(0)",
            "Running mesh=Running+ log=Completed(0) web=Completed(0)",
            "Succeeded mesh=Completed(0) log=Completed(0) web=Completed(0)",
        ]
    );
    assert_eq!(life.events(), ["Killing: Stopping container mesh", "Killing: Stopping container log"]);
}

#[test]
fn sidecars_outlive_the_containers_they_serve_but_not_the_grace() {
    let spec = with(
        web(),
        "initContainers",
        json!([{ "name": "mesh", "image": "proxy:1", "restartPolicy": "Always" }]),
    );
    let annotations = json!({ "mainstay.dev/stop-after": "never" });
    let mut life = Life::new(&annotations, &spec);
    life.until(60).delete(10).until(80);
    assert!(life.is_gone);
    let seconds: Vec<_> =
        life.statuses[life.statuses.len() - 2..].iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [70, 70]);
    assert!(life.statuses()[life.statuses.len() - 2].contains("web=Error(137)"), "{:?}", life.statuses());
}
