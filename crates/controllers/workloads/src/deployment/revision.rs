//! Revisions: which template came when, and the annotations a new set takes from its Deployment.

use k8s_openapi::api::apps::v1::Deployment;

use super::set::{DESIRED, MOST, Set};

/// The number of a template among those a Deployment has had.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// The numbers a set had before it was rolled back to.
pub(crate) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The most characters of that history.
const HISTORY_CHARACTERS: usize = 2000;

/// The revision that somebody asks to go back to.
pub(crate) const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

/// Annotations a set does not take from its Deployment.
const OWN: [&str; 6] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST, ROLLBACK_TO];

/// A set's revision; 0 where it has none.
pub(crate) fn of(set: &Set) -> i64 {
    set.annotation(REVISION).and_then(|revision| revision.parse().ok()).unwrap_or_default()
}

/// The Deployment's annotations a set shall have.
pub(crate) fn inherited(deployment: &Deployment) -> impl Iterator<Item = (&String, &String)> {
    deployment.metadata.annotations.iter().flatten().filter(|(key, _)| is_inherited(key))
}

/// Whether a set takes this annotation from its Deployment.
pub(crate) fn is_inherited(key: &str) -> bool {
    !OWN.contains(&key)
}

/// Brings the annotations of the set of the current template up to date.
pub(crate) fn bring_up_to_date(set: &mut Set, deployment: &Deployment, revision: i64) {
    for (key, value) in inherited(deployment) {
        set.annotate(key, value.clone());
    }
    let before = set.annotation(REVISION).map(str::to_owned);
    // What is no number is somebody else's, and left to them.
    let is_foreign = before.as_deref().is_some_and(|text| !text.is_empty() && text.parse::<i64>().is_err());
    if is_foreign || of(set) >= revision {
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
