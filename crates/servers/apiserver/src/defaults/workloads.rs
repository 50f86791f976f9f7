//! Defaults of what makes pods: the apps and batch kinds, and of what scales them.

use serde_json::{Value, json};

use super::pod;
use crate::fields::{Fields, Fill as _};

/// The kinds of `apps` and `batch`.
pub(super) fn apply(kind: &str, fields: &mut Fields) {
    if kind == "Job" {
        labels_of_template(fields);
    }
    let Some(spec) = fields.child_or_new("spec") else { return };
    match kind {
        "Deployment" => deployment(spec),
        "ReplicaSet" => spec.fill("replicas", 1),
        "StatefulSet" => stateful_set(spec),
        "DaemonSet" => daemon_set(spec),
        "Job" => job(spec),
        "CronJob" => return cron_job(spec),
        _ => return,
    }
    pod::template(spec.child_or_new("template"));
}

fn deployment(spec: &mut Fields) {
    spec.fill("replicas", 1);
    spec.fill("revisionHistoryLimit", 10);
    spec.fill("progressDeadlineSeconds", 600);
    let Some(strategy) = spec.child_or_new("strategy") else { return };
    strategy.fill("type", "RollingUpdate");
    if is_rolling(strategy)
        && let Some(rolling) = strategy.child_or_new("rollingUpdate")
    {
        rolling.fill("maxUnavailable", "25%");
        rolling.fill("maxSurge", "25%");
    }
}

fn is_rolling(strategy: &Fields) -> bool {
    strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
}

fn stateful_set(spec: &mut Fields) {
    spec.fill("podManagementPolicy", "OrderedReady");
    spec.fill("replicas", 1);
    spec.fill("revisionHistoryLimit", 10);
    if let Some(strategy) = spec.child_or_new("updateStrategy") {
        // Who names the type and nothing more gets nothing more.
        if !strategy.contains_key("type") {
            strategy.fill("type", "RollingUpdate");
            strategy.fill("rollingUpdate", Fields::new());
        }
        if is_rolling(strategy)
            && let Some(rolling) = strategy.child("rollingUpdate")
        {
            rolling.fill("partition", 0);
        }
    }
    if let Some(policy) = spec.child_or_new("persistentVolumeClaimRetentionPolicy") {
        policy.fill("whenDeleted", "Retain");
        policy.fill("whenScaled", "Retain");
    }
    spec.each("volumeClaimTemplates", |claim| {
        claim.fill("apiVersion", "v1");
        claim.fill("kind", "PersistentVolumeClaim");
        super::cluster::core("PersistentVolumeClaim", claim);
    });
}

fn daemon_set(spec: &mut Fields) {
    spec.fill("revisionHistoryLimit", 10);
    let Some(strategy) = spec.child_or_new("updateStrategy") else { return };
    strategy.fill("type", "RollingUpdate");
    if is_rolling(strategy)
        && let Some(rolling) = strategy.child_or_new("rollingUpdate")
    {
        rolling.fill("maxUnavailable", 1);
        rolling.fill("maxSurge", 0);
    }
}

fn job(spec: &mut Fields) {
    if !spec.contains_key("parallelism") {
        spec.fill("completions", 1);
    }
    spec.fill("parallelism", 1);
    let per_index = spec.contains_key("backoffLimitPerIndex");
    spec.fill("backoffLimit", if per_index { i32::MAX } else { 6 });
    spec.fill("completionMode", "NonIndexed");
    spec.fill("suspend", false);
    spec.fill("manualSelector", false);
    let replacement = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    spec.fill("podReplacementPolicy", replacement);
    if let Some(policy) = spec.child("podFailurePolicy") {
        policy.each("rules", |rule| {
            rule.each("onPodConditions", |condition| condition.fill("status", "True"));
        });
    }
}

fn cron_job(spec: &mut Fields) {
    spec.fill("concurrencyPolicy", "Allow");
    spec.fill("suspend", false);
    spec.fill("successfulJobsHistoryLimit", 3);
    spec.fill("failedJobsHistoryLimit", 1);
    if let Some(job) = spec.child("jobTemplate").and_then(|template| template.child("spec")) {
        pod::template(job.child_or_new("template"));
    }
}

/// A ReplicationController selects and is labelled by its template's labels.
pub(super) fn replication_controller(fields: &mut Fields) {
    labels_of_template(fields);
    let Some(spec) = fields.child_or_new("spec") else { return };
    spec.fill("replicas", 1);
    if let Some(labels) = template_labels(spec) {
        spec.fill("selector", labels);
    }
    pod::template(spec.child_or_new("template"));
}

fn labels_of_template(fields: &mut Fields) {
    let labelled = fields.get("metadata").and_then(|metadata| metadata.get("labels"));
    if labelled.and_then(Value::as_object).is_some_and(|labels| !labels.is_empty()) {
        return;
    }
    let Some(labels) = fields.get("spec").and_then(Value::as_object).and_then(template_labels) else {
        return;
    };
    if let Some(metadata) = fields.child_or_new("metadata") {
        metadata.put("labels", labels);
    }
}

fn template_labels(spec: &Fields) -> Option<Fields> {
    let labels = spec.get("template")?.get("metadata")?.get("labels")?.as_object()?;
    (!labels.is_empty()).then(|| labels.clone())
}

/// A HorizontalPodAutoscaler; only version 2 knows metrics and behaviour.
pub(super) fn autoscaler(version: &str, fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    spec.fill("minReplicas", 1);
    if version == "v1" {
        return;
    }
    let is_empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
    if spec.get("metrics").is_none_or(is_empty) {
        spec.put(
            "metrics",
            json!([{ "type": "Resource", "resource": {
                "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } }]),
        );
    }
    let Some(behavior) = spec.child("behavior") else { return };
    if let Some(up) = behavior.child_or_new("scaleUp") {
        up.fill("stabilizationWindowSeconds", 0);
        up.fill("selectPolicy", "Max");
        up.fill(
            "policies",
            json!([
                { "type": "Pods", "value": 4, "periodSeconds": 15 },
                { "type": "Percent", "value": 100, "periodSeconds": 15 },
            ]),
        );
    }
    if let Some(down) = behavior.child_or_new("scaleDown") {
        down.fill("selectPolicy", "Max");
        down.fill("policies", json!([{ "type": "Percent", "value": 100, "periodSeconds": 15 }]));
    }
}
