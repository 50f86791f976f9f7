//! Sees every change of a region as it is committed, and says which ones no controller may make.
//!
//! **Invariants it watches:** a pod has at most one controller; no available pod of a rolling
//! Deployment is deleted by a controller while fewer than wanted minus the unavailable allowed are
//! available; no eviction takes what a budget guards ([`guard`]). What a person deletes is theirs to answer for, and pods that a set loses because the
//! size of its Deployment changed are shared out whatever is available, as upstream does it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use mainstay_store::{Event, EventKind, Observer, Record};
use mainstay_workloads::deployment::Size;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

mod guard;

use guard::Guard;

/// Nobody can have heard of what happened less than this ago.
const HEARSAY: Duration = Duration::from_secs(1);
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";

/// What was seen; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    pods: BTreeMap<String, Pod>,
    sets: BTreeMap<String, ReplicaSet>,
    deployments: BTreeMap<String, Deployment>,
    /// Pods, by name, that the test itself takes away.
    by_hand: BTreeSet<String>,
    /// How many pods a set may lose because its Deployment was resized.
    shared_out: BTreeMap<String, i32>,
    /// The pods available and those wanted available lately, by the Deployment's uid.
    lately: BTreeMap<String, VecDeque<(Instant, i32, i32)>>,
    guard: Guard,
    violations: Vec<String>,
}

impl Witness {
    /// What the store tells of each change.
    pub(crate) fn observer(&self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Observer {
        let witness = self.clone();
        Box::new(move |event| witness.lock().see(event, now()))
    }

    /// The test is about to delete or evict this pod.
    pub(crate) fn takes_away(&self, pod: &str) {
        self.lock().by_hand.insert(pod.to_owned());
    }

    /// What nobody should have done.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }
}

impl Seen {
    fn see(&mut self, event: &Event, now: Timestamp) {
        let is_gone = event.kind == EventKind::Deleted;
        match &*event.record.key.resource {
            "/pods" => self.see_pod(&read(&event.record), is_gone, now),
            "apps/replicasets" => self.see_set(read(&event.record), is_gone),
            "apps/deployments" => self.see_deployment(read(&event.record), is_gone),
            "policy/poddisruptionbudgets" => self.guard.see_budget(read(&event.record), is_gone),
            _ => return,
        }
        self.note(now);
    }

    fn see_deployment(&mut self, deployment: Deployment, is_gone: bool) {
        let replicas = deployment.spec.as_ref().map(|spec| spec.replicas.unwrap_or(1));
        let app = deployment.metadata.name.as_deref().unwrap_or_default();
        self.guard.see_size(app, replicas.filter(|_| !is_gone));
        keep(&mut self.deployments, deployment, is_gone);
    }

    fn see_set(&mut self, set: ReplicaSet, is_gone: bool) {
        let uid = set.metadata.uid.clone().unwrap();
        if let Some(before) = self.sets.get(&uid) {
            let lost = size(before) - size(&set);
            if desired(before) != desired(&set) && lost > 0 {
                *self.shared_out.entry(uid).or_default() += lost;
            }
        }
        keep(&mut self.sets, set, is_gone);
    }

    fn see_pod(&mut self, pod: &Pod, is_gone: bool, now: Timestamp) {
        let owners = pod.metadata.owner_references.iter().flatten();
        if owners.filter(|owner| owner.controller == Some(true)).count() > 1 {
            self.violations.push(format!("{} has two controllers", name(pod)));
        }
        let goes = is_gone || pod.metadata.deletion_timestamp.is_some();
        let before = self.pods.get(pod.metadata.uid.as_deref().unwrap_or_default()).cloned();
        if let Some(before) = before.as_ref().filter(|before| guard::is_healthy(before))
            && (is_gone || !guard::is_healthy(pod))
        {
            let alike = |other: &&Pod| guard::app(other) == guard::app(before) && guard::is_healthy(other);
            let healthy = self.pods.values().filter(alike).count();
            self.violations
                .extend(self.guard.see_loss(before, healthy).map(|fault| format!("{now}: {fault}")));
        }
        if let Some(before) = before.filter(|before| goes && before.metadata.deletion_timestamp.is_none()) {
            self.judge(&before, now);
        }
        keep(&mut self.pods, pod.clone(), is_gone);
    }

    /// Judges the deletion of a pod, as it was before.
    fn judge(&mut self, pod: &Pod, now: Timestamp) {
        let Some((set, deployment)) = self.owners(pod) else { return };
        let seconds = deployment.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default();
        if !is_available(pod, seconds, now) || self.by_hand.contains(&name(pod)) {
            return;
        }
        if let Some(left) = self.shared_out.get_mut(&set).filter(|left| **left > 0) {
            *left -= 1;
            return;
        }
        let uid = deployment.metadata.uid.as_deref().unwrap();
        let named = deployment.metadata.name.as_deref().unwrap();
        let lately = self.lately.get(uid).into_iter().flatten();
        let (most, fewest) = lately.fold((0, i32::MAX), |(most, fewest), (_, available, wanted)| {
            (most.max(*available), fewest.min(*wanted))
        });
        if most < fewest {
            self.violations.push(format!(
                "{now}: {} of {named} was deleted while {most} of {fewest} were available",
                name(pod)
            ));
        }
    }

    /// The set that owns a pod and the Deployment that owns the set, if both are to stay.
    fn owners(&self, pod: &Pod) -> Option<(String, Deployment)> {
        let set = self.sets.get(&controller(&pod.metadata)?)?;
        let deployment = self.deployments.get(&controller(&set.metadata)?)?;
        let stay =
            set.metadata.deletion_timestamp.is_none() && deployment.metadata.deletion_timestamp.is_none();
        stay.then(|| (set.metadata.uid.clone().unwrap(), deployment.clone()))
    }

    /// Remembers how the Deployments stand.
    fn note(&mut self, now: Timestamp) {
        let at = Instant::now();
        for (uid, deployment) in &self.deployments {
            let sets: BTreeSet<&String> = self
                .sets
                .iter()
                .filter(|(_, set)| controller(&set.metadata).as_ref() == Some(uid))
                .map(|(uid, _)| uid)
                .collect();
            let spec = deployment.spec.as_ref().unwrap();
            let seconds = spec.min_ready_seconds.unwrap_or_default();
            let available = self.pods.values().filter(|pod| {
                controller(&pod.metadata).is_some_and(|set| sets.contains(&set))
                    && is_available(pod, seconds, now)
            });
            let size = Size::of(deployment);
            let is_recreate =
                spec.strategy.as_ref().is_some_and(|own| own.type_.as_deref() == Some("Recreate"));
            let wanted = if is_recreate { 0 } else { size.fewest_available() };
            let lately = self.lately.entry(uid.clone()).or_default();
            lately.push_back((at, i32::try_from(available.count()).unwrap(), wanted));
            // The last one of before is what held until then.
            while lately.get(1).is_some_and(|(then, ..)| at.duration_since(*then) > HEARSAY) {
                lately.pop_front();
            }
        }
    }
}

fn read<K: DeserializeOwned>(record: &Record) -> K {
    serde_json::from_slice(&record.value).unwrap()
}

fn keep<K: kube::Resource>(all: &mut BTreeMap<String, K>, object: K, is_gone: bool) {
    let uid = object.meta().uid.clone().unwrap();
    if is_gone {
        all.remove(&uid);
    } else {
        all.insert(uid, object);
    }
}

fn controller(meta: &kube::core::ObjectMeta) -> Option<String> {
    let owners = meta.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
}

fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap()
}

fn size(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn desired(set: &ReplicaSet) -> Option<&String> {
    set.metadata.annotations.as_ref()?.get(DESIRED)
}

fn is_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> bool {
    let Some(status) = pod.status.as_ref() else { return false };
    let is_running = !matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    let ready = status.conditions.iter().flatten().find(|own| own.type_ == "Ready" && own.status == "True");
    let after = jiff::SignedDuration::from_secs(i64::from(min_ready_seconds));
    let since = ready.and_then(|ready| ready.last_transition_time.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && is_running
        && since.is_some_and(|since| since.0 + after <= now)
}
