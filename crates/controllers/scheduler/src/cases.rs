//! Upstream's cases, as scenes: nodes, pods on them, one that wants a node, and what is said of each node.
//!
//! A scene begins with `==` and its name. `node` has labels; `offers`, `taint`, `image` and `cordoned`
//! below it are its facts. `on` has nodes (`*3`: three times), then a namespace and labels of a pod on
//! each; `want` is the pod that is decided on; what a pod asks for is below it. `>` is what is expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use crate::fixture::{pod, wanted};
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::{Verdict, Verdicts};
use crate::{Demand, PodState, Snapshot};

mod lines;
mod runs;

/// Nodes, with how many pods of these are on each.
type Placed = (Vec<(String, usize)>, Value);

/// A scene as it is played.
struct Scene {
    name: String,
    snapshot: Snapshot,
    pod: PodState,
    expected: Vec<String>,
}

impl Scene {
    /// All scenes of a file.
    fn all(text: &str) -> Vec<Self> {
        text.split("\n== ").skip(1).map(Self::read).collect()
    }

    fn read(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let name = lines.next().unwrap().to_owned();
        let (mut snapshot, mut nodes) = (Snapshot::default(), Vec::new());
        let mut pods: Vec<Placed> = Vec::new();
        let (mut wants, mut expected) = (json!({}), Vec::new());
        let mut below = lines::Below::Nothing;
        for line in lines {
            if let Some(line) = line.strip_prefix("  ") {
                match &below {
                    lines::Below::Node => lines::of_node(nodes.last_mut().unwrap(), line),
                    lines::Below::Pod => lines::of_pod(&mut pods.last_mut().unwrap().1, line),
                    lines::Below::Wanted => lines::of_pod(&mut wants, line),
                    lines::Below::Nothing => panic!("{name}: {line}"),
                }
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "node" => {
                    nodes.push(lines::node(rest));
                    below = lines::Below::Node;
                }
                "on" => {
                    pods.push(lines::placed(rest));
                    below = lines::Below::Pod;
                }
                "want" => {
                    wants = lines::labelled(rest);
                    below = lines::Below::Wanted;
                }
                "namespace" | "service" => lines::relate(&mut snapshot, word, rest),
                ">" => expected.push(rest.to_owned()),
                other => panic!("{name}: {other}"),
            }
        }
        for node in nodes {
            snapshot.put(&serde_json::from_value(node).unwrap());
        }
        place(&mut snapshot, &pods);
        Self { name, snapshot, pod: wanted(wants), expected }
    }

    /// The nodes whose names are expected something of, in the order of names.
    fn nodes(&self) -> Vec<(String, NodeId)> {
        self.snapshot.nodes().map(|node| (node.name.to_string(), node.id)).collect()
    }

    /// What is expected of a node: what stands before the colon of the line that names it.
    fn expected_of(&self, node: &str) -> &str {
        let mut found = self.expected.iter().filter_map(|line| line.rsplit_once(": "));
        let line = found.find(|(_, nodes)| nodes.split(' ').any(|name| name == node));
        line.unwrap_or_else(|| panic!("{}: nothing is expected of {node}", self.name)).0
    }

    /// The scores that are expected, by the numbers of the nodes; `None` where nobody prefers anything.
    fn expected_scores(&self) -> Option<Vec<(NodeId, i64)>> {
        let line = self.expected.first().unwrap();
        if line == "none" {
            return None;
        }
        let scores = line.split(' ').map(|score| score.split_once('=').unwrap());
        let id = |name: &str| self.snapshot.node(name).unwrap().id;
        Some(scores.map(|(name, score)| (id(name), score.parse().unwrap())).collect())
    }

    /// Verdicts on all nodes.
    fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for node in self.snapshot.nodes() {
            verdicts.on(&self.pod.demand, node);
        }
        verdicts
    }

    fn verdict(&self, node: NodeId) -> Verdict {
        Verdict::of(&self.pod.demand, self.snapshot.at(node))
    }
}

/// Something that happens to a node or a pod while another pod waits.
pub(crate) struct Happening {
    pub(crate) name: String,
    pub(crate) demand: Arc<Demand>,
    /// The node before and after.
    pub(crate) nodes: (Option<Node>, Option<Node>),
    /// The pod before and after.
    pub(crate) pods: (Option<PodState>, Option<PodState>),
    /// Whether it may help: `queue` or `skip`.
    pub(crate) expected: String,
}

/// All happenings of a file: `old-` and `new-` before `node` and `pod` are before and after.
pub(crate) fn happenings(text: &str) -> Vec<Happening> {
    text.split("\n== ").skip(1).map(happening).collect()
}

fn happening(text: &str) -> Happening {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let name = lines.next().unwrap().to_owned();
    let (mut parts, mut expected) = (BTreeMap::<&str, Value>::new(), String::new());
    let mut last = "";
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (line.strip_prefix("  "), word) {
            (Some(line), _) if last.ends_with("node") => lines::of_node(parts.get_mut(last).unwrap(), line),
            (Some(line), _) => lines::of_pod(parts.get_mut(last).unwrap(), line),
            (None, ">") => rest.clone_into(&mut expected),
            (None, _) => {
                let part = if word.ends_with("node") { lines::node(rest) } else { lines::labelled(rest) };
                parts.insert(word, part);
                last = word;
            }
        }
    }
    let node = |word: &str| parts.get(word).map(|node| serde_json::from_value(node.clone()).unwrap());
    let state = |word: &str| parts.get(word).map(|changes| PodState::of(&pod(word, changes.clone())));
    Happening {
        name,
        demand: state("want").unwrap().demand,
        nodes: (node("old-node"), node("new-node")),
        pods: (state("old-pod"), state("new-pod")),
        expected,
    }
}

fn place(snapshot: &mut Snapshot, pods: &[Placed]) {
    let mut count = 0;
    for (places, changes) in pods {
        for (node, times) in places {
            for _ in 0..*times {
                count += 1;
                let state = PodState::of(&pod(&format!("p{count}"), changes.clone()));
                snapshot.put_pod(node, state.into());
            }
        }
    }
}
