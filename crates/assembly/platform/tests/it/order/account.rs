//! What was committed, as each object's story: lines of what followed what.

use std::collections::BTreeMap;

use mainstay_store::{Event, EventKind};
use serde_json::Value;

/// The label of a Node that says which group it is of.
const GROUP: &str = "alpha.eksctl.io/nodegroup-name";
/// The kinds whose story is told.
const KINDS: [&str; 9] = [
    "DaemonSet",
    "Deployment",
    "Job",
    "Node",
    "NodeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "StatefulSet",
];

/// An object: its kind, namespace and name.
type Name = (String, String, String);

/// All stories so far.
#[derive(Default)]
pub(crate) struct Account {
    lives: BTreeMap<Name, Life>,
    uids: Vec<String>,
}

/// One object's.
#[derive(Default)]
struct Life {
    /// What it is called in every World.
    alias: Option<Alias>,
    /// Lines by what they are about; nothing stands twice in a row.
    lines: BTreeMap<String, Vec<String>>,
}

enum Alias {
    /// One of those that this object owns, under a name that is drawn.
    Of(Name),
    Fixed(String),
}

impl Account {
    /// Takes in a committed change.
    pub(crate) fn note(&mut self, event: &Event) {
        let object: Value = serde_json::from_slice(&event.record.value).unwrap();
        let kind = text(&object["kind"]);
        if kind == "Event" && event.kind != EventKind::Deleted {
            let about = &object["involvedObject"];
            let name = (text(&about["kind"]), text(&about["namespace"]), text(&about["name"]));
            let line = format!("told by {}", text(&object["source"]["component"]));
            self.say(&name, line, ["type", "reason", "message"].map(|field| text(&object[field])).join(" "));
        }
        if KINDS.contains(&kind.as_str()) {
            let metadata = &object["metadata"];
            let name = (kind, text(&metadata["namespace"]), text(&metadata["name"]));
            self.uids.push(text(&metadata["uid"]));
            self.observe(&name, &object, event.kind == EventKind::Deleted);
        }
    }

    fn observe(&mut self, name: &Name, object: &Value, is_gone: bool) {
        let life = self.lives.entry(name.clone()).or_default();
        if life.alias.is_none() {
            life.alias = alias(name, object);
        }
        if is_gone {
            return self.say(name, "end".to_owned(), "deleted".to_owned());
        }
        let status = &object["status"];
        for condition in list(&status["conditions"]) {
            let said = ["status", "reason", "message"].map(|field| text(&condition[field])).join(" ");
            self.say(name, format!("condition {}", text(&condition["type"])), said);
        }
        if let Some(phase) = status["phase"].as_str() {
            self.say(name, "phase".to_owned(), phase.to_owned());
        }
        for container in list(&status["containerStatuses"]) {
            let said = format!("{} restarts {}", state(&container["state"]), container["restartCount"]);
            self.say(name, format!("container {}", text(&container["name"])), said);
        }
        if name.0 == "Node" {
            let is_cordoned = object["spec"]["unschedulable"] == true;
            self.say(name, "cordoned".to_owned(), is_cordoned.to_string());
        }
    }

    fn say(&mut self, name: &Name, line: String, said: String) {
        let line = self.lives.entry(name.clone()).or_default().lines.entry(line).or_default();
        if line.last() != Some(&said) {
            line.push(said);
        }
    }

    /// Every object's story in words that no seed decides, in order.
    pub(crate) fn stories(&self) -> Vec<String> {
        let mut names: Vec<(&str, String)> = self
            .lives
            .iter()
            .filter(|(_, life)| life.alias.is_some())
            .map(|(name, _)| (name.2.as_str(), self.called(name)))
            .chain(self.uids.iter().map(|uid| (uid.as_str(), "<uid>".to_owned())))
            .collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.dedup();
        let plain = |said: &String| {
            names.iter().fold(said.clone(), |said, (name, called)| said.replace(name, called))
        };
        let mut stories: Vec<String> = self
            .lives
            .iter()
            .filter(|(name, _)| KINDS.contains(&name.0.as_str()))
            .map(|(name, life)| {
                let mut story = format!("{} {}/{}\n", name.0, name.1, self.called(name));
                for (line, said) in &life.lines {
                    // A line of one word is said again where two names became one.
                    let mut said: Vec<String> = said.iter().map(plain).collect();
                    said.dedup();
                    story += "  ";
                    story += line;
                    for one in said {
                        story += "\n    ";
                        story += &one;
                    }
                    story.push('\n');
                }
                story
            })
            .collect();
        stories.sort();
        stories
    }

    fn called(&self, name: &Name) -> String {
        match self.lives.get(name).and_then(|life| life.alias.as_ref()) {
            Some(Alias::Of(owner)) => format!("{}-*", self.called(owner)),
            Some(Alias::Fixed(alias)) => alias.clone(),
            None => name.2.clone(),
        }
    }
}

/// What an object is called whose name is drawn.
fn alias(name: &Name, object: &Value) -> Option<Alias> {
    let metadata = &object["metadata"];
    if name.0 == "Node" {
        return Some(Alias::Fixed(format!("<node of {}>", text(&metadata["labels"][GROUP]))));
    }
    metadata["generateName"].as_str()?;
    let owner = list(&metadata["ownerReferences"]).first()?;
    let owner = (text(&owner["kind"]), name.1.clone(), text(&owner["name"]));
    (owner.0 != "StatefulSet").then_some(Alias::Of(owner))
}

/// A container's state in a word or two.
fn state(state: &Value) -> String {
    if state.get("running").is_some() {
        return "running".to_owned();
    }
    let of = |what: &str| text(&state[what]["reason"]);
    if state.get("terminated").is_some() {
        return format!("terminated {} {}", of("terminated"), state["terminated"]["exitCode"]);
    }
    format!("waiting {}", of("waiting"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
