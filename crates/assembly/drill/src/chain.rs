//! Why something is as it is: what last happened to the objects involved, in order.
//!
//! Involved are the objects asked about, whom they belong to, what belongs to them, the Nodes their
//! pods are on, and those Nodes' machines. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::history::{History, Subject};

/// The longest chain that is told.
const LINKS: usize = 24;
/// Moments told of one object.
const OF_ONE: usize = 5;
/// Steps of the drill told before it.
const STEPS: usize = 4;
/// Objects looked at.
const INVOLVED: usize = 400;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// When, in seconds from the start of the drill.
    pub at_seconds: f64,
    /// What it happened to; `drill` for a step.
    pub object: String,
    /// What happened.
    pub what: String,
}

/// What led to how `subjects` stand at `until`.
pub(crate) fn chain(history: &History, subjects: &[Subject], until: Duration) -> Vec<Link> {
    let mut found: Vec<(Duration, String, String)> = Vec::new();
    for subject in involved(history, subjects) {
        let Some(track) = history.track(&subject) else { continue };
        let before = track.moments.iter().filter(|moment| moment.at <= until && !moment.is_everyday);
        let newest: Vec<_> = before.rev().take(OF_ONE).collect();
        found.extend(newest.into_iter().rev().map(|one| (one.at, subject.to_string(), one.what.clone())));
    }
    found.sort_by_key(|(at, _, _)| *at);
    let mut found = found.split_off(found.len().saturating_sub(LINKS));
    let steps: Vec<_> = history.steps.iter().filter(|(at, _)| *at <= until).rev().take(STEPS).collect();
    found.extend(steps.into_iter().rev().map(|(at, what)| (*at, "drill".to_owned(), what.clone())));
    found.sort_by_key(|(at, object, _)| (*at, object != "drill"));
    found.into_iter().map(|(at, object, what)| Link { at_seconds: at.as_secs_f64(), object, what }).collect()
}

/// The subjects and everything they hang together with.
fn involved(history: &History, subjects: &[Subject]) -> BTreeSet<Subject> {
    let mut children: BTreeMap<&Subject, Vec<&Subject>> = BTreeMap::new();
    let mut machines: BTreeMap<&Subject, Vec<&Subject>> = BTreeMap::new();
    for (subject, track) in history.tracks() {
        track.owners.iter().for_each(|owner| children.entry(owner).or_default().push(subject));
        if let Some(node) = track.node.as_ref().filter(|_| subject.kind == "NodeClaim") {
            machines.entry(node).or_default().push(subject);
        }
    }
    let mut found: BTreeSet<Subject> = subjects.iter().cloned().collect();
    let mut down: Vec<Subject> = subjects.to_vec();
    while let Some(subject) = down.pop().filter(|_| found.len() < INVOLVED) {
        for child in children.get(&subject).into_iter().flatten() {
            if found.insert((*child).clone()) {
                down.push((*child).clone());
            }
        }
    }
    let mut up: Vec<Subject> = subjects.to_vec();
    while let Some(subject) = up.pop() {
        let owners = history.track(&subject).map(|track| track.owners.as_slice()).unwrap_or_default();
        up.extend(owners.iter().filter(|owner| found.insert((*owner).clone())).cloned());
    }
    let pods = found.iter().filter(|subject| subject.kind == "Pod");
    let nodes: Vec<Subject> =
        pods.filter_map(|pod| history.track(pod).and_then(|track| track.node.clone())).collect();
    found.extend(nodes);
    let nodes: Vec<Subject> = found.iter().filter(|subject| subject.kind == "Node").cloned().collect();
    for node in &nodes {
        found.extend(machines.get(node).into_iter().flatten().map(|machine| (*machine).clone()));
    }
    found
}
