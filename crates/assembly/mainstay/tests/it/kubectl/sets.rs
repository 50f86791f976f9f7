//! StatefulSets and DaemonSets roll out, back and again.

use super::with_each_kubectl;

const SETS: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default, annotations: {kubernetes.io/change-cause: first}}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}, creationTimestamp: null}
    spec: {tolerations: [{operator: Exists}], containers: [{name: c, image: 'x:1'}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: logs, namespace: default}
spec:
  selector: {matchLabels: {app: logs}}
  updateStrategy: {rollingUpdate: {maxUnavailable: 10}}
  template:
    metadata: {labels: {app: logs}}
    spec: {tolerations: [{operator: Exists}], containers: [{name: c, image: 'x:1'}]}
";

#[test]
fn sets_roll_out_back_and_again() {
    with_each_kubectl(|kubectl, version| {
        kubectl.feed(&["apply", "-f", "-"], SETS).ok();
        for (set, done) in [
            ("statefulset/db", "partitioned roll out complete: 2 new pods have been updated"),
            ("daemonset/logs", "daemon set \"logs\" successfully rolled out"),
        ] {
            let rolled_out = || {
                let said = kubectl.run(&["rollout", "status", set, "--timeout=60s"]).ok().out;
                assert!(said.contains(done), "{version}: {said}");
            };
            let history = || {
                let said = kubectl.run(&["rollout", "history", set]).ok().out;
                let rows =
                    said.lines().skip(2).map(|line| line.split(' ').next().unwrap_or_default().to_owned());
                rows.filter(|number| !number.is_empty()).collect::<Vec<_>>()
            };
            rolled_out();
            kubectl.run(&["set", "image", set, "c=x:2"]).ok();
            rolled_out();
            assert_eq!(history(), ["1", "2"], "{version}");
            let first = kubectl.run(&["rollout", "history", set, "--revision=1"]).ok().out;
            assert!(first.contains("x:1"), "{version}: {first}");
            assert!(kubectl.run(&["rollout", "undo", set]).ok().out.contains("rolled back"), "{version}");
            rolled_out();
            assert_eq!(history(), ["2", "3"], "{version}");
            let again = kubectl.run(&["rollout", "undo", set, "--to-revision=3"]).ok().out;
            assert!(
                again.contains("skipped rollback (current template already matches revision 3)"),
                "{again}"
            );
            assert!(kubectl.run(&["rollout", "restart", set]).ok().out.contains("restarted"), "{version}");
            rolled_out();
            assert_eq!(history(), ["2", "3", "4"], "{version}");
        }
        kubectl.feed(&["delete", "-f", "-"], SETS).ok();
    });
}
