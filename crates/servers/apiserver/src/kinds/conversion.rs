//! Resources served in a version other than the stored one, and the way between the two.
//!
//! Events are stored as core/v1, HorizontalPodAutoscalers as autoscaling/v2.

use serde_json::{Map, Value, json};

use crate::registry::Conversion;

const EVENTS: Conversion = Conversion { to_stored: event_to_core, to_served: event_from_core };
const AUTOSCALERS: Conversion = Conversion { to_stored: autoscaler_to_v2, to_served: autoscaler_to_v1 };

/// Where a resource with another stored version is kept: (store's name, apiVersion, conversion).
pub(super) fn of(group: &str, version: &str, kind: &str) -> Option<(&'static str, &'static str, Conversion)> {
    match (group, version, kind) {
        ("events.k8s.io", "v1", "Event") => Some(("/events", "v1", EVENTS)),
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => {
            Some(("autoscaling/horizontalpodautoscalers", "autoscaling/v2", AUTOSCALERS))
        }
        _ => None,
    }
}

/// Field names of an Event: (events.k8s.io/v1, core/v1).
const EVENT_NAMES: &[(&str, &str)] = &[
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

fn event_to_core(object: &mut Value) {
    rename(object, EVENT_NAMES.iter().copied());
}

fn event_from_core(object: &mut Value) {
    rename(object, EVENT_NAMES.iter().map(|(new, old)| (*old, *new)));
}

fn rename(object: &mut Value, names: impl Iterator<Item = (&'static str, &'static str)>) {
    let Some(fields) = object.as_object_mut() else { return };
    for (from, to) in names {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}

/// What v1 cannot say rides in annotations, as upstream writes them.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

fn autoscaler_to_v2(object: &mut Value) {
    let metrics = take_annotation(object, METRICS);
    let current = take_annotation(object, CURRENT_METRICS);
    let conditions = take_annotation(object, CONDITIONS);
    let behavior = take_annotation(object, BEHAVIOR);
    if let Some(spec) = section(object, "spec") {
        let target = spec.remove("targetCPUUtilizationPercentage");
        let mut all = into_list(metrics);
        // Version 1 means this when it says nothing.
        let implied = all.is_empty().then(|| json!(80));
        if let Some(percent) = target.filter(|value| !value.is_null()).or(implied) {
            all.push(cpu("target", json!({ "type": "Utilization", "averageUtilization": percent })));
        }
        put_list(spec, "metrics", all);
        put(spec, "behavior", behavior);
    }
    if let Some(status) = section(object, "status") {
        let percent = status.remove("currentCPUUtilizationPercentage");
        let mut all = into_list(current);
        if let Some(percent) = percent.filter(|value| !value.is_null()) {
            all.insert(0, cpu("current", json!({ "averageUtilization": percent })));
        }
        put_list(status, "currentMetrics", all);
        put(status, "conditions", conditions);
    }
}

fn autoscaler_to_v1(object: &mut Value) {
    let mut notes: Vec<(&str, Value)> = Vec::new();
    if let Some(spec) = section(object, "spec") {
        let mut metrics = into_list(spec.remove("metrics"));
        if let Some(percent) = take_cpu(&mut metrics, "target") {
            spec.insert("targetCPUUtilizationPercentage".to_owned(), percent);
        }
        note_list(&mut notes, METRICS, metrics);
        notes.extend(spec.remove("behavior").map(|value| (BEHAVIOR, value)));
    }
    if let Some(status) = section(object, "status") {
        let mut metrics = into_list(status.remove("currentMetrics"));
        if let Some(percent) = take_cpu(&mut metrics, "current") {
            status.insert("currentCPUUtilizationPercentage".to_owned(), percent);
        }
        note_list(&mut notes, CURRENT_METRICS, metrics);
        note_list(&mut notes, CONDITIONS, into_list(status.remove("conditions")));
    }
    for (name, value) in notes {
        mainstay_resource::meta::set_annotation(object, name, &value.to_string());
    }
}

fn section<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    object.get_mut(name)?.as_object_mut()
}

fn take_annotation(object: &mut Value, name: &str) -> Option<Value> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(name)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    serde_json::from_str(text.as_str()?).ok()
}

fn into_list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value);
    }
}

fn put_list(fields: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        fields.insert(name.to_owned(), Value::Array(list));
    }
}

fn note_list<'a>(notes: &mut Vec<(&'a str, Value)>, name: &'a str, list: Vec<Value>) {
    if !list.is_empty() {
        notes.push((name, Value::Array(list)));
    }
}

/// A resource metric of the CPU, with `body` below `key`.
fn cpu(key: &str, body: Value) -> Value {
    let mut resource = Map::new();
    resource.insert("name".to_owned(), "cpu".into());
    resource.insert(key.to_owned(), body);
    json!({ "type": "Resource", "resource": resource })
}

/// Takes the CPU utilization out of `metrics`: the one metric v1 has a field for.
fn take_cpu(metrics: &mut Vec<Value>, key: &str) -> Option<Value> {
    let is_cpu = |metric: &Value| {
        metric["type"] == "Resource"
            && metric["resource"]["name"] == "cpu"
            && metric["resource"][key].get("averageUtilization").is_some()
    };
    let index = metrics.iter().position(is_cpu)?;
    let metric = metrics.remove(index);
    Some(metric["resource"][key]["averageUtilization"].clone())
}
