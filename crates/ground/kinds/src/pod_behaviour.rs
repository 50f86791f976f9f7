//! PodBehaviour: what simulated containers do, described beside the workloads instead of in them.
//!
//! A namespaced object that selects pods of its namespace. The settings are those of the pods'
//! `mainstay.dev/…` annotations, which count more. Only the simulated runtime reads it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the containers of the selected pods do.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mainstay.dev",
    version = "v1alpha1",
    kind = "PodBehaviour",
    namespaced,
    shortname = "pb",
    category = "mainstay",
    derive = "PartialEq",
    doc = "What the simulated containers of the selected pods do.",
    printcolumn(name = "Run", type_ = "string", json_path = ".spec.behaviour.runFor"),
    printcolumn(name = "Requests", type_ = "string", json_path = ".spec.behaviour.requestRate"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PodBehaviourSpec {
    /// The pods; an empty selector selects all of the namespace.
    pub selector: LabelSelector,
    /// What all containers do, but for init containers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub behaviour: ContainerBehaviour,
    /// What single containers do, by name, init containers too; counts more than `behaviour`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<String, ContainerBehaviour>,
}

/// What a container does. Times are written like `90s` or `1h30m`, moments count from its start,
/// and spans are written like `5m-6m, 1h-` (from 5 to 6 minutes, and from an hour on) or `always`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerBehaviour {
    /// How long its image takes to pull.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_time: Option<String>,
    /// Why its image cannot be pulled: `not-found`, `unauthorized`, or the registry's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_error: Option<String>,
    /// How often pulling fails before it succeeds; always without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_failures: Option<i64>,
    /// How long it takes from created to started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_delay: Option<String>,
    /// How long it runs; without, until it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_for: Option<String>,
    /// What it ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// How many of its runs end like that before the others do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<i64>,
    /// What part of its runs ends like that, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_ratio: Option<f64>,
    /// When it runs out of memory and is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_after: Option<String>,
    /// Since when it answers probes at all, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_after: Option<String>,
    /// Since when it is ready, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_after: Option<String>,
    /// When it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready: Option<String>,
    /// When its liveness and startup probes fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy: Option<String>,
    /// How long it takes to stop when it is asked to, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<String>,
    /// How long its preStop command takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_stop: Option<String>,
    /// Requests per second it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_rate: Option<f64>,
    /// What part of them fails, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_ratio: Option<f64>,
    /// What half of the requests (and a probe) take at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<String>,
    /// What 99 of 100 requests take at most; four times `latency` without.
    #[serde(rename = "latencyP99", skip_serializing_if = "Option::is_none")]
    pub latency_p99: Option<String>,
    /// Cores in use without any request, like `50m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// The time of one core that a request takes, like `2ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_per_request: Option<String>,
    /// Memory it uses from its start, like `96Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Memory it uses more with each hour; at its limit it is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_growth: Option<String>,
    /// The `service` label of its metrics; without, its pod's labels say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The port it serves its metrics at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_port: Option<i64>,
}

/// What a [`ContainerBehaviour`] sets, by the names annotations have (`run-for`), each with its value's
/// text. Nobody needs to have checked it: what is no mapping sets nothing.
pub fn settings(behaviour: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let set = behaviour.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    set.map(|(field, value)| (kebab(field), text(value))).collect()
}

/// `runFor` as `run-for`.
fn kebab(field: &str) -> String {
    let mut name = String::with_capacity(field.len() + 2);
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn is_default(behaviour: &ContainerBehaviour) -> bool {
    *behaviour == ContainerBehaviour::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_names_of_annotations() {
        let written =
            serde_json::json!({ "runFor": "90s", "latencyP99": "1s", "exitCode": 3, "errorRatio": 0.25 });
        let typed: ContainerBehaviour = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), written);
        let settings = settings(&written);
        let settings: Vec<_> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            settings,
            [("error-ratio", "0.25"), ("exit-code", "3"), ("latency-p99", "1s"), ("run-for", "90s")]
        );
    }
}
