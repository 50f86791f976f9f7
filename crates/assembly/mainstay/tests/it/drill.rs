//! Drills from the command line: the same seed gives the same bytes, in separate processes.

use crate::harness::{Home, checkout, seed_document};

const DRILL: &str = "
apiVersion: mainstay.dev/v1alpha1
kind: Drill
metadata: {name: spread}
spec:
  duration: 10m
  source: SOURCE
  steps:
    - at: 0s
      apply:
        manifest:
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: web, namespace: default}
          spec:
            replicas: 12
            selector: {matchLabels: {app: web}}
            template:
              metadata: {labels: {app: web}}
              spec:
                containers: [{name: web, image: 'nginx:1.27', resources: {requests: {cpu: 100m}}}]
    - at: 1m
      expect: {kind: Deployment, name: web, available: 12, within: 1m}
    - at: 3m
      scale: {kind: Deployment, name: web, replicas: 4}
    - at: 4m
      expect: {kind: Pod, selector: app=web, count: 4, ready: 4, within: 1m}
    - at: 6m
      killNode: {nodeGroup: spot-nodes, index: 0}
    - at: 8m
      delete: {kind: Deployment, name: web}
    - at: 9m
      expect: {kind: Pod, selector: app=web, namespace: default, count: 0, within: 30s}
";

/// Runs the drill under a seed and returns its timeline.
fn timeline(home: &Home, file: &str, seed: u64) -> String {
    let path = home.path("timeline.jsonl");
    let said = home.run(&["drill", file, "--seed", &seed.to_string(), "--timeline", path.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    std::fs::read_to_string(path).unwrap()
}

fn home_with_drill() -> (Home, String) {
    let home = Home::new();
    let source = checkout("examples/enterprise");
    let file = home.write("drill.yaml", &DRILL.replace("SOURCE", source.to_str().unwrap()));
    let file = file.to_str().unwrap().to_owned();
    (home, file)
}

#[test]
fn five_seeds_give_the_same_bytes_twice_and_different_bytes_from_each_other() {
    let (home, file) = home_with_drill();
    let mut all = Vec::new();
    for seed in 1..=5 {
        let first = timeline(&home, &file, seed);
        assert!(
            first.lines().count() > 500,
            "a drill of 17 nodes commits more than {}",
            first.lines().count()
        );
        assert!(first == timeline(&home, &file, seed), "seed {seed} gives other bytes the second time");
        all.push(first);
    }
    all.dedup();
    assert_eq!(all.len(), 5, "different seeds interleave differently");
}

#[test]
fn two_seeds_bind_pods_in_different_orders() {
    let (home, file) = home_with_drill();
    let first_pods = |seed| -> Vec<String> {
        let lines = timeline(&home, &file, seed);
        let modified = |line: &&str| line.contains("\"MODIFIED\"") && line.contains("\"pods\"");
        lines.lines().filter(modified).take(12).map(str::to_owned).collect()
    };
    assert_ne!(first_pods(1), first_pods(2));
}

#[test]
fn a_failed_expectation_fails_the_drill_and_says_why() {
    let home = Home::new();
    let source = checkout("examples/enterprise");
    let drill = "apiVersion: mainstay.dev/v1alpha1\nkind: Drill\nmetadata: {name: wrong}\nspec:\n  duration: 2m\n  source: SOURCE\n  steps:\n    - at: 1m\n      expect: {kind: Node, count: 18}\n";
    let file = home.write("drill.yaml", &drill.replace("SOURCE", source.to_str().unwrap()));
    let said = home.run(&["drill", file.to_str().unwrap(), "-o", "json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(report["steps"][0]["detail"], "Node: 17 objects, expected 18");
    assert!(report["seed"].is_u64());
}

#[test]
fn a_misspelt_drill_is_refused_at_its_line() {
    let home = Home::new();
    let file = home.write(
        "drill.yaml",
        "apiVersion: mainstay.dev/v1alpha1\nkind: Drill\nmetadata: {name: a}\nspec:\n  durration: 2m\n",
    );
    let said = home.run(&["drill", file.to_str().unwrap()]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("drill.yaml:5:3") && said.err.contains("duration"), "{}", said.err);
}

#[test]
fn the_example_drill_passes() {
    let home = Home::new();
    let file = checkout("examples/drills/first-day.yaml");
    let said = home.run(&["drill", file.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn pods_that_crash_and_turn_unready_give_the_same_bytes_twice() {
    let home = Home::new();
    let file = checkout("examples/drills/sick-pods.yaml");
    let first = timeline(&home, file.to_str().unwrap(), 7);
    assert!(first == timeline(&home, file.to_str().unwrap(), 7));
}

#[test]
fn the_reference_document_can_be_drilled() {
    let Some(document) = seed_document() else { return };
    let home = Home::new();
    let drill = format!(
        "apiVersion: mainstay.dev/v1alpha1\nkind: Drill\nmetadata: {{name: seed}}\nspec:\n  duration: 5m\n  source: {}\n  steps:\n    - at: 3m\n      expect: {{kind: Node, count: 17, ready: 17}}\n",
        document.display()
    );
    let file = home.write("drill.yaml", &drill);
    home.run(&["drill", file.to_str().unwrap(), "--seed", "1"]).ok();
}

#[test]
fn a_drill_runs_on_one_thread_from_beginning_to_end() {
    let (home, file) = home_with_drill();
    let mut child = home
        .command(&["drill", &file, "--seed", "1"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let mut most = 0;
    let mut samples = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(std::fs::read_dir(&tasks).map_or(0, Iterator::count));
        samples += 1;
        #[allow(clippy::disallowed_methods, reason = "the test samples another process")]
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    assert!(samples > 10, "the drill ended before it could be looked at");
    assert!(most <= 2, "the thread that waits and the World's, not {most}");
}
