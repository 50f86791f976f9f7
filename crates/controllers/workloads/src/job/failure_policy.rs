//! What a failure of a pod means, by the Job's podFailurePolicy.

use k8s_openapi::api::batch::v1::{
    PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};

/// What a policy makes of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// No rule matches, or one says so: it counts.
    #[default]
    Counts,
    /// It counts, because a rule says so.
    Count,
    /// It does not count.
    Ignored,
    /// It counts, and the pod's index fails.
    FailsIndex,
    /// The Job fails, for this reason.
    FailsJob(String),
}

impl Meaning {
    /// Whether it counts towards the limits.
    pub fn counts(&self) -> bool {
        *self != Self::Ignored
    }
}

/// What `policy` makes of the failure of `pod`.
pub fn meaning(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Meaning {
    let nothing = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&nothing);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    for (index, rule) in policy.iter().flat_map(|policy| &policy.rules).enumerate() {
        let matched = if let Some(codes) = &rule.on_exit_codes {
            exited(status, codes).map(|(container, code)| {
                format!(
                    "Container {} for pod {namespace}/{name} failed with exit code {code} matching {} rule at index {index}",
                    container.name, rule.action
                )
            })
        } else {
            condition(status, rule.on_pod_conditions.as_deref().unwrap_or_default()).map(|condition| {
                format!(
                    "Pod {namespace}/{name} has condition {} matching {} rule at index {index}",
                    condition.type_, rule.action
                )
            })
        };
        match (matched, rule.action.as_str()) {
            (Some(_), "Ignore") => return Meaning::Ignored,
            (Some(_), "FailIndex") => return Meaning::FailsIndex,
            (Some(_), "Count") => return Meaning::Count,
            (Some(message), "FailJob") => return Meaning::FailsJob(message),
            _ => {}
        }
    }
    Meaning::Counts
}

/// The first container that ended with a code the requirement is about.
fn exited<'a>(
    status: &'a PodStatus,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<(&'a ContainerStatus, i32)> {
    let main = status.container_statuses.iter().flatten();
    main.chain(status.init_container_statuses.iter().flatten()).find_map(|container| {
        let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
        let is_named = requirement.container_name.as_ref().is_none_or(|name| *name == container.name);
        let is_listed = requirement.values.contains(&code);
        let matches = match requirement.operator.as_str() {
            "In" => is_listed,
            "NotIn" => !is_listed,
            _ => false,
        };
        (is_named && code != 0 && matches).then_some((container, code))
    })
}

fn condition<'a>(
    status: &'a PodStatus,
    patterns: &[PodFailurePolicyOnPodConditionsPattern],
) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|condition| {
        patterns.iter().any(|pattern| pattern.type_ == condition.type_ && pattern.status == condition.status)
    })
}
