//! The annotation of a DaemonSet that counts the changes of its template.
//!
//! Clients cannot set it: what they send is replaced by what it was. kubectl and the DaemonSet
//! controller read it.

use mainstay_resource::meta;
use serde_json::Value;

use crate::fields::at;

const GENERATION: &str = "deprecated.daemonset.template.generation";

/// Begins the count, or goes on with the one the object comes with.
pub(super) fn prepare_create(set: &mut Value) {
    let generation = generation(set).filter(|count| *count > 0).unwrap_or(1);
    meta::set_annotation(set, GENERATION, &generation.to_string());
}

/// Counts a change of the template.
pub(super) fn prepare_update(live: &Value, set: &mut Value) {
    let template = |set: &Value| at(set, &["spec", "template"]).cloned();
    let changed = i64::from(template(live) != template(set));
    let generation = generation(live).unwrap_or_default() + changed;
    meta::set_annotation(set, GENERATION, &generation.to_string());
}

fn generation(set: &Value) -> Option<i64> {
    meta::annotation(set, GENERATION)?.parse().ok()
}
