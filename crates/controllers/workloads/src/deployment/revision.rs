//! Revisions: which template came when, and the annotations a new set takes from its Deployment.

use k8s_openapi::api::apps::v1::Deployment;

use super::set::{DESIRED, MOST, Set};

/// The number of a template among those a Deployment has had.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// The numbers a set had before it was rolled back to.
pub(crate) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The most characters of that history.
const HISTORY_CHARACTERS: usize = 2000;

/// Annotations a set does not take from its Deployment.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

/// A set's revision; 0 where it has none.
pub(crate) fn of(set: &Set) -> i64 {
    set.annotation(REVISION).and_then(|revision| revision.parse().ok()).unwrap_or_default()
}

/// The Deployment's annotations a set shall have.
pub(crate) fn inherited(deployment: &Deployment) -> impl Iterator<Item = (&String, &String)> {
    deployment.metadata.annotations.iter().flatten().filter(|(key, _)| !OWN.contains(&key.as_str()))
}

/// Brings the annotations of the set of the current template up to date.
pub(crate) fn bring_up_to_date(set: &mut Set, deployment: &Deployment, revision: i64) {
    for (key, value) in inherited(deployment) {
        set.annotate(key, value.clone());
    }
    let before = set.annotation(REVISION).map(str::to_owned);
    if of(set) >= revision {
        return;
    }
    set.annotate(REVISION, revision.to_string());
    // It had a number and gets a higher one: somebody rolled back to it.
    if let Some(before) = before {
        let history = set.annotation(HISTORY).unwrap_or_default();
        let history = append(history, &before);
        set.annotate(HISTORY, history);
    }
}

/// The history with one more number, without the oldest ones that no longer fit.
fn append(history: &str, revision: &str) -> String {
    if history.is_empty() {
        return revision.to_owned();
    }
    let mut all = format!("{history},{revision}");
    while all.len() > HISTORY_CHARACTERS {
        let Some((_, rest)) = all.split_once(',') else { break };
        all = rest.to_owned();
    }
    all
}
