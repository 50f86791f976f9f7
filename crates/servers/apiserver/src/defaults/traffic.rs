//! Defaults of what carries traffic: Services, Endpoints, EndpointSlices, networking.

use serde_json::{Value, json};

use crate::fields::{Fields, Fill as _};

/// How long a client sticks to one endpoint: three hours.
const STICKY_SECONDS: i64 = 10_800;

/// Services, Endpoints and the kinds of `networking.k8s.io` and `discovery.k8s.io`.
pub(super) fn apply(kind: &str, fields: &mut Fields) {
    match kind {
        "Service" => service(fields),
        "Endpoints" => fields.each("subsets", |subset| {
            subset.each("ports", |port| port.fill("protocol", "TCP"));
        }),
        "EndpointSlice" => fields.each("ports", |port| {
            port.fill("name", "");
            port.fill("protocol", "TCP");
        }),
        "NetworkPolicy" => network_policy(fields),
        "IngressClass" => {
            if let Some(parameters) = fields.child("spec").and_then(|spec| spec.child("parameters")) {
                parameters.fill("scope", "Cluster");
            }
        }
        _ => {}
    }
}

fn service(fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    spec.fill("type", "ClusterIP");
    spec.fill("sessionAffinity", "None");
    affinity(spec);
    spec.each("ports", |port| {
        port.fill("protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            if port.get("targetPort").and_then(Value::as_i64) == Some(0) {
                port.remove("targetPort");
            }
            port.fill("targetPort", number);
        }
    });
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let balanced = kind == "LoadBalancer";
    let has_address = |list: &Value| list.as_array().is_some_and(|items| !items.is_empty());
    let outside = spec.get("externalIPs").is_some_and(has_address);
    if balanced || kind == "NodePort" || (kind == "ClusterIP" && outside) {
        spec.fill("externalTrafficPolicy", "Cluster");
    }
    if balanced {
        spec.fill("allocateLoadBalancerNodePorts", true);
    }
    if kind != "ExternalName" {
        spec.fill("internalTrafficPolicy", "Cluster");
    }
    if balanced {
        entrances(fields);
    }
}

/// An address of a load balancer is one packets are sent to as they are.
fn entrances(fields: &mut Fields) {
    let balancer = fields.child("status").and_then(|status| status.child("loadBalancer"));
    let Some(balancer) = balancer else { return };
    balancer.each("ingress", |entrance| {
        if entrance.contains_key("ip") {
            entrance.fill("ipMode", "VIP");
        }
    });
}

fn affinity(spec: &mut Fields) {
    match spec.get("sessionAffinity").and_then(Value::as_str) {
        Some("None") => {
            spec.remove("sessionAffinityConfig");
        }
        Some("ClientIP") => {
            let config = spec.child_or_new("sessionAffinityConfig");
            if let Some(client) = config.and_then(|config| config.child_or_new("clientIP")) {
                client.fill("timeoutSeconds", STICKY_SECONDS);
            }
        }
        _ => {}
    }
}

fn network_policy(fields: &mut Fields) {
    let Some(spec) = fields.child_or_new("spec") else { return };
    for direction in ["ingress", "egress"] {
        spec.each(direction, |rule| rule.each("ports", |port| port.fill("protocol", "TCP")));
    }
    let has_items = |list: &Value| list.as_array().is_some_and(|items| !items.is_empty());
    if spec.get("policyTypes").is_some_and(has_items) {
        return;
    }
    let types = if spec.get("egress").is_some_and(has_items) {
        json!(["Ingress", "Egress"])
    } else {
        json!(["Ingress"])
    };
    spec.put("policyTypes", types);
}
