//! Init containers and sidecars.

use super::*;

fn prepared() -> Value {
    with(
        web(),
        "initContainers",
        json!([{ "name": "wait", "image": "app:1" }, { "name": "migrate", "image": "app:1" }]),
    )
}

#[test]
fn init_containers_run_one_after_the_other_before_the_containers() {
    let mut life = Life::new(&json!({ "mainstay.dev/wait.run-for": "5s" }), &prepared());
    life.until(60);
    assert_eq!(
        life.statuses(),
        [
            "Pending wait=PodInitializing migrate=PodInitializing web=PodInitializing",
            "Pending wait=Running migrate=PodInitializing web=PodInitializing",
            "Pending wait=Completed(0)+ migrate=PodInitializing web=PodInitializing",
            "Pending wait=Completed(0)+ migrate=Running web=PodInitializing",
            "Pending wait=Completed(0)+ migrate=Completed(0)+ web=PodInitializing",
            "Running wait=Completed(0)+ migrate=Completed(0)+ web=Running+",
        ]
    );
    assert_eq!(life.condition("Initialized")["status"], "True");
}

#[test]
fn a_failed_init_container_is_tried_again_as_the_policy_says() {
    let annotations = json!({ "mainstay.dev/migrate.exit-code": "1", "mainstay.dev/migrate.failures": "2" });
    let mut life = Life::new(&annotations, &prepared());
    life.until(8);
    let condition = life.condition("Initialized");
    assert_eq!(condition["message"], "containers with incomplete status: [migrate]");
    life.until(60);
    let lines = life.statuses();
    for line in [
        "Pending wait=Completed(0)+ migrate=Error(1) web=PodInitializing",
        "Pending wait=Completed(0)+ migrate=CrashLoopBackOff*1 web=PodInitializing",
        "Running wait=Completed(0)+ migrate=Completed(0)*2+ web=Running+",
    ] {
        assert!(lines.contains(&line), "{line} in {lines:#?}");
    }
    let mut never = Life::new(
        &json!({ "mainstay.dev/migrate.exit-code": "1" }),
        &with(prepared(), "restartPolicy", json!("Never")),
    );
    never.until(60);
    let expected = "Failed wait=Completed(0)+ migrate=Error(1) web=PodInitializing";
    assert_eq!(never.statuses().last(), Some(&expected));
}

#[test]
fn a_sidecar_must_have_started_before_the_next_container_does() {
    let sidecar = json!([{ "name": "mesh", "image": "proxy:1", "restartPolicy": "Always",
                          "startupProbe": { "periodSeconds": 2, "failureThreshold": 30 } }]);
    let annotations = json!({ "mainstay.dev/mesh.startup-after": "9s", "mainstay.dev/mesh.run-for": "60s" });
    let mut life = Life::new(&annotations, &with(web(), "initContainers", sidecar));
    life.until(100);
    assert_eq!(
        life.statuses()[..4],
        [
            "Pending mesh=PodInitializing web=PodInitializing",
            "Pending mesh=Running web=PodInitializing",
            "Pending mesh=Running+ web=PodInitializing",
            "Running mesh=Running+ web=Running+",
        ]
    );
    assert!(life.statuses[3].0 - life.statuses[1].0 >= 10);
    let after: Vec<_> = life.statuses()[4..].to_vec();
    assert_eq!(
        after,
        [
            "Running mesh=Completed(0) web=Running+",
            "Running mesh=Running*1 web=Running+",
            "Running mesh=Running*1+ web=Running+",
        ]
    );
}

#[test]
fn another_agent_does_not_prepare_the_pod_again() {
    let mut life = Life::new(&json!({ "mainstay.dev/migrate.run-for": "30s" }), &prepared());
    life.until(10);
    assert!(life.statuses().last().unwrap().contains("migrate=Running"));
    life.run = resume(&bound(&life.object), host(), random(), life.now).unwrap();
    life.until(60);
    let expected = "Running wait=Completed(0)+ migrate=Completed(0)+ web=Running+";
    assert_eq!(life.statuses().last(), Some(&expected));
    assert_eq!(life.events.iter().filter(|(_, event)| event == "Started: Started container wait").count(), 1);
}
