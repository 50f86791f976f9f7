//! Upstream's cases, as scenes, and what holds of every thought of preemption.
//!
//! A scene begins with `==` and its name. `node` has one label or limit; the nodes that are `hopeless`
//! could not do even without pods; `want` is the pod that fits nowhere. What is expected is who would
//! have to go on each node (in brackets: how many a budget would keep), where they go, or what is told.

use super::*;
use crate::fixture::{node, pod, random};
use crate::life::Life;
use crate::{Draw, Seen, Unschedulable, schedule};
use mainstay_control::Key;
use serde_json::{Value, json};

struct Scene {
    name: String,
    snapshot: Snapshot,
    resolvable: Vec<NodeId>,
    pod: PodState,
    sought: (usize, usize),
    expected: String,
}

fn priority(word: &str) -> Option<i32> {
    Some(match word {
        "neg" => -100,
        "low" => 0,
        "mid" => 100,
        "high" => 1000,
        "veryhigh" => 10000,
        _ => return None,
    })
}

fn size(word: &str) -> Option<u32> {
    Some(match word {
        "small" => 100,
        "medium" => 200,
        "large" => 300,
        "verylarge" => 500,
        _ => return None,
    })
}

fn spread() -> Value {
    let over = |key: &str| {
        json!({"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
               "labelSelector": {"matchExpressions": [{"key": "foo", "operator": "Exists"}]}})
    };
    json!([over("zone"), over("kubernetes.io/hostname")])
}

/// A pod of these words.
fn described(name: &str, words: &[&str]) -> Seen {
    let mut it = json!({"metadata": {"labels": {}}, "status": {}, "spec": {}});
    for word in words {
        if let Some(priority) = priority(word) {
            it["spec"]["priority"] = json!(priority);
        } else if let Some(size) = size(word) {
            let requests = json!({"cpu": format!("{size}m"), "memory": size.to_string()});
            it["spec"]["containers"] = json!([{"name": "c", "resources": {"requests": requests}}]);
        } else if let Some(start) = word.strip_prefix('@') {
            it["status"]["startTime"] = json!(format!("1970-01-01T00:00:0{start}Z"));
        } else if *word == "far" {
            let selector = json!({"matchExpressions": [{"key": "foo", "operator": "Exists"}]});
            let term = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": selector});
            it["spec"]["affinity"]["podAntiAffinity"] =
                json!({"requiredDuringSchedulingIgnoredDuringExecution": [term]});
        } else if *word == "spread" {
            it["spec"]["topologySpreadConstraints"] = spread();
        } else if *word == "never" {
            it["spec"]["preemptionPolicy"] = json!("Never");
        } else if *word == "leaving" {
            it["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:00:00Z");
        } else if *word == "preempted" {
            it["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
                "reason": "PreemptionByScheduler", "lastTransitionTime": "1970-01-01T00:00:00Z"}]);
        } else {
            let (key, value) = word.split_once('=').unwrap();
            it["metadata"]["labels"][key] = json!(value);
        }
    }
    pod(name, it)
}

fn place(snapshot: &mut Snapshot, words: &[&str]) {
    let seen = described(words[0], &words[2..]);
    let state = Arc::new(PodState::of(&seen));
    snapshot.put_pod(words[1], state.clone());
    snapshot.note(&state.key, Life::of(&seen));
}

fn node_of(words: &[&str]) -> k8s_openapi::api::core::v1::Node {
    let mut it = json!({"metadata": {"labels": {}}, "spec": {},
                        "status": {"allocatable": {"cpu": "500m", "memory": "500", "pods": "32"}}});
    match words.get(1).map(|word| word.split_once('=').unwrap_or((word, ""))) {
        Some(("tainted", _)) => it["spec"]["taints"] = json!([{"key": "t", "effect": "NoSchedule"}]),
        Some(("zone", zone)) => it["metadata"]["labels"]["zone"] = json!(zone),
        Some((resource, amount)) => it["status"]["allocatable"][resource] = json!(amount),
        None => {}
    }
    node(words[0], it)
}

fn budget(index: usize, words: &[&str]) -> crate::budgets::SeenBudget {
    let (key, value) = words[0].split_once('=').unwrap();
    let of = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let disrupted = of("disrupted=").map(|name| json!({name: "1970-01-01T00:00:00Z"}));
    let allowed: i32 = of("allowed=").unwrap().parse().unwrap();
    let it = json!({"metadata": {"name": format!("b{index}"), "namespace": "default"},
        "spec": {"selector": {"matchLabels": {key: value}}},
        "status": {"disruptionsAllowed": allowed, "disruptedPods": disrupted}});
    serde_json::from_value(it).unwrap()
}

impl Scene {
    fn read(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let name = lines.next().unwrap().to_owned();
        let mut scene = Self {
            name,
            snapshot: Snapshot::default(),
            resolvable: Vec::new(),
            pod: PodState::default(),
            sought: (LEAST_SOUGHT, 0),
            expected: String::new(),
        };
        for (index, line) in lines.enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "node" => {
                    scene.snapshot.put(&node_of(&words[1..]));
                    scene.resolvable.push(scene.snapshot.node(words[1]).unwrap().id);
                }
                "hopeless" => {
                    let is_hopeless = |id: &NodeId| words.contains(&&*scene.snapshot.at(*id).name);
                    scene.resolvable.retain(|id| !is_hopeless(id));
                }
                "budget" => scene.snapshot.budgets_mut().put(budget(index, &words[1..])),
                "sought" => scene.sought = (words[1].parse().unwrap(), words[3].parse().unwrap()),
                "pod" => place(&mut scene.snapshot, &words[1..]),
                "want" => scene.want(&words[1..]),
                ">" => scene.expected = line[2..].to_owned(),
                other => panic!("{}: {other}", scene.name),
            }
        }
        scene
    }

    fn want(&mut self, words: &[&str]) {
        let (on, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("on="));
        self.pod = PodState::of(&described("wanted", &words));
        if let Some(node) = on.first() {
            self.snapshot.nominations_mut().put(Arc::new(self.pod.clone()), node[3..].into());
        }
    }

    fn play(&mut self) -> String {
        let (what, _) = self.expected.split_once(' ').unwrap();
        self.snapshot.turn();
        let mut verdicts = Verdicts::default();
        let (pod, snapshot) = (&self.pod, &mut self.snapshot);
        if what == "candidates" {
            let from = (self.resolvable.as_slice(), self.sought.1);
            let found = candidates(pod, snapshot, &mut verdicts, from, self.sought.0, &mut BTreeMap::new());
            let mut said: Vec<String> = found.iter().map(|candidate| words(candidate, snapshot)).collect();
            said.sort();
            let said = if said.is_empty() { "none".to_owned() } else { said.join(" | ") };
            return format!("candidates {said}");
        }
        match prospect(pod, snapshot, &mut verdicts, &self.resolvable, |_| 0) {
            Preemption::Possible(it) => {
                let id = snapshot.node(&it.node).unwrap().id;
                let candidate = victims::on(pod, snapshot, &mut verdicts, id).unwrap();
                format!("chosen {}", words(&candidate, snapshot))
            }
            preemption => {
                let told = Unschedulable { preemption, ..Unschedulable::among(snapshot.len()) }.to_string();
                format!("told {}", told.split_once(" preemption: ").unwrap().1)
            }
        }
    }
}

fn words(candidate: &Candidate, snapshot: &Snapshot) -> String {
    let mut names: Vec<&str> = candidate.victims.iter().map(|victim| &*victim.pod.key.name).collect();
    names.sort_unstable();
    let violations = candidate.violations;
    let violations = if violations == 0 { String::new() } else { format!(" ({violations})") };
    format!("{}: {}{violations}", snapshot.at(candidate.node).name, names.join(" "))
}

#[test]
fn pods_give_way_as_upstream_has_it() {
    let mut wrong = Vec::new();
    for text in include_str!("scenes.txt").split("\n== ").skip(1) {
        let mut scene = Scene::read(text);
        let before: Vec<_> = scene.snapshot.nodes().cloned().collect();
        let said = scene.play();
        if said != scene.expected {
            wrong.push(format!("{}: {said}, not {}", scene.name, scene.expected));
        }
        let after: Vec<_> = scene.snapshot.nodes().cloned().collect();
        assert_eq!(before, after, "{}: a thought moves nobody", scene.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn full(priority: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for name in ["n1", "n2"] {
        snapshot.put(&node_of(&[name]));
        place(&mut snapshot, &[&format!("on-{name}"), name, priority, "verylarge"]);
    }
    snapshot
}

fn wanted(words: &[&str]) -> Arc<PodState> {
    Arc::new(PodState::of(&described(words[0], &words[1..])))
}

#[test]
fn who_has_a_node_in_prospect_keeps_pods_of_its_priority_and_below_away_from_it() {
    let mut snapshot = full("low");
    let mut draw = Draw::new(random(1));
    let major = wanted(&["major", "mid", "large"]);
    let why = schedule(&major, &mut snapshot, &mut draw).unwrap_err();
    let Preemption::Possible(displacement) = why.preemption else { panic!("{why}") };
    let node = displacement.node.clone();
    snapshot.remove_pod(&displacement.victims[0].key);
    snapshot.nominations_mut().put(major.clone(), node.clone());
    let refused = |words: &[&str], snapshot: &mut Snapshot, draw: &mut Draw| {
        schedule(&wanted(words), snapshot, draw).unwrap_err().to_string()
    };
    let told = refused(&["minor", "low", "large"], &mut snapshot, &mut draw);
    assert!(
        told.starts_with("0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory."),
        "{told}"
    );
    let fits = |words: &[&str], snapshot: &mut Snapshot, draw: &mut Draw| {
        schedule(&wanted(words), snapshot, draw).map(|placement| placement.node)
    };
    assert_eq!(fits(&["small", "low", "medium"], &mut snapshot, &mut draw), Ok(node.clone()));
    assert_eq!(fits(&["upper", "high", "large"], &mut snapshot, &mut draw), Ok(node.clone()));
    let placement = schedule(&major, &mut snapshot, &mut draw).unwrap();
    assert_eq!((placement.node, placement.evaluated), (node, 1), "it looks at its own node first");
}

#[test]
fn another_of_the_same_priority_finds_other_victims() {
    let mut snapshot = full("low");
    let mut draw = Draw::new(random(1));
    let mut nodes = Vec::new();
    for name in ["one", "two"] {
        let pod = wanted(&[name, "mid", "large"]);
        let why = schedule(&pod, &mut snapshot, &mut draw).unwrap_err();
        let Preemption::Possible(displacement) = why.preemption else { panic!("{why}") };
        snapshot.nominations_mut().put(pod, displacement.node.clone());
        nodes.push(displacement.node);
    }
    assert_ne!(nodes[0], nodes[1]);
    let third = schedule(&wanted(&["three", "mid", "large"]), &mut snapshot, &mut draw).unwrap_err();
    assert!(matches!(third.preemption, Preemption::Futile(_)), "{third}");
    let upper = schedule(&wanted(&["upper", "high", "large"]), &mut snapshot, &mut draw).unwrap_err();
    let Preemption::Possible(displacement) = upper.preemption else { panic!("{upper}") };
    let outranked: Vec<&Key> = displacement.outranked.iter().map(|pod| &pod.key).collect();
    assert_eq!(outranked.len(), 1, "{outranked:?}");
}
