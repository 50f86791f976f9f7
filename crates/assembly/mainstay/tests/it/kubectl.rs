//! kubectl 1.31 and 1.33 drive a region as they drive any cluster.

mod sets;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::harness::{Home, Kubectl, checkout};

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports: [{containerPort: 80}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
";

/// Runs `test` against one platform with each version of kubectl there is.
fn with_each_kubectl(test: impl Fn(&Kubectl<'_>, &str)) {
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    for version in ["1.31", "1.33"] {
        if let Some(kubectl) = Kubectl::of(version, &home, "us-east-1") {
            test(&kubectl, version);
        }
    }
}

#[test]
fn seventeen_nodes_show_their_groups_labels_taints_and_allocatable() {
    with_each_kubectl(|kubectl, version| {
        let table = kubectl.run(&["get", "nodes", "--no-headers"]).ok().out;
        assert_eq!(table.lines().count(), 17, "{table}");
        assert!(table.lines().all(|line| line.contains(" Ready ")), "{version}: {table}");
        let nodes = |group: &str| {
            let selector = format!("alpha.eksctl.io/nodegroup-name={group}");
            kubectl.json(&["get", "nodes", "-l", &selector])["items"].as_array().unwrap().clone()
        };
        for (group, count, instance_type, workload, taint, cpu) in [
            ("system-nodes", 3, "c5.2xlarge", "system", Some("system"), "7910m"),
            ("app-nodes", 6, "c5.4xlarge", "application", None, "15890m"),
            ("data-nodes", 3, "r5.4xlarge", "data", Some("data-intensive"), "15890m"),
            ("spot-nodes", 5, "t3", "batch", Some("spot"), "19"),
        ] {
            let found = nodes(group);
            assert_eq!(found.len(), count, "{group}");
            for node in &found {
                let labels = &node["metadata"]["labels"];
                assert_eq!(labels["workload"], workload);
                assert!(
                    labels["node.kubernetes.io/instance-type"].as_str().unwrap().starts_with(instance_type)
                );
                assert!(labels["topology.kubernetes.io/zone"].as_str().unwrap().starts_with("us-east-1"));
                let keys: Vec<_> = node["spec"]["taints"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|t| t["key"].as_str().unwrap())
                    .collect();
                assert_eq!(keys, taint.into_iter().collect::<Vec<_>>(), "{group}");
                assert!(
                    node["status"]["allocatable"]["cpu"].as_str().unwrap().starts_with(cpu),
                    "{group}: {}",
                    node["status"]["allocatable"]
                );
            }
        }
    });
}

#[test]
fn a_deployment_lives_from_apply_to_delete() {
    with_each_kubectl(|kubectl, version| {
        let said = kubectl.feed(&["apply", "-f", "-"], WEB).ok();
        assert!(said.out.contains("deployment.apps/web created"), "{version}: {}", said.out);
        assert!(kubectl.feed(&["apply", "-f", "-"], WEB).ok().out.contains("unchanged"), "{version}");
        let rollout = kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]).ok();
        assert!(rollout.out.contains("successfully rolled out"), "{}", rollout.out);
        kubectl.run(&["scale", "deployment/web", "--replicas=4"]).ok();
        kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]).ok();
        let pods = kubectl.run(&["get", "pods", "-l", "app=web", "--no-headers"]).ok().out;
        assert_eq!(pods.lines().count(), 4, "{pods}");
        assert!(pods.lines().all(|line| line.contains("1/1") && line.contains("Running")), "{pods}");
        let described = kubectl.run(&["describe", "deployment", "web"]).ok().out;
        for words in ["4 desired", "4 available", "RollingUpdate", "ScalingReplicaSet", "NewReplicaSet:"] {
            assert!(described.contains(words), "{version}: {words} is missing:\n{described}");
        }
        let pod = pods.split_whitespace().next().unwrap();
        let described = kubectl.run(&["describe", "pod", pod]).ok().out;
        for words in ["Scheduled", "Started", "QoS Class:", "ip-10-0-"] {
            assert!(described.contains(words), "{version}: {words} is missing:\n{described}");
        }
        kubectl.run(&["delete", "deployment", "web", "--timeout=60s"]).ok();
        kubectl.run(&["wait", "--for=delete", "pod", "-l", "app=web", "--timeout=60s"]).ok();
        assert_eq!(kubectl.run(&["get", "deployment", "web"]).code, 1);
    });
}

#[test]
fn server_side_apply_names_the_manager_it_conflicts_with() {
    with_each_kubectl(|kubectl, version| {
        kubectl.feed(&["apply", "--server-side", "-f", "-"], WEB).ok();
        kubectl.run(&["scale", "deployment/web", "--replicas=3"]).ok();
        let other = WEB.replace("replicas: 2", "replicas: 5");
        let refused = kubectl.feed(&["apply", "--server-side", "--field-manager=other", "-f", "-"], &other);
        assert_eq!(refused.code, 1, "{version}: {refused:?}");
        assert!(
            refused.err.contains("conflict") && refused.err.contains(".spec.replicas"),
            "{}",
            refused.err
        );
        let forced = ["apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-"];
        kubectl.feed(&forced, &other).ok();
        let deployment = kubectl.json(&["get", "deployment", "web", "--show-managed-fields"]);
        assert_eq!(deployment["spec"]["replicas"], 5);
        let managers = deployment["metadata"]["managedFields"].to_string();
        assert!(
            managers.contains("\"manager\":\"other\"") && managers.contains("\"manager\":\"kubectl\""),
            "{managers}"
        );
        kubectl.run(&["delete", "deployment", "web", "--timeout=60s"]).ok();
    });
}

#[test]
fn diff_shows_what_an_apply_would_change() {
    with_each_kubectl(|kubectl, version| {
        kubectl.feed(&["apply", "-f", "-"], WEB).ok();
        assert_eq!(kubectl.feed(&["diff", "-f", "-"], WEB).code, 0, "{version}");
        let said = kubectl.feed(&["diff", "-f", "-"], &WEB.replace("nginx:1.27", "nginx:1.28"));
        assert_eq!(said.code, 1, "{version}: {said:?}");
        assert!(said.out.contains("nginx:1.28"), "{}", said.out);
        kubectl.run(&["delete", "deployment", "web", "--timeout=60s"]).ok();
    });
}

#[test]
fn explain_knows_every_field() {
    with_each_kubectl(|kubectl, version| {
        let said = kubectl.run(&["explain", "deployment.spec.strategy.rollingUpdate"]).ok().out;
        assert!(said.contains("maxSurge") && said.contains("maxUnavailable"), "{version}: {said}");
        let said = kubectl.run(&["explain", "nodeclaim.spec"]).ok().out;
        assert!(said.contains("instanceType"), "{version}: {said}");
    });
}

#[test]
fn a_watch_sees_pods_come_and_go() {
    with_each_kubectl(|kubectl, version| {
        let mut watch = kubectl
            .command(&["get", "pods", "-l", "app=web", "-w", "--output-watch-events", "--no-headers"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        kubectl.feed(&["apply", "-f", "-"], WEB).ok();
        kubectl.run(&["rollout", "status", "deployment/web", "--timeout=60s"]).ok();
        kubectl.run(&["delete", "deployment", "web"]).ok();
        let mut seen = Vec::new();
        for line in lines {
            seen.push(line.unwrap());
            let count = |word: &str| seen.iter().filter(|line| line.starts_with(word)).count();
            if count("DELETED") == 2 {
                assert_eq!(count("ADDED"), 2, "{version}: {seen:#?}");
                assert!(
                    seen.iter().any(|line| line.contains("MODIFIED") && line.contains("Running")),
                    "{seen:#?}"
                );
                break;
            }
        }
        watch.kill().unwrap();
        watch.wait().unwrap();
    });
}

#[test]
fn a_custom_resource_is_served_as_soon_as_it_is_defined() {
    const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList, shortNames: [wi]}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
      additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
";
    const WIDGET: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: default}\nspec: {size: 3}\n";
    with_each_kubectl(|kubectl, version| {
        kubectl.feed(&["apply", "-f", "-"], DEFINITION).ok();
        kubectl
            .run(&["wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=30s"])
            .ok();
        kubectl.feed(&["apply", "-f", "-"], WIDGET).ok();
        let table = kubectl.run(&["get", "wi"]).ok().out;
        assert!(table.contains("SIZE") && table.contains('3'), "{version}: {table}");
        let larger = WIDGET.replace("size: 3", "size: 4");
        assert_eq!(kubectl.feed(&["diff", "-f", "-"], &larger).code, 1, "{version}");
        assert!(kubectl.feed(&["apply", "-f", "-"], &larger).ok().out.contains("configured"), "{version}");
        assert_eq!(kubectl.json(&["get", "widget", "one"])["spec"]["size"], 4, "{version}");
        kubectl.run(&["delete", "crd", "widgets.example.com", "--timeout=30s"]).ok();
        assert_eq!(kubectl.run(&["get", "--raw", "/apis/example.com/v1/widgets"]).code, 1, "{version}");
    });
}

#[test]
fn a_namespace_goes_with_everything_in_it() {
    with_each_kubectl(|kubectl, version| {
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n";
        kubectl.feed(&["apply", "-f", "-"], namespace).ok();
        kubectl.feed(&["apply", "-f", "-"], &WEB.replace("namespace: default", "namespace: team")).ok();
        kubectl.run(&["-n", "team", "rollout", "status", "deployment/web", "--timeout=60s"]).ok();
        kubectl.run(&["delete", "namespace", "team", "--timeout=90s"]).ok();
        assert_eq!(kubectl.run(&["get", "namespace", "team"]).code, 1, "{version}");
    });
}

#[test]
fn what_is_wrong_is_refused_in_upstreams_words() {
    with_each_kubectl(|kubectl, version| {
        let unknown = kubectl.feed(&["apply", "-f", "-"], &WEB.replace("replicas: 2", "replica: 2"));
        assert_eq!(unknown.code, 1);
        assert!(unknown.err.contains("unknown field \"spec.replica\""), "{version}: {}", unknown.err);
        let mismatch = kubectl.feed(
            &["apply", "-f", "-"],
            &WEB.replace("matchLabels: {app: web}", "matchLabels: {app: other}"),
        );
        assert!(
            mismatch.err.contains("`selector` does not match template `labels`"),
            "{version}: {}",
            mismatch.err
        );
        let missing = kubectl.run(&["get", "pod", "nobody"]);
        assert!(
            missing.err.contains("Error from server (NotFound): pods \"nobody\" not found"),
            "{}",
            missing.err
        );
    });
}
