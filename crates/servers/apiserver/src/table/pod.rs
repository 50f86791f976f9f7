//! A pod's row. What its STATUS says follows from phase, conditions and the containers' states.

use jiff::Timestamp;
use mainstay_resource::meta;
use serde_json::{Value, json};

use super::age;
use super::cell::{self, NONE};
use super::printer::{Layout, column, wide};
use crate::fields::{at, list, number, text};

pub(super) const LAYOUT: Layout = Layout {
    columns: &[
        column("Name"),
        column("Ready"),
        column("Status"),
        column("Restarts"),
        column("Age"),
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
};

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    vec![
        cell::name(pod),
        format!("{}/{}", summary.ready, summary.containers).into(),
        summary.status.clone().into(),
        summary.restarts(now).into(),
        cell::age(pod, now),
        cell::text_or(pod, &["status", "podIP"], NONE),
        cell::text_or(pod, &["spec", "nodeName"], NONE),
        cell::text_or(pod, &["status", "nominatedNodeName"], NONE),
        gates(pod).into(),
    ]
}

fn gates(pod: &Value) -> String {
    let gates = list(pod, &["spec", "readinessGates"]);
    let open =
        gates.iter().filter(|gate| cell::condition(pod, text(gate, &["conditionType"])) == Some("True"));
    if gates.is_empty() { NONE.to_owned() } else { format!("{}/{}", open.count(), gates.len()) }
}

/// A pod that is over says so in its row's conditions.
pub(super) fn conditions(pod: &Value) -> Option<Value> {
    let (reason, message) = match text(pod, &["status", "phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

/// What the containers of a pod add up to.
#[derive(Debug, Default)]
struct Summary<'a> {
    status: String,
    ready: usize,
    containers: usize,
    restarts: i64,
    /// When a container last ended; times in this form sort as text.
    last_restart: &'a str,
}

impl<'a> Summary<'a> {
    fn of(pod: &'a Value) -> Self {
        let sidecars =
            list(pod, &["spec", "initContainers"]).iter().filter(|container| is_sidecar(container));
        let mut summary = Self {
            status: phase(pod).to_owned(),
            containers: list(pod, &["spec", "containers"]).len() + sidecars.count(),
            ..Self::default()
        };
        let mut of_sidecars = Self::default();
        let initializing = summary.count_init(pod, &mut of_sidecars);
        if !initializing || cell::condition(pod, "Initialized") == Some("True") {
            (summary.restarts, summary.last_restart) = (of_sidecars.restarts, of_sidecars.last_restart);
            summary.count_running(pod);
        }
        if meta::deletion_timestamp(pod).is_some() {
            summary.note_deletion(pod);
        }
        summary
    }

    fn note_restarts(&mut self, status: &'a Value) {
        self.restarts += number(status, &["restartCount"]).unwrap_or(0);
        let ended = text(status, &["lastState", "terminated", "finishedAt"]);
        self.last_restart = self.last_restart.max(ended);
    }

    /// Goes through the init containers; returns whether one of them is not done.
    fn count_init(&mut self, pod: &'a Value, of_sidecars: &mut Self) -> bool {
        let specs = list(pod, &["spec", "initContainers"]);
        for (index, status) in list(pod, &["status", "initContainerStatuses"]).iter().enumerate() {
            self.note_restarts(status);
            let name = text(status, &["name"]);
            let sidecar = specs.iter().any(|spec| text(spec, &["name"]) == name && is_sidecar(spec));
            if sidecar {
                of_sidecars.note_restarts(status);
            }
            let terminated = at(status, &["state", "terminated"]);
            if terminated.is_some_and(|ended| number(ended, &["exitCode"]).unwrap_or(0) == 0) {
                continue;
            }
            if sidecar && status["started"] == true {
                self.ready += usize::from(status["ready"] == true);
                continue;
            }
            let waiting = text(status, &["state", "waiting", "reason"]);
            self.status = match terminated {
                Some(ended) => format!("Init:{}", ending(ended)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", specs.len()),
            };
            return true;
        }
        false
    }

    fn count_running(&mut self, pod: &'a Value) {
        let mut running = false;
        for status in list(pod, &["status", "containerStatuses"]).iter().rev() {
            self.note_restarts(status);
            let waiting = text(status, &["state", "waiting", "reason"]);
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.status);
            } else if let Some(ended) = at(status, &["state", "terminated"]) {
                self.status = ending(ended);
            } else if status["ready"] == true && at(status, &["state", "running"]).is_some() {
                running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && running {
            let ready = cell::condition(pod, "Ready") == Some("True");
            if ready { "Running" } else { "NotReady" }.clone_into(&mut self.status);
        }
    }

    fn note_deletion(&mut self, pod: &Value) {
        if text(pod, &["status", "reason"]) == "NodeLost" {
            "Unknown".clone_into(&mut self.status);
        } else if !matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut self.status);
        }
    }

    fn restarts(&self, now: Timestamp) -> String {
        if self.restarts == 0 || self.last_restart.is_empty() {
            self.restarts.to_string()
        } else {
            format!("{} ({} ago)", self.restarts, age::since(self.last_restart, now))
        }
    }
}

fn phase(pod: &Value) -> &str {
    let conditions = list(pod, &["status", "conditions"]);
    let gated =
        |one: &Value| text(one, &["type"]) == "PodScheduled" && text(one, &["reason"]) == "SchedulingGated";
    if conditions.iter().any(gated) {
        return "SchedulingGated";
    }
    match text(pod, &["status", "reason"]) {
        "" => text(pod, &["status", "phase"]),
        reason => reason,
    }
}

fn is_sidecar(container: &Value) -> bool {
    text(container, &["restartPolicy"]) == "Always"
}

fn ending(ended: &Value) -> String {
    let reason = text(ended, &["reason"]);
    let signal = number(ended, &["signal"]).unwrap_or(0);
    if !reason.is_empty() {
        reason.to_owned()
    } else if signal != 0 {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", number(ended, &["exitCode"]).unwrap_or(0))
    }
}
