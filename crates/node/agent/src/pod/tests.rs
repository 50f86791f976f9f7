//! A pod's way from bound to gone, as the API sees it: the patches are applied to the object as the
//! API server applies them, and what is read is the object.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_base::{Random, Seed};
use mainstay_resource::{GroupVersionKind, Schema, patch};
use serde_json::{Value, json};

use super::{Host, Run, resume};
use crate::bound::BoundPod;
use crate::runtime::Behaviours;

mod crashes;
mod endings;
mod init;
mod starts;

const START: Timestamp = Timestamp::UNIX_EPOCH;

/// A pod with its run.
struct Life {
    object: Value,
    run: Run,
    images: BTreeSet<String>,
    now: Timestamp,
    /// When to look next.
    wake: Option<Timestamp>,
    /// What was told and written, with the second it happened in.
    events: Vec<(i64, String)>,
    statuses: Vec<(i64, String)>,
    is_gone: bool,
}

fn host() -> Host {
    Host { node: Arc::from("ip-10-0-1-4.ec2.internal"), address: Ipv4Addr::new(10, 0, 1, 4) }
}

fn random() -> Random {
    Random::named(Seed(7), "pod")
}

fn bound(object: &Value) -> BoundPod {
    serde_json::from_value(object.clone()).unwrap()
}

impl Life {
    fn new(annotations: &Value, spec: &Value) -> Self {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "web-1", "namespace": "shop", "uid": "u1", "annotations": annotations },
            "spec": spec,
            "status": { "phase": "Pending", "qosClass": "BestEffort",
                        "conditions": [{ "type": "PodScheduled", "status": "True" }] },
        });
        let run = Run::start(&bound(&object), host(), Some(Ipv4Addr::new(10, 20, 4, 2)), random(), START);
        Self {
            object,
            run,
            images: BTreeSet::new(),
            now: START,
            wake: Some(START),
            events: Vec::new(),
            statuses: Vec::new(),
            is_gone: false,
        }
    }

    /// Looks at the pod now.
    fn look(&mut self) {
        let pod = bound(&self.object);
        let mut told = Vec::new();
        if self.run.is_stale {
            told = self.run.behave(&pod, Behaviours::of(&pod, &[]), self.now);
        }
        let step = self.run.advance(&pod, &mut self.images, self.now);
        let second = self.now.duration_since(START).as_secs();
        told.extend(step.told);
        self.events
            .extend(told.into_iter().map(|told| (second, format!("{}: {}", told.reason, told.message))));
        if let Some((change, status)) = step.write {
            let kind = GroupVersionKind::new("", "v1", "Pod");
            let schema = Schema::for_kind(&kind).unwrap();
            self.object = patch::strategic(self.object.take(), &change, schema).unwrap();
            self.run.wrote(*status);
            let line = line(&self.object);
            self.statuses.push((second, line));
        }
        self.wake = step.wake;
        self.is_gone = step.finish;
    }

    /// Lives on until a second.
    fn until(&mut self, second: i64) -> &mut Self {
        let end = START + SignedDuration::from_secs(second);
        self.look();
        while let Some(wake) = self.wake.filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.look();
        }
        self.now = end;
        self
    }

    fn delete(&mut self, grace: i64) -> &mut Self {
        let at = self.now + SignedDuration::from_secs(grace);
        self.object["metadata"]["deletionTimestamp"] = json!(Time(at));
        self.object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        self.look();
        self
    }

    fn annotate(&mut self, key: &str, value: &str) -> &mut Self {
        self.object["metadata"]["annotations"][format!("mainstay.dev/{key}")] = json!(value);
        self.run.is_stale = true;
        self.look();
        self
    }

    fn statuses(&self) -> Vec<&str> {
        self.statuses.iter().map(|(_, line)| &**line).collect()
    }

    /// The Events but those of the start, without what varies.
    fn events(&self) -> Vec<&str> {
        let is_of_start = |event: &str| {
            ["Pulling", "Pulled", "Created", "Started"].iter().any(|one| event.starts_with(one))
        };
        self.events.iter().map(|(_, event)| &**event).filter(|event| !is_of_start(event)).collect()
    }

    fn reasons(&self) -> Vec<&str> {
        self.events.iter().map(|(_, event)| event.split(':').next().unwrap()).collect()
    }

    fn status(&self) -> &Value {
        &self.object["status"]
    }

    fn condition(&self, type_: &str) -> &Value {
        let conditions = self.status()["conditions"].as_array().unwrap();
        conditions.iter().find(|condition| condition["type"] == type_).unwrap()
    }
}

/// A status in one line: the phase, then each container's state, restarts, and `+` where it is ready.
fn line(object: &Value) -> String {
    let status = &object["status"];
    let mut line = status["phase"].as_str().unwrap().to_owned();
    let all = ["initContainerStatuses", "containerStatuses"];
    for container in all.iter().filter_map(|list| status[list].as_array()).flatten() {
        let state = &container["state"];
        let word = if let Some(waiting) = state["waiting"]["reason"].as_str() {
            waiting.to_owned()
        } else if let Some(reason) = state["terminated"]["reason"].as_str() {
            format!("{reason}({})", state["terminated"]["exitCode"])
        } else {
            "Running".to_owned()
        };
        let ready = if container["ready"] == true { "+" } else { "" };
        let restarts = match container["restartCount"].as_i64() {
            Some(0) => String::new(),
            count => format!("*{}", count.unwrap()),
        };
        write!(line, " {}={word}{restarts}{ready}", container["name"].as_str().unwrap()).unwrap();
    }
    line
}

fn web() -> Value {
    json!({ "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
            "containers": [{ "name": "web", "image": "nginx:1.27" }] })
}

fn with(mut spec: Value, field: &str, value: Value) -> Value {
    if let Some(field) = field.strip_prefix("web.") {
        spec["containers"][0][field] = value;
    } else {
        spec[field] = value;
    }
    spec
}
