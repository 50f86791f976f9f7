//! What the pods that a namespace already has violate when it begins to enforce more.

use std::collections::BTreeMap;

use mainstay_resource::meta;
use mainstay_store::{Query, Store};
use serde_json::Value;

use super::policy::{Level, Policy, Standard};
use super::{part, violations};
use crate::encode;

/// LIMIT: upstream's; no more pods are looked at.
const PODS: usize = 3000;

/// Warns of pods that would not be let in any more.
pub(super) fn warnings(store: &Store, before: &Value, namespace: &Value) -> Vec<String> {
    let [old, new] = [before, namespace].map(|one| Policy::of(&|label| meta::label(one, label)).0.enforce);
    let is_stricter = new.version != old.version || new.level > old.level;
    if new.level == Level::Privileged || !is_stricter {
        return Vec::new();
    }
    let name = meta::name(namespace);
    let query = Query { resource: "/pods", namespace: Some(name), ..Query::default() };
    let Ok(page) = store.list(&query, &|_| true) else { return Vec::new() };
    let mut told = Vec::new();
    if page.records.len() > PODS {
        let count = page.records.len();
        told.push(format!(
            "new PodSecurity enforce level only checked against the first {PODS} of {count} existing pods"
        ));
    }
    let pods = page.records.iter().take(PODS).map(|record| encode::decode(&record.value));
    let mut by_reason = judge(new, pods);
    if !by_reason.is_empty() {
        told.push(format!(
            "existing pods in namespace \"{name}\" violate the new PodSecurity enforce level \"{new}\""
        ));
    }
    by_reason.sort_unstable();
    told.append(&mut by_reason);
    told
}

/// Pods that violate the same, as one line with the first of them by name.
fn judge(standard: Standard, pods: impl Iterator<Item = Value>) -> Vec<String> {
    let mut by_reason: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for pod in pods {
        let reasons = violations(standard, part(&pod, &["spec"]), part(&pod, &["metadata"]));
        if reasons.is_empty() {
            continue;
        }
        let reason = reasons.into_iter().map(|one| one.reason).collect::<Vec<_>>().join(", ");
        // They come by name.
        by_reason.entry(reason).or_insert_with(|| (meta::name(&pod).to_owned(), 0)).1 += 1;
    }
    let line = |(reason, (first, count)): (String, (String, usize))| match count {
        1 => format!("{first}: {reason}"),
        2 => format!("{first} (and 1 other pod): {reason}"),
        _ => format!("{first} (and {} other pods): {reason}", count - 1),
    };
    by_reason.into_iter().map(line).collect()
}
