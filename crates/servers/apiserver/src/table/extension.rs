//! The rows of what extends the API and of what shares it out: webhooks, admission policies, API
//! services, flow control.

use serde_json::Value;

use super::cell::{self, NONE, UNSET};
use super::printer::{Layout, column, number};
use crate::fields::{at, list, text};

/// The layout of a kind of `admissionregistration.k8s.io`, `apiregistration.k8s.io` or
/// `flowcontrol.apiserver.k8s.io`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "APIService" => API_SERVICE,
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => WEBHOOKS,
        "ValidatingAdmissionPolicy" => ADMISSION_POLICY,
        "ValidatingAdmissionPolicyBinding" => ADMISSION_BINDING,
        "FlowSchema" => FLOW_SCHEMA,
        "PriorityLevelConfiguration" => PRIORITY_LEVEL,
        _ => return None,
    })
}

const API_SERVICE: Layout = Layout {
    columns: &[column("Name"), column("Service"), column("Available"), column("Age")],
    cells: |service, now| {
        let backend = at(service, &["spec", "service"])
            .map(|backend| format!("{}/{}", text(backend, &["namespace"]), text(backend, &["name"])));
        let conditions = list(service, &["status", "conditions"]).iter();
        let available = conditions.clone().find(|one| text(one, &["type"]) == "Available");
        let available = available.map_or_else(
            || "Unknown".to_owned(),
            |one| match (text(one, &["status"]), text(one, &["reason"])) {
                (status @ "True", _) | (status, "") => status.to_owned(),
                (status, reason) => format!("{status} ({reason})"),
            },
        );
        vec![
            cell::name(service),
            backend.unwrap_or_else(|| "Local".to_owned()).into(),
            available.into(),
            cell::age(service, now),
        ]
    },
};

const WEBHOOKS: Layout = Layout {
    columns: &[column("Name"), number("Webhooks"), column("Age")],
    cells: |object, now| {
        vec![cell::name(object), list(object, &["webhooks"]).len().into(), cell::age(object, now)]
    },
};

const ADMISSION_POLICY: Layout = Layout {
    columns: &[column("Name"), number("Validations"), column("ParamKind"), column("Age")],
    cells: |policy, now| {
        let kind = at(policy, &["spec", "paramKind"])
            .map(|kind| format!("{}/{}", text(kind, &["apiVersion"]), text(kind, &["kind"])));
        vec![
            cell::name(policy),
            list(policy, &["spec", "validations"]).len().into(),
            kind.unwrap_or_else(|| UNSET.to_owned()).into(),
            cell::age(policy, now),
        ]
    },
};

const ADMISSION_BINDING: Layout = Layout {
    columns: &[column("Name"), column("PolicyName"), column("ParamRef"), column("Age")],
    cells: |binding, now| {
        let parameter = |field: &str| text(binding, &["spec", "paramRef", field]);
        let reference = match (parameter("namespace"), parameter("name")) {
            (_, "") => match at(binding, &["spec", "paramRef", "selector"]) {
                Some(selector) => cell::selector_or(selector, NONE),
                None => UNSET.to_owned(),
            },
            ("", name) => format!("*/{name}"),
            (namespace, name) => format!("{namespace}/{name}"),
        };
        vec![
            cell::name(binding),
            cell::text_or(binding, &["spec", "policyName"], ""),
            reference.into(),
            cell::age(binding, now),
        ]
    },
};

const FLOW_SCHEMA: Layout = Layout {
    columns: &[
        column("Name"),
        column("PriorityLevel"),
        column("MatchingPrecedence"),
        column("DistinguisherMethod"),
        column("Age"),
        column("MissingPL"),
    ],
    cells: |schema, now| {
        vec![
            cell::name(schema),
            cell::text_or(schema, &["spec", "priorityLevelConfiguration", "name"], ""),
            cell::count(schema, &["spec", "matchingPrecedence"]),
            cell::text_or(schema, &["spec", "distinguisherMethod", "type"], NONE),
            cell::age(schema, now),
            cell::condition(schema, "Dangling").unwrap_or("?").into(),
        ]
    },
};

const PRIORITY_LEVEL: Layout = Layout {
    columns: &[
        column("Name"),
        column("Type"),
        column("NominalConcurrencyShares"),
        column("Queues"),
        column("HandSize"),
        column("QueueLengthLimit"),
        column("Age"),
    ],
    cells: |level, now| {
        let queuing = |field: &str| -> Value {
            let path = ["spec", "limited", "limitResponse", "queuing"];
            at(level, &path).map_or_else(|| NONE.into(), |queuing| cell::count(queuing, &[field]))
        };
        let shares = at(level, &["spec", "limited"]);
        vec![
            cell::name(level),
            cell::text_or(level, &["spec", "type"], ""),
            shares.map_or_else(|| NONE.into(), |limited| cell::count(limited, &["nominalConcurrencyShares"])),
            queuing("queues"),
            queuing("handSize"),
            queuing("queueLengthLimit"),
            cell::age(level, now),
        ]
    },
};
