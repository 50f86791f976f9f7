//! Whether enough indexes succeeded, by the Job's successPolicy.

use k8s_openapi::api::batch::v1::SuccessPolicy;

use super::indexes::Indexes;

/// The message of the first rule that is met.
pub(super) fn met(policy: Option<&SuccessPolicy>, completions: i32, succeeded: &Indexes) -> Option<String> {
    if succeeded.is_empty() {
        return None;
    }
    let is_met = |indexes: &Option<String>, count: Option<i32>| match indexes {
        Some(text) => {
            let required = Indexes::parse(text, completions);
            let shared = required.overlap(succeeded);
            !required.is_empty() && (shared == required.total() || count.is_some_and(|count| shared >= count))
        }
        None => count.is_some_and(|count| succeeded.total() >= count),
    };
    let rules = &policy?.rules;
    let index = rules.iter().position(|rule| is_met(&rule.succeeded_indexes, rule.succeeded_count))?;
    Some(format!("Matched rules at index {index}"))
}
