//! The rows of what keeps pods running: Deployments, ReplicaSets, StatefulSets, DaemonSets.

use jiff::Timestamp;
use mainstay_resource::meta;
use serde_json::Value;

use super::cell;
use super::printer::{Layout, column, number, wide};
use crate::fields;

/// The layout of a kind of `apps`, of a ReplicationController or of a PodTemplate.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Deployment" => DEPLOYMENT,
        "ReplicaSet" => REPLICA_SET,
        "ReplicationController" => REPLICATION_CONTROLLER,
        "StatefulSet" => STATEFUL_SET,
        "DaemonSet" => DAEMON_SET,
        "ControllerRevision" => REVISION,
        "PodTemplate" => TEMPLATE,
        _ => return None,
    })
}

const SPEC: &[&str] = &["spec", "template", "spec"];
const SELECTOR: &[&str] = &["spec", "selector"];

fn with<const N: usize>(mut cells: Vec<Value>, more: [Value; N]) -> Vec<Value> {
    cells.extend(more);
    cells
}

fn ready_of(object: &Value) -> Value {
    let ready = fields::number(object, &["status", "readyReplicas"]).unwrap_or(0);
    let wanted = fields::number(object, &["spec", "replicas"]).unwrap_or(0);
    format!("{ready}/{wanted}").into()
}

const DEPLOYMENT: Layout = Layout {
    columns: &[
        column("Name"),
        column("Ready"),
        column("Up-to-date"),
        column("Available"),
        column("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        let selector = fields::at(object, SELECTOR).map(|selector| cell::selector_or(selector, ""));
        let cells = vec![
            cell::name(object),
            ready_of(object),
            cell::count(object, &["status", "updatedReplicas"]),
            cell::count(object, &["status", "availableReplicas"]),
            cell::age(object, now),
        ];
        with(with(cells, cell::containers(object, SPEC)), [selector.unwrap_or_default().into()])
    },
};

fn replicas(object: &Value, now: Timestamp) -> Vec<Value> {
    let cells = vec![
        cell::name(object),
        cell::count(object, &["spec", "replicas"]),
        cell::count(object, &["status", "replicas"]),
        cell::count(object, &["status", "readyReplicas"]),
        cell::age(object, now),
    ];
    with(cells, cell::containers(object, SPEC))
}

const REPLICA_SET: Layout = Layout {
    columns: &[
        column("Name"),
        number("Desired"),
        number("Current"),
        number("Ready"),
        column("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| with(replicas(object, now), [cell::selector(object, SELECTOR)]),
};

const REPLICATION_CONTROLLER: Layout = Layout {
    columns: REPLICA_SET.columns,
    cells: |object, now| with(replicas(object, now), [cell::pairs(object, SELECTOR)]),
};

const STATEFUL_SET: Layout = Layout {
    columns: &[column("Name"), column("Ready"), column("Age"), wide("Containers"), wide("Images")],
    cells: |object, now| {
        let cells = vec![cell::name(object), ready_of(object), cell::age(object, now)];
        with(cells, cell::containers(object, SPEC))
    },
};

const DAEMON_SET: Layout = Layout {
    columns: &[
        column("Name"),
        number("Desired"),
        number("Current"),
        number("Ready"),
        number("Up-to-date"),
        number("Available"),
        column("Node Selector"),
        column("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        let cells = vec![
            cell::name(object),
            cell::count(object, &["status", "desiredNumberScheduled"]),
            cell::count(object, &["status", "currentNumberScheduled"]),
            cell::count(object, &["status", "numberReady"]),
            cell::count(object, &["status", "updatedNumberScheduled"]),
            cell::count(object, &["status", "numberAvailable"]),
            cell::pairs(object, &["spec", "template", "spec", "nodeSelector"]),
            cell::age(object, now),
        ];
        with(with(cells, cell::containers(object, SPEC)), [cell::selector(object, SELECTOR)])
    },
};

const REVISION: Layout = Layout {
    columns: &[column("Name"), column("Controller"), column("Revision"), column("Age")],
    cells: |object, now| {
        let owner = meta::controller(object).map_or_else(
            || cell::NONE.to_owned(),
            |owner| {
                let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
                let kind = owner.kind.to_lowercase();
                if group.is_empty() {
                    format!("{kind}/{}", owner.name)
                } else {
                    format!("{kind}.{group}/{}", owner.name)
                }
            },
        );
        vec![cell::name(object), owner.into(), cell::count(object, &["revision"]), cell::age(object, now)]
    },
};

const TEMPLATE: Layout = Layout {
    columns: &[column("Name"), column("Containers"), column("Images"), column("Pod Labels")],
    cells: |object, _| {
        let cells = with(vec![cell::name(object)], cell::containers(object, &["template", "spec"]));
        with(cells, [cell::pairs(object, &["template", "metadata", "labels"])])
    },
};

/// What `kubectl get --subresource=scale` shows.
pub(super) const SCALE: Layout = Layout {
    columns: &[column("Name"), number("Desired"), number("Available"), column("Age")],
    cells: |scale, now| {
        vec![
            cell::name(scale),
            cell::count(scale, &["spec", "replicas"]),
            cell::count(scale, &["status", "replicas"]),
            cell::age(scale, now),
        ]
    },
};
