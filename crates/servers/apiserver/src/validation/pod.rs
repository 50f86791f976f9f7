//! A pod's spec: its containers, volumes and policies.

use std::collections::BTreeSet;

use mainstay_resource::{Quantity, name};
use serde_json::{Value, json};

use super::check::{Check, items_at, value_at};
use crate::fields::{at, entries, list, number, text};
use crate::status::Cause;

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];
const DNS_POLICIES: &[&str] = &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

/// Checks the pod spec at `path`; `is_new` where it is no change of a running pod.
pub(super) fn spec(check: &mut Check, object: &Value, path: &str, is_new: bool) {
    let volumes = volumes(check, object, &format!("{path}.volumes"));
    let containers = format!("{path}.containers");
    if items_at(object, &containers).is_empty() {
        check.required(&containers, "");
    }
    let mut names = BTreeSet::new();
    for part in ["initContainers", "containers"] {
        let list = format!("{path}.{part}");
        for (index, container) in items_at(object, &list).iter().enumerate() {
            self::container(check, container, &format!("{list}[{index}]"), &volumes, &mut names);
        }
    }
    check.one_of(object, &format!("{path}.restartPolicy"), RESTART_POLICIES);
    check.one_of(object, &format!("{path}.dnsPolicy"), DNS_POLICIES);
    check.positive(object, &format!("{path}.activeDeadlineSeconds"));
    if is_new {
        check.not_negative(object, &format!("{path}.terminationGracePeriodSeconds"));
    }
    for field in ["nodeName", "serviceAccountName", "priorityClassName"] {
        let path = format!("{path}.{field}");
        let given = value_at(object, &path).and_then(Value::as_str).unwrap_or_default();
        if !given.is_empty() {
            check.named(&path, given, name::dns_subdomain(given));
        }
    }
    let host_network = value_at(object, &format!("{path}.hostNetwork")) == Some(&Value::Bool(true));
    if host_network {
        host_ports(check, object, &containers);
    }
    for (index, toleration) in items_at(object, &format!("{path}.tolerations")).iter().enumerate() {
        self::toleration(check, toleration, &format!("{path}.tolerations[{index}]"));
    }
}

fn volumes<'a>(check: &mut Check, object: &'a Value, path: &str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for (index, volume) in items_at(object, path).iter().enumerate() {
        let given = text(volume, &["name"]);
        let path = format!("{path}[{index}]");
        if given.is_empty() {
            check.required(format!("{path}.name"), "");
        } else if !names.insert(given) {
            check.causes.push(Cause::duplicate(format!("{path}.name"), &json!(given)));
        } else {
            check.named(&format!("{path}.name"), given, name::dns_label(given));
        }
        if volume.as_object().is_some_and(|fields| fields.len() > 2) {
            check.forbidden(path, "may not specify more than 1 volume type");
        }
    }
    names
}

fn container<'a>(
    check: &mut Check,
    container: &'a Value,
    path: &str,
    volumes: &BTreeSet<&str>,
    names: &mut BTreeSet<&'a str>,
) {
    let given = text(container, &["name"]);
    if given.is_empty() {
        check.required(format!("{path}.name"), "");
    } else if !names.insert(given) {
        check.causes.push(Cause::duplicate(format!("{path}.name"), &json!(given)));
    } else {
        check.named(&format!("{path}.name"), given, name::dns_label(given));
    }
    let image = text(container, &["image"]);
    if image.is_empty() {
        check.required(format!("{path}.image"), "");
    } else if image.trim() != image {
        check.invalid(format!("{path}.image"), &json!(image), "must not have leading or trailing whitespace");
    }
    check.one_of_text(
        format!("{path}.imagePullPolicy"),
        text(container, &["imagePullPolicy"]),
        PULL_POLICIES,
    );
    ports(check, container, path);
    variables(check, container, path);
    mounts(check, container, path, volumes);
    resources(check, container, path);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(value) = at(container, &[probe]) {
            self::probe(check, value, &format!("{path}.{probe}"));
        }
    }
}

fn ports(check: &mut Check, container: &Value, path: &str) {
    let mut names = BTreeSet::new();
    for (index, port) in list(container, &["ports"]).iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        match number(port, &["containerPort"]) {
            None | Some(0) => check.required(format!("{path}.containerPort"), ""),
            Some(number) => range(check, format!("{path}.containerPort"), number),
        }
        if let Some(number) = number(port, &["hostPort"]).filter(|number| *number != 0) {
            range(check, format!("{path}.hostPort"), number);
        }
        check.one_of_text(format!("{path}.protocol"), text(port, &["protocol"]), PROTOCOLS);
        let given = text(port, &["name"]);
        if !given.is_empty() {
            check.named(&format!("{path}.name"), given, name::port_name(given));
            if !names.insert(given) {
                check.causes.push(Cause::duplicate(format!("{path}.name"), &json!(given)));
            }
        }
    }
}

/// Checks that a number is a port's.
pub(super) fn range(check: &mut Check, path: impl Into<String>, number: i64) {
    if !(1..=65_535).contains(&number) {
        check.invalid(path, &json!(number), "must be between 1 and 65535, inclusive");
    }
}

fn variables(check: &mut Check, container: &Value, path: &str) {
    for (index, variable) in list(container, &["env"]).iter().enumerate() {
        let path = format!("{path}.env[{index}]");
        let given = text(variable, &["name"]);
        if given.is_empty() {
            check.required(format!("{path}.name"), "");
        } else if given.contains('=') || !given.is_ascii() {
            let why = "a valid environment variable name must consist only of printable ASCII characters other than '='";
            check.invalid(format!("{path}.name"), &json!(given), why);
        }
        if !text(variable, &["value"]).is_empty() && at(variable, &["valueFrom"]).is_some() {
            let why = "may not be specified when `value` is not empty";
            check.invalid(format!("{path}.valueFrom"), &json!(""), why);
        }
    }
}

fn mounts(check: &mut Check, container: &Value, path: &str, volumes: &BTreeSet<&str>) {
    let mut places = BTreeSet::new();
    for (index, mount) in list(container, &["volumeMounts"]).iter().enumerate() {
        let path = format!("{path}.volumeMounts[{index}]");
        let given = text(mount, &["name"]);
        if given.is_empty() {
            check.required(format!("{path}.name"), "");
        } else if !volumes.contains(given) {
            check.causes.push(Cause::not_found(format!("{path}.name"), &json!(given)));
        }
        let place = text(mount, &["mountPath"]);
        if place.is_empty() {
            check.required(format!("{path}.mountPath"), "");
        } else if !places.insert(place) {
            check.invalid(format!("{path}.mountPath"), &json!(place), "must be unique");
        }
    }
}

fn resources(check: &mut Check, container: &Value, path: &str) {
    let path = format!("{path}.resources");
    let mut limits = std::collections::BTreeMap::<&str, (Quantity, &Value)>::new();
    for (resource, value) in entries(container, &["resources", "limits"]) {
        if let Some(amount) = check.amount(&format!("{path}.limits[{resource}]"), value) {
            limits.insert(resource, (amount, value));
        }
    }
    for (resource, value) in entries(container, &["resources", "requests"]) {
        let path = format!("{path}.requests");
        let amount = check.amount(&format!("{path}[{resource}]"), value);
        let (Some(amount), Some((limit, shown))) = (amount, limits.get(resource)) else { continue };
        if amount > *limit {
            let shown = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
            let why = format!("must be less than or equal to {resource} limit of {shown}");
            check.invalid(path, value, &why);
        }
    }
}

fn probe(check: &mut Check, probe: &Value, path: &str) {
    const HANDLERS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];
    match HANDLERS.iter().filter(|handler| at(probe, &[handler]).is_some()).count() {
        0 => check.required(path, "must specify a handler type"),
        1 => {}
        _ => check.forbidden(path, "may not specify more than 1 handler type"),
    }
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"] {
        if let Some(number) = number(probe, &[field]).filter(|number| *number < 0) {
            check.invalid(format!("{path}.{field}"), &json!(number), "must be greater than or equal to 0");
        }
    }
    let must_succeed_once = !path.ends_with("readinessProbe");
    if let Some(times) = number(probe, &["successThreshold"]).filter(|times| must_succeed_once && *times != 1)
    {
        check.invalid(format!("{path}.successThreshold"), &json!(times), "must be 1");
    }
}

fn host_ports(check: &mut Check, object: &Value, containers: &str) {
    for (index, container) in items_at(object, containers).iter().enumerate() {
        for (place, port) in list(container, &["ports"]).iter().enumerate() {
            let (inside, outside) = (number(port, &["containerPort"]), number(port, &["hostPort"]));
            if outside.is_some_and(|outside| outside != 0 && Some(outside) != inside) {
                let path = format!("{containers}[{index}].ports[{place}].hostPort");
                let why = "must match `containerPort` when `hostNetwork` is true";
                check.invalid(path, &json!(outside), why);
            }
        }
    }
}

fn toleration(check: &mut Check, toleration: &Value, path: &str) {
    let operator = text(toleration, &["operator"]);
    check.one_of_text(format!("{path}.operator"), operator, &["Equal", "Exists"]);
    let effect = text(toleration, &["effect"]);
    check.one_of_text(format!("{path}.effect"), effect, &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
    if text(toleration, &["key"]).is_empty() && operator != "Exists" {
        let why =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        check.invalid(format!("{path}.operator"), &json!(operator), why);
    }
    if operator == "Exists" && !text(toleration, &["value"]).is_empty() {
        let why = "value must be empty when `operator` is 'Exists'";
        check.invalid(format!("{path}.operator"), toleration, why);
    }
    if at(toleration, &["tolerationSeconds"]).is_some() && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        check.invalid(format!("{path}.effect"), &json!(effect), why);
    }
}
