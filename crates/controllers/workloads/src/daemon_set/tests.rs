//! Which nodes get a pod, what becomes of pods, and how a template is rolled out.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

mod changes;
mod nodes;
mod turns;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::plan::Plan;
use super::*;
use crate::deployment::template;

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn set(spec: Value) -> DaemonSet {
    let mut set = json!({
        "metadata": {"name": "foo", "namespace": "default", "uid": "foo", "generation": 3},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {"containers": [{"name": "c", "image": "foo/bar"}]},
            },
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        set["spec"][key] = value.clone();
    }
    serde_json::from_value(set).unwrap()
}

/// A template whose pods ask for this.
fn asking(spec: Value) -> Value {
    let mut all = json!({"containers": [{"name": "c", "image": "foo/bar"}]});
    for (key, value) in spec.as_object().unwrap() {
        all[key] = value.clone();
    }
    json!({"metadata": {"labels": {"app": "a"}}, "spec": all})
}

fn node(name: &str, labels: &Value, taints: &Value) -> Node {
    let node = json!({"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}});
    serde_json::from_value(node).unwrap()
}

/// A set with nodes and pods; what is planned happens at once.
struct Cluster {
    set: DaemonSet,
    nodes: Vec<Arc<Node>>,
    pods: BTreeMap<String, Arc<Pod>>,
    now: Timestamp,
    made: usize,
    deleted: Vec<String>,
}

impl Cluster {
    fn new(spec: Value) -> Self {
        Self {
            set: set(spec),
            nodes: Vec::new(),
            pods: BTreeMap::new(),
            now: time(1000),
            made: 0,
            deleted: Vec::new(),
        }
    }

    fn nodes(mut self, names: std::ops::Range<usize>, labels: Value, taints: Value) -> Self {
        for index in names {
            self.nodes.push(Arc::new(node(&format!("node-{index}"), &labels, &taints)));
        }
        self
    }

    fn plain(self, count: usize) -> Self {
        self.nodes(0..count, json!({}), json!([]))
    }

    /// Pods of the set's template.
    fn pods(mut self, node: &str, app: &str, count: usize, status: Value) -> Self {
        for _ in 0..count {
            self.add(node, json!({"app": app, "controller-revision-hash": self.hash()}), &status);
        }
        self
    }

    fn add(&mut self, node: &str, labels: Value, status: &Value) -> String {
        self.made += 1;
        let name = format!("foo-{:04}", self.made);
        let owner = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "foo", "uid": "foo", "controller": true});
        let pod = json!({
            "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels, "ownerReferences": [owner]},
            "spec": {"nodeName": node, "containers": []},
            "status": status,
        });
        self.pods.insert(name.clone(), Arc::new(serde_json::from_value(pod).unwrap()));
        name
    }

    /// An old pod or a new one, ready since some second or not, created at one.
    fn one(&mut self, node: &str, is_old: bool, created: i64, ready: Option<i64>) -> String {
        let hash = if is_old { "old".to_owned() } else { self.hash() };
        let name = self.add(node, json!({"app": "a", "controller-revision-hash": hash}), &readiness(ready));
        self.edit(&name, |pod| {
            let stamp = json!(time(created));
            pod.metadata.creation_timestamp = serde_json::from_value(stamp).unwrap();
        });
        name
    }

    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Pod)) {
        change(Arc::make_mut(self.pods.get_mut(name).unwrap()));
    }

    fn terminate(&mut self, name: &str) {
        self.edit(name, |pod| {
            pod.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        });
    }

    fn hash(&self) -> String {
        template::hash(&self.set.spec.as_ref().unwrap().template, None)
    }

    fn change(&mut self, spec: Value) {
        let mut changed = serde_json::to_value(&self.set).unwrap();
        for (key, value) in spec.as_object().unwrap() {
            changed["spec"][key] = value.clone();
        }
        self.set = serde_json::from_value(changed).unwrap();
    }

    fn image(&mut self, image: &str) {
        self.change(json!({"template": asking(json!({"containers": [{"name": "c", "image": image}]}))}));
    }

    /// Makes so many of the live pods that are otherwise ready or not, in order of their names.
    fn set_ready(&mut self, is_ready: bool, count: usize, accepts: impl Fn(&Pod) -> bool) {
        let now = self.now;
        let wanted = |pod: &Arc<Pod>| {
            pod.metadata.deletion_timestamp.is_none()
                && crate::pods::is_ready(pod) != is_ready
                && accepts(pod)
        };
        let names: Vec<_> =
            self.pods.iter().filter(|(_, pod)| wanted(pod)).map(|(name, _)| name.clone()).collect();
        for name in names.iter().take(count) {
            let status = readiness(is_ready.then_some(now.as_second()));
            self.edit(name, |pod| pod.status = serde_json::from_value(status).unwrap());
        }
    }

    fn all_ready(&mut self) {
        self.set_ready(true, usize::MAX, |_| true);
    }

    /// What the set claims of its pods.
    fn owned(&self) -> Vec<Arc<Pod>> {
        let selector = claim::selector(&self.set.spec.as_ref().unwrap().selector).unwrap();
        claim::claim(&self.set.metadata, &selector, self.pods.values().cloned().collect()).owned
    }

    fn with<T>(&self, look: impl FnOnce(&Board<'_>) -> T) -> T {
        let (owned, hash) = (self.owned(), self.hash());
        look(&Board::new(&self.set, &self.nodes, &owned, &hash, self.now))
    }

    /// One turn of both halves; how many pods were created and deleted.
    fn turn(&mut self) -> (usize, usize) {
        let plan = self.with(|board| plan::advance(board, &|_| None));
        let first = self.apply(&plan);
        let plan = self.with(rollout::advance);
        let second = self.apply(&plan);
        (first.0 + second.0, first.1 + second.1)
    }

    fn apply(&mut self, plan: &Plan) -> (usize, usize) {
        self.deleted.clear();
        for node in &plan.create {
            self.made += 1;
            let name = format!("foo-{:04}", self.made);
            let mut pod = pod::on(&pod::pod(&self.set, &self.hash()), node);
            pod.metadata.name = Some(name.clone());
            pod.metadata.uid = Some(name.clone());
            self.pods.insert(name, Arc::new(pod));
        }
        for pod in &plan.delete {
            let name = pod.metadata.name.clone().unwrap();
            assert!(self.pods.remove(&name).is_some(), "{name} is deleted twice");
            self.deleted.push(name);
        }
        (plan.create.len(), plan.delete.len())
    }
}

fn readiness(since: Option<i64>) -> Value {
    let status = if since.is_some() { "True" } else { "False" };
    let since = since.map(time);
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": since}]})
}

#[test]
fn each_node_that_shall_have_a_pod_gets_one_whatever_the_strategy() {
    let labelled = json!({"color": "blue"});
    let chosen = || json!({"template": asking(json!({"nodeSelector": {"color": "blue"}}))});
    let named = |name: &str| json!({"template": asking(json!({"nodeName": name}))});
    let both = |name: &str| json!({"template": asking(json!({"nodeName": name, "nodeSelector": {"color": "blue"}}))});
    let of = |spec: Value| Cluster::new(spec);
    let mixed = |spec: Value, plain: usize| {
        of(spec).nodes(0..plain, json!({}), json!([])).nodes(plain..plain + 5, labelled.clone(), json!([]))
    };
    let affine = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "color", "operator": "In", "values": ["blue"]}]}]}}}});
    let none = || json!({});
    let cases = vec![
        ("no node", of(none()), (0, 0)),
        ("one node", of(none()).plain(1), (1, 0)),
        ("five nodes", of(none()).plain(5), (5, 0)),
        (
            "pods that are there",
            of(none())
                .plain(5)
                .pods("node-1", "a", 1, none())
                .pods("node-2", "a", 2, none())
                .pods("node-3", "a", 5, none())
                .pods("node-4", "b", 2, none()),
            (2, 5),
        ),
        ("a selector", of(chosen()).plain(4).nodes(4..7, labelled.clone(), json!([])), (3, 0)),
        (
            "a selector, and pods elsewhere",
            mixed(chosen(), 5)
                .pods("node-0", "b", 2, none())
                .pods("node-1", "a", 3, none())
                .pods("node-1", "b", 1, none())
                .pods("node-4", "a", 1, none()),
            (5, 4),
        ),
        (
            "a selector, and pods everywhere",
            mixed(chosen(), 5)
                .pods("node-0", "a", 1, none())
                .pods("node-1", "a", 3, none())
                .pods("node-1", "b", 2, none())
                .pods("node-2", "a", 4, none())
                .pods("node-6", "a", 13, none())
                .pods("node-7", "b", 4, none())
                .pods("node-9", "a", 1, none())
                .pods("node-9", "b", 1, none()),
            (3, 20),
        ),
        ("a selector that nothing meets", of(chosen()).plain(4), (0, 0)),
        ("a name", of(named("node-0")).plain(5), (1, 0)),
        ("a name of no node", of(named("node-10")).plain(5), (0, 0)),
        ("a name and a selector that agree", mixed(both("node-6"), 4), (1, 0)),
        ("a name and a selector that do not", mixed(both("node-0"), 4), (0, 0)),
        (
            "affinity",
            of(json!({"template": asking(affine)})).plain(4).nodes(4..7, labelled, json!([])),
            (3, 0),
        ),
        ("a port that its own pod has", of(none()).plain(1).pods("node-0", "a", 1, none()), (0, 0)),
    ];
    for strategy in ["OnDelete", "RollingUpdate"] {
        for (what, cluster, expected) in &cases {
            let mut cluster = Cluster {
                set: cluster.set.clone(),
                nodes: cluster.nodes.clone(),
                pods: cluster.pods.clone(),
                deleted: Vec::new(),
                ..*cluster
            };
            cluster.change(
                json!({"updateStrategy": {"type": strategy, "rollingUpdate": {"maxUnavailable": 1}}}),
            );
            let made = cluster.with(|board| plan::advance(board, &|_| None));
            assert_eq!((made.create.len(), made.delete.len()), *expected, "{what}, {strategy}");
        }
    }
}

#[test]
fn pods_that_ended_go_one_at_a_time_and_not_during_the_delay() {
    for (failed, normal, expected) in [(0, 1, (0, 0)), (0, 0, (1, 0)), (1, 0, (0, 1)), (1, 3, (0, 3))] {
        let cluster = Cluster::new(json!({})).plain(1);
        let cluster = cluster.pods("node-0", "a", failed, json!({"phase": "Failed"}));
        let cluster = cluster.pods("node-0", "a", normal, json!({}));
        let plan = cluster.with(|board| plan::advance(board, &|_| None));
        assert_eq!(
            (plan.create.len(), plan.delete.len(), plan.failed.len()),
            (expected.0, expected.1, failed)
        );
    }
    let cluster = Cluster::new(json!({})).plain(1).pods("node-0", "a", 2, json!({"phase": "Failed"}));
    let plan = cluster.with(|board| plan::advance(board, &|_| None));
    assert_eq!(plan.delete.len(), 1, "the first one begins the delay of the others");
    let delay = std::time::Duration::from_secs(4);
    let plan = cluster.with(|board| plan::advance(board, &|node| (node == "node-0").then_some(delay)));
    assert_eq!((plan.is_empty(), plan.next), (true, Some(delay)));
    let cluster = Cluster::new(json!({})).plain(1).pods("node-0", "a", 1, json!({"phase": "Succeeded"}));
    let plan = cluster.with(|board| plan::advance(board, &|_| Some(delay)));
    assert_eq!((plan.delete.len(), plan.succeeded.len()), (1, 1));
}

#[test]
fn a_pod_on_its_way_out_is_waited_for_and_one_that_ended_is_not() {
    let mut cluster = Cluster::new(json!({})).plain(2).pods("node-0", "a", 1, json!({"phase": "Running"}));
    cluster = cluster.pods("node-1", "a", 1, json!({"phase": "Failed"}));
    cluster.terminate("foo-0001");
    cluster.terminate("foo-0002");
    assert_eq!(cluster.with(|board| plan::advance(board, &|_| None)).create, ["node-1"]);
}

#[test]
fn an_unbound_pod_for_a_node_that_is_gone_is_deleted_and_a_bound_one_left() {
    let mut cluster = Cluster::new(json!({})).plain(1);
    assert_eq!(cluster.turn(), (1, 0));
    cluster.nodes.clear();
    cluster = cluster.pods("node-0", "a", 1, json!({}));
    assert_eq!(cluster.turn(), (0, 1));
    assert_eq!(cluster.deleted.len() + cluster.pods.len(), 1);
    assert!(cluster.pods.contains_key("foo-0002"));
}

#[test]
fn pods_are_sorted_by_the_node_they_are_on_or_meant_for() {
    let mut cluster = Cluster::new(json!({})).plain(2);
    cluster.turn();
    let bound = cluster.one("node-1", false, 5, None);
    let elder = cluster.one("node-1", false, 4, None);
    let strange = cluster.add("node-1", json!({"app": "b"}), &json!({}));
    let gone = cluster.one("node-0", false, 4, None);
    cluster.edit(&gone, |pod| pod.status = serde_json::from_value(json!({"phase": "Failed"})).unwrap());
    cluster.terminate(&gone);
    cluster.with(|board| {
        let names =
            |node: &str| board.pods[node].iter().map(|pod| board::name(pod).to_owned()).collect::<Vec<_>>();
        assert_eq!(names("node-0"), ["foo-0001"]);
        assert_eq!(names("node-1"), [elder.clone(), bound.clone(), "foo-0002".to_owned()]);
        assert!(!names("node-1").contains(&strange));
    });
}

#[test]
fn the_status_counts_nodes_and_looks_at_the_oldest_pod_of_each() {
    let spec =
        json!({"template": asking(json!({"nodeSelector": {"color": "blue"}})), "minReadySeconds": 100});
    let blue = json!({"color": "blue"});
    let mut cluster = Cluster::new(spec).nodes(0..4, blue, json!([])).nodes(4..6, json!({}), json!([]));
    cluster.one("node-0", false, 1, Some(900));
    cluster.one("node-1", false, 1, Some(901));
    cluster.one("node-2", true, 1, None);
    cluster.one("node-2", false, 2, Some(1));
    cluster.one("node-4", false, 1, Some(1));
    let status = cluster.with(|board| status::status(board, Some(3)));
    let expected = json!({
        "desiredNumberScheduled": 4, "currentNumberScheduled": 3, "numberMisscheduled": 1, "numberReady": 2,
        "numberAvailable": 1, "updatedNumberScheduled": 2, "numberUnavailable": 3, "observedGeneration": 3,
    });
    assert_eq!(serde_json::to_value(status).unwrap(), expected);
    assert_eq!(cluster.with(status::next_available), Some(std::time::Duration::from_secs(1)));
}

#[test]
fn of_equal_revisions_the_latest_stays_and_of_dead_ones_as_many_as_are_wanted() {
    let revision = |name: &str, number: i64, image: &str| {
        let value = json!({"metadata": {"name": name, "labels": {"controller-revision-hash": name}},
                           "data": {"image": image}, "revision": number});
        Arc::new(serde_json::from_value::<ControllerRevision>(value).unwrap())
    };
    let all = [revision("a", 1, "x"), revision("b", 2, "y"), revision("c", 3, "x"), revision("d", 4, "z")];
    let sorted = revisions::sorted(&all, &json!({"image": "x"}));
    let names = |all: &[Arc<ControllerRevision>]| {
        all.iter().map(|it| history::name(it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted.current.as_deref().map(history::name), Some("c"));
    assert_eq!(
        (names(&sorted.duplicates), names(&sorted.old)),
        (vec!["a".to_owned()], vec!["b".to_owned(), "d".to_owned()])
    );
    let mut cluster = Cluster::new(json!({}));
    cluster.add("node-0", json!({"app": "a", "controller-revision-hash": "b"}), &json!({}));
    for (limit, expected) in
        [(10, vec![]), (4, vec![]), (3, vec!["a"]), (1, vec!["a", "c", "d"]), (0, vec!["a", "c", "d"])]
    {
        assert_eq!(names(&revisions::surplus(&all, &cluster.owned(), limit)), expected, "{limit}");
    }
}
