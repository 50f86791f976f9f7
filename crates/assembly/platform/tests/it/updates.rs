//! A running platform takes another Source: it does what the plan says, and nothing else.

use kube::api::{DeleteParams, ListParams};
use mainstay_base::World;
use mainstay_platform::control::{Answer, Up};
use mainstay_platform::plan::{Change, Counts, RegionPlan};
use mainstay_platform::{Platform, Region};
use mainstay_source::Source;
use serde_json::json;
use tokio::sync::mpsc;

use crate::scene::{api, apply, on, pass};

/// A namespace, a Deployment behind a Service, and two ConfigMaps.
const BASE: &str = "apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'nginx:1.27', resources: {requests: {cpu: 0.5, memory: 1024Mi}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: team}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: team}
data: {a: '1'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, namespace: team}
data: {a: '1'}
";

/// What a take told: its plans, and its last answer.
async fn take(platform: &Platform, text: &str, dry_run: bool) -> (Vec<RegionPlan>, Answer) {
    let (tell, mut told) = mpsc::channel(100);
    let up = Up { name: "test".to_owned(), dry_run };
    let last = platform.take(up, Source::from_text("a.yaml", text), tell).await;
    let mut plans = Vec::new();
    while let Some(answer) = told.recv().await {
        if let Answer::Plan(told) = answer {
            plans = told;
        }
    }
    (plans, last)
}

/// A plan's steps as lines: `~ Deployment team/web spec.replicas`.
fn lines(plans: &[RegionPlan]) -> Vec<String> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let line = |step: &mainstay_platform::plan::Step| match &step.change {
        Change::Created => format!("+ {}", step.what),
        Change::Changed(paths) => format!("~ {} {}", step.what, paths.join(" ")),
        Change::Pruned => format!("- {}", step.what),
        Change::Refused(reason) => format!("! {} {reason}", step.what),
    };
    steps.map(line).collect()
}

async fn names(region: &Region, api_version: &str, kind: &str, namespace: &str) -> Vec<String> {
    let list = api(region, api_version, kind, namespace).list(&ListParams::default()).await.unwrap();
    list.items.iter().map(kube::ResourceExt::name_any).collect()
}

fn on_base<F, Fut, T>(body: F) -> T
where
    F: FnOnce(World, Platform) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    on(&Source::from_text("a.yaml", BASE), 1, body)
}

#[test]
fn an_unchanged_source_plans_nothing_and_writes_nothing() {
    on_base(|_, platform| async move {
        pass(60).await;
        let region = &platform.regions()[0];
        let before = region.store().revision();
        let (plans, last) = take(&platform, BASE, false).await;
        assert_eq!(lines(&plans), Vec::<String>::new());
        assert_eq!(last, Answer::Done(Counts { unchanged: 6, ..Counts::default() }));
        assert_eq!(region.store().revision(), before);
        let (plans, _) = take(&platform, &format!("# moved\n\n{BASE}"), false).await;
        assert_eq!(lines(&plans), Vec::<String>::new(), "only the lines have changed");
    });
}

#[test]
fn what_is_edited_is_changed_what_is_new_created_and_what_is_gone_pruned() {
    let edited = BASE.replace("replicas: 2", "replicas: 3").replace("name: two", "name: three");
    on_base(move |_, platform| async move {
        let region = &platform.regions()[0];
        let (planned, last) = take(&platform, &edited, true).await;
        assert_eq!(
            last,
            Answer::Done(Counts { created: 1, changed: 1, pruned: 1, refused: 0, unchanged: 4 })
        );
        assert!(names(region, "v1", "ConfigMap", "team").await.contains(&"two".to_owned()), "it was dry");
        let (plans, done) = take(&platform, &edited, false).await;
        assert_eq!((&plans, &done), (&planned, &last));
        assert_eq!(
            lines(&plans),
            ["+ ConfigMap team/three", "~ Deployment team/web spec.replicas", "- ConfigMap team/two"]
        );
        assert_eq!(names(region, "v1", "ConfigMap", "team").await, ["kube-root-ca.crt", "one", "three"]);
        let deployment = api(region, "apps/v1", "Deployment", "team").get("web").await.unwrap();
        assert_eq!(deployment.data["spec"]["replicas"], 3);
        let (plans, _) = take(&platform, &edited, false).await;
        assert_eq!(lines(&plans), Vec::<String>::new());
    });
}

#[test]
fn what_the_platform_never_applied_is_not_touched() {
    on_base(|_, platform| async move {
        let region = &platform.regions()[0];
        let label = json!({"mainstay.dev/platform": "test"});
        apply(
            region,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "theirs", "namespace": "team", "labels": label}, "data": {"a": "1"},
            }),
        )
        .await;
        pass(10).await;
        let (plans, _) = take(&platform, BASE, false).await;
        assert_eq!(lines(&plans), Vec::<String>::new(), "neither theirs nor what the Service made");
        let claimed = format!(
            "{BASE}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs, namespace: team}}\ndata: {{a: '2'}}\n"
        );
        let (plans, _) = take(&platform, &claimed, false).await;
        assert_eq!(lines(&plans), ["~ ConfigMap team/theirs data.a"]);
        let (plans, _) = take(&platform, BASE, false).await;
        assert_eq!(lines(&plans), ["- ConfigMap team/theirs"], "it is the platform's now");
    });
}

#[test]
fn what_was_edited_in_the_region_is_as_in_the_source_again() {
    on_base(|_, platform| async move {
        let region = &platform.regions()[0];
        apply(
            region,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "team"},
                "data": {"a": "edited", "more": "kept"},
            }),
        )
        .await;
        api(region, "v1", "ConfigMap", "team").delete("two", &DeleteParams::default()).await.unwrap();
        let (plans, _) = take(&platform, BASE, false).await;
        assert_eq!(lines(&plans), ["~ ConfigMap team/one data.a", "+ ConfigMap team/two"]);
        let map = api(region, "v1", "ConfigMap", "team").get("one").await.unwrap();
        assert_eq!(map.data["data"], json!({"a": "1", "more": "kept"}));
    });
}

#[test]
fn a_definition_and_its_objects_come_and_go_together() {
    let more = format!(
        "{BASE}---
apiVersion: example.com/v1
kind: Widget
metadata: {{name: blue, namespace: team}}
spec: {{size: 1}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{kind: Widget, plural: widgets, singular: widget}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    );
    on_base(move |_, platform| async move {
        let (plans, _) = take(&platform, &more, false).await;
        assert_eq!(lines(&plans), ["+ CustomResourceDefinition widgets.example.com", "+ Widget team/blue"]);
        let fates: Vec<_> = platform.status().documents.iter().map(|row| row.fate.word()).collect();
        assert_eq!(fates, ["applied", "applied", "applied", "applied", "applied", "stored", "applied"]);
        let (plans, _) = take(&platform, &more, false).await;
        assert_eq!(lines(&plans), Vec::<String>::new());
        let (plans, _) = take(&platform, BASE, false).await;
        assert_eq!(lines(&plans), ["- Widget team/blue", "- CustomResourceDefinition widgets.example.com"]);
    });
}

#[test]
fn a_refused_document_changes_nothing_and_the_others_are_applied() {
    let edited = BASE.replace("app: web}\n  template", "app: other}\n  template").replace("a: '1'", "a: '2'");
    on_base(move |_, platform| async move {
        let edited = edited.replace("matchLabels: {app: web}", "matchLabels: {app: other}");
        let (plans, last) = take(&platform, &edited, false).await;
        let lines = lines(&plans);
        assert_eq!(lines[..2], ["~ ConfigMap team/one data.a", "~ ConfigMap team/two data.a"]);
        assert!(lines[2].starts_with("! Deployment team/web "), "{lines:?}");
        assert!(matches!(last, Answer::Done(Counts { changed: 2, refused: 1, .. })), "{last:?}");
        let row = &platform.status().documents[1];
        assert_eq!((row.fate.word(), row.code.as_deref()), ("refused", Some("M0306")));
        let (plans, _) = take(&platform, BASE, false).await;
        assert_eq!(plans[0].counts().changed, 2, "the Deployment is as it was: {plans:?}");
    });
}

#[test]
fn what_is_not_applied_says_why() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata: {generateName: a}
---
apiVersion: v1
kind: ConfigMap
---
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
";
    let page = "```yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n```\n";
    let mut source = Source::from_texts([("a.yaml", text), ("page.md", page)]);
    source.templates.push("chart/templates".to_owned());
    on(&source, 1, |_, platform| async move {
        let rows = platform.status().documents;
        let said: Vec<_> =
            rows.iter().map(|row| (row.fate.word(), row.reason.as_deref().unwrap_or_default())).collect();
        let snippet =
            "a snippet of Markdown beside other files; make the Markdown file itself the Source to use it";
        assert_eq!(
            said,
            [
                ("refused", "cannot use generate name with apply: give it a metadata.name"),
                ("refused", "metadata.name is missing, or is not text (quote it)"),
                ("not run yet", "no API serves kind.x-k8s.io/v1alpha4 Cluster"),
                ("not used", snippet),
                ("not run yet", "charts are not rendered yet"),
            ]
        );
    });
}

/// A cluster of so many machines.
fn cluster(region: &str, machines: u32) -> String {
    format!(
        "apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {{name: {region}, region: {region}}}
nodeGroups: [{{name: app, instanceType: m5.large, desiredCapacity: {machines}, minSize: 0, maxSize: 9}}]
---
"
    )
}

#[test]
fn node_groups_change_and_regions_do_not() {
    let before = cluster("us-east-1", 2);
    on(&Source::from_text("a.yaml", &*before), 1, move |_, platform| async move {
        let (plans, _) = take(&platform, &cluster("us-east-1", 4), false).await;
        assert_eq!(lines(&plans), ["~ ClusterConfig us-east-1 nodeGroups[app].desiredCapacity"]);
        platform.ready().await;
        assert_eq!(names(&platform.regions()[0], "v1", "Node", "").await.len(), 4);
        let two = format!("{}{}", cluster("us-east-1", 1), cluster("eu-west-1", 1));
        let (plans, last) = take(&platform, &two, false).await;
        let Answer::Failed { code: 3, problems } = last else { panic!("{last:?}") };
        assert!(plans.is_empty() && problems[0].contains("M0340"), "{problems:?}");
    });
}

#[test]
fn a_broken_source_changes_nothing_and_says_where() {
    on_base(|_, platform| async move {
        let before = platform.regions()[0].store().revision();
        let (plans, last) = take(&platform, &format!("{BASE}---\na: [\n"), false).await;
        let Answer::Failed { code: 2, problems } = last else { panic!("{last:?}") };
        assert!(plans.is_empty() && problems[0].contains("a.yaml:"), "{problems:?}");
        assert_eq!(platform.regions()[0].store().revision(), before);
        let text = format!(
            "{BASE}---\napiVersion: mainstay.dev/v1alpha1\nkind: Platform\nmetadata: {{name: other}}\n"
        );
        let (_, last) = take(&platform, &text, false).await;
        let Answer::Failed { code: 3, problems } = last else { panic!("{last:?}") };
        assert!(problems[0].contains("M0201"), "{problems:?}");
    });
}
