//! The status of a pod: what is so, what was said of it, and the patch between the two.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::conditions::{self, TYPES};
use super::phase::Phase;
use super::shown::{Shown, ShownPod, second};
use crate::bound::{BoundPod, Container};

/// What a status says, as far as the agent says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(super) phase: Phase,
    /// Why the pod is in its phase, and that for people.
    pub(super) cause: Option<(&'static str, &'static str)>,
    pub(super) seen: Timestamp,
    pub(super) host: Ipv4Addr,
    pub(super) address: Option<Ipv4Addr>,
    pub(super) conditions: [conditions::Said; 4],
    pub(super) containers: ShownPod,
}

impl Status {
    /// What the API says of a pod; none where nobody has said all of it yet.
    pub(super) fn said(pod: &BoundPod, host: Ipv4Addr) -> Option<Self> {
        let status = &pod.status;
        Some(Self {
            phase: Phase::parse(&status.phase)?,
            cause: None,
            seen: status.start_time.as_ref()?.0,
            host,
            address: status.pod_ip.as_deref().and_then(|address| address.parse().ok()),
            conditions: conditions::said(status)?,
            containers: ShownPod::said(&pod.spec, status)?,
        })
    }

    /// The strategic merge patch that makes `said` into this; none where they say the same.
    pub(super) fn patch(&self, said: Option<&Self>, pod: &BoundPod) -> Option<Value> {
        let mut status = Map::new();
        self.put_facts(said, &mut status);
        self.put_conditions(said, &mut status);
        let uid = pod.uid();
        let mut put = |field: &str, containers: &[Container], new: &[Shown], old: Option<&Vec<Shown>>| {
            if !new.is_empty() && old.is_none_or(|old| old != new) {
                let all = containers.iter().zip(new).map(|(container, shown)| shown.status(container, uid));
                status.insert(field.to_owned(), all.map(|status| json!(status)).collect());
            }
        };
        let old = said.map(|said| &said.containers);
        let new = &self.containers;
        put("containerStatuses", &pod.spec.containers, &new.main, old.map(|old| &old.main));
        put("initContainerStatuses", &pod.spec.init_containers, &new.init, old.map(|old| &old.init));
        (!status.is_empty()).then(|| json!({ "metadata": { "uid": uid }, "status": status }))
    }

    fn put_facts(&self, said: Option<&Self>, status: &mut Map<String, Value>) {
        let is_new = |same: &dyn Fn(&Self) -> bool| !said.is_some_and(same);
        if is_new(&|said| said.phase == self.phase) {
            status.insert("phase".to_owned(), self.phase.text().into());
        }
        if let Some((reason, message)) = self.cause.filter(|_| is_new(&|said| said.cause == self.cause)) {
            status.insert("reason".to_owned(), reason.into());
            status.insert("message".to_owned(), message.into());
        }
        if is_new(&|said| second(said.seen) == second(self.seen)) {
            let host = self.host.to_string();
            status.insert("startTime".to_owned(), json!(k8s_time(self.seen)));
            status.insert("hostIPs".to_owned(), json!([{ "ip": host }]));
            status.insert("hostIP".to_owned(), host.into());
        }
        if let Some(address) = self.address.filter(|_| is_new(&|said| said.address == self.address)) {
            let address = address.to_string();
            status.insert("podIPs".to_owned(), json!([{ "ip": address }]));
            status.insert("podIP".to_owned(), address.into());
        }
    }

    fn put_conditions(&self, said: Option<&Self>, status: &mut Map<String, Value>) {
        let mut changed = Vec::new();
        for (index, type_) in TYPES.into_iter().enumerate() {
            let new = &self.conditions[index];
            if said.is_some_and(|said| said.conditions[index].verdict == new.verdict) {
                continue;
            }
            let mut condition = json!(conditions::condition(type_, new));
            for field in ["reason", "message"] {
                // What a condition no longer has must be taken away: the lists are merged.
                if said.is_some() && condition.get(field).is_none() {
                    condition[field] = Value::Null;
                }
            }
            changed.push(condition);
        }
        if !changed.is_empty() {
            // The scheduler's condition comes last.
            let order = TYPES.into_iter().chain(["PodScheduled"]).map(|type_| json!({ "type": type_ }));
            status.insert("$setElementOrder/conditions".to_owned(), order.collect());
            status.insert("conditions".to_owned(), changed.into());
        }
    }
}

fn k8s_time(time: Timestamp) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time)
}
