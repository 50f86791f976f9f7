//! Services, Ingresses and EndpointSlices.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mainstay_resource::name;
use serde_json::{Value, json};

use super::check::{Check, value_at};
use super::pod;
use crate::fields::{at, entries, list, number, text};
use crate::status::Cause;

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// A Service.
pub(super) fn service(check: &mut Check, service: &Value) {
    let kind = text(service, &["spec", "type"]);
    check.one_of_text("spec.type", kind, TYPES);
    check.one_of(service, "spec.sessionAffinity", &["ClientIP", "None"]);
    let address = text(service, &["spec", "clusterIP"]);
    let headless = address == "None";
    if kind == "ExternalName" {
        external_name(check, service);
    } else if !headless && !address.is_empty() && address.parse::<IpAddr>().is_err() {
        let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        check.invalid("spec.clusterIPs[0]", &json!(address), why);
    }
    if headless && matches!(kind, "NodePort" | "LoadBalancer") {
        let why = format!("may not be set to 'None' for {kind} services");
        check.invalid("spec.clusterIPs[0]", &json!(address), &why);
    }
    ports(check, service, !headless && kind != "ExternalName");
    for (key, value) in entries(service, &["spec", "selector"]) {
        check.named("spec.selector", key, name::qualified_name(key));
        let given = value.as_str().unwrap_or_default();
        check.named("spec.selector", given, name::label_value(given));
    }
}

fn external_name(check: &mut Check, service: &Value) {
    let target = text(service, &["spec", "externalName"]).trim_end_matches('.');
    if target.is_empty() {
        check.required("spec.externalName", "");
    } else {
        check.named("spec.externalName", target, name::dns_subdomain(target));
    }
}

fn ports(check: &mut Check, service: &Value, needed: bool) {
    let ports = list(service, &["spec", "ports"]);
    if ports.is_empty() && needed {
        check.required("spec.ports", "");
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        let given = text(port, &["name"]);
        if given.is_empty() && ports.len() > 1 {
            check.required(format!("{path}.name"), "");
        } else if !given.is_empty() {
            check.named(&format!("{path}.name"), given, name::dns_label(given));
            if !names.insert(given) {
                check.causes.push(Cause::duplicate(format!("{path}.name"), &json!(given)));
            }
        }
        pod::range(check, format!("{path}.port"), number(port, &["port"]).unwrap_or(0));
        check.one_of_text(format!("{path}.protocol"), text(port, &["protocol"]), PROTOCOLS);
        target(check, port, &format!("{path}.targetPort"));
        if !numbers.insert((number(port, &["port"]), text(port, &["protocol"]))) {
            let shown = json!({ "port": port["port"], "protocol": port["protocol"] });
            check.causes.push(Cause::duplicate(path, &shown));
        }
    }
}

fn target(check: &mut Check, port: &Value, path: &str) {
    match at(port, &["targetPort"]) {
        Some(Value::String(given)) => check.named(path, given, name::port_name(given)),
        Some(value) => pod::range(check, path, value.as_i64().unwrap_or(0)),
        None => {}
    }
}

/// An Ingress.
pub(super) fn ingress(check: &mut Check, ingress: &Value) {
    let rules = list(ingress, &["spec", "rules"]);
    if rules.is_empty() && value_at(ingress, "spec.defaultBackend").is_none() {
        let why = "either `defaultBackend` or `rules` must be specified";
        check.invalid("spec", &json!([]), why);
    }
    for (index, rule) in rules.iter().enumerate() {
        for (place, path) in list(rule, &["http", "paths"]).iter().enumerate() {
            let at = format!("spec.rules[{index}].http.paths[{place}]");
            match text(path, &["pathType"]) {
                "" => check.required(format!("{at}.pathType"), "pathType must be specified"),
                "ImplementationSpecific" => {}
                kind => {
                    check.one_of_text(
                        format!("{at}.pathType"),
                        kind,
                        &["Exact", "ImplementationSpecific", "Prefix"],
                    );
                    let given = text(path, &["path"]);
                    if !given.starts_with('/') {
                        check.invalid(format!("{at}.path"), &json!(given), "must be an absolute path");
                    }
                }
            }
            let backend = path.get("backend").unwrap_or(&Value::Null);
            if backend.get("service").is_none() && backend.get("resource").is_none() {
                check.required(format!("{at}.backend"), "port name or number is required");
            }
        }
    }
}

/// An EndpointSlice.
pub(super) fn endpoint_slice(check: &mut Check, slice: &Value) {
    check.needs_text(slice, "addressType");
    check.one_of(slice, "addressType", &["FQDN", "IPv4", "IPv6"]);
    for (index, endpoint) in list(slice, &["endpoints"]).iter().enumerate() {
        if list(endpoint, &["addresses"]).is_empty() {
            check.required(format!("endpoints[{index}].addresses"), "must contain at least 1 address");
        }
    }
}
