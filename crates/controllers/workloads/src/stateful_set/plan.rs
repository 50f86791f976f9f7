//! What a StatefulSet needs next.
//!
//! With `OrderedReady` a pod comes only when all before it are available, the last one goes first,
//! and nothing else happens meanwhile; with `Parallel` all at once. Scaling comes before updating,
//! and an update replaces one pod after the other from the last one down.
//!
//! **Spec:** upstream's `StatefulSetControl`. `maxUnavailable` of the rolling update is ignored, as
//! upstream's API drops it by default: one pod at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use mainstay_control::meta::is_terminating;
use serde_json::{Map, Value, json};

use super::claims::{self, Claims};
use super::identity;
use super::status::{self, Counts};
use super::storage;
use crate::follow::PodOwner as _;
use crate::history::revision_label;
use crate::pods;

/// How long a claim of an earlier pod is waited for before it is looked at again.
const STALE_CLAIM: Duration = Duration::from_secs(1);

/// A template and the name it is recorded as.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The revision's name.
    pub name: String,
    /// Its template.
    pub template: PodTemplateSpec,
}

/// What is known of a set.
pub struct View<'a> {
    /// The set.
    pub set: &'a StatefulSet,
    /// Its pods.
    pub pods: &'a [Arc<Pod>],
    /// Finds a claim of the set's namespace.
    pub claim: &'a (dyn Fn(&str) -> Option<Arc<PersistentVolumeClaim>> + Sync),
    /// The template that pods below the partition have.
    pub current: &'a Revision,
    /// The template in the set.
    pub update: &'a Revision,
    /// The time.
    pub now: Timestamp,
}

/// Something to do about one pod, after its claims.
#[derive(Debug)]
pub struct Step {
    /// The pod; to be created, or as it is.
    pub pod: Arc<Pod>,
    /// What its claims need first.
    pub claims: Claims,
    /// What it needs itself.
    pub act: Act,
}

/// What a pod needs.
#[derive(Debug, PartialEq)]
pub enum Act {
    /// To be created.
    Create,
    /// To be deleted.
    Delete,
    /// This patch, if there is one.
    Mend(Option<Value>),
    /// Nothing but its claims.
    Nothing,
}

/// What to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// One stage after the other, as long as all goes well.
    pub stages: Vec<Vec<Step>>,
    /// A pod of an older template, to be replaced once the stages are done.
    pub outdated: Option<Arc<Pod>>,
    /// Whether the steps of a stage do not wait for each other.
    pub is_parallel: bool,
    /// The numbers of the status, before a pod is replaced.
    pub counts: Counts,
    /// When to look again, if nothing changes before.
    pub next: Option<Duration>,
}

/// Decides what the set needs next.
pub fn advance(view: &View<'_>) -> Plan {
    let mut plan = Plan {
        is_parallel: is_parallel(view.set),
        counts: status::counts(view),
        next: next_available(view),
        ..Plan::default()
    };
    if is_terminating(&view.set.metadata) {
        return plan;
    }
    let (replicas, condemned) = sorted(view);
    let (steps, is_blocked) = keep(view, &replicas, &mut plan.next);
    plan.stages.push(steps);
    if is_blocked {
        return plan;
    }
    plan.stages.push(condemned.iter().filter_map(|pod| let_claims_go(view, pod)).collect());
    let (steps, is_blocked) = remove(view, &replicas, &condemned);
    plan.stages.push(steps);
    if !is_blocked {
        plan.outdated = outdated(view, &replicas);
    }
    plan
}

/// A place among the set's pods.
enum Replica {
    Present(Arc<Pod>),
    Missing(Arc<Pod>),
}

/// The set's pods by ordinal, those to be created among them, and those too many, the last first.
fn sorted(view: &View<'_>) -> (Vec<Replica>, Vec<Arc<Pod>>) {
    let by_ordinal = view.pods.iter().filter_map(|pod| Some((identity::ordinal(pod)?, pod.clone())));
    let mut by_ordinal: BTreeMap<i32, Arc<Pod>> = by_ordinal.collect();
    let replicas = identity::ordinals(view.set).map(|ordinal| match by_ordinal.remove(&ordinal) {
        Some(pod) => Replica::Present(pod),
        None => Replica::Missing(Arc::new(missing(view, ordinal))),
    });
    let replicas = replicas.collect();
    (replicas, by_ordinal.into_values().rev().collect())
}

fn missing(view: &View<'_>, ordinal: i32) -> Pod {
    let revision = if is_before_update(view.set, ordinal) { view.current } else { view.update };
    identity::pod(view.set, &revision.template, &revision.name, ordinal)
}

/// Whether the pod with this ordinal keeps the template it had.
fn is_before_update(set: &StatefulSet, ordinal: i32) -> bool {
    let Some(strategy) = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()) else {
        return false;
    };
    let index = ordinal - identity::start(set);
    if let Some(rolling) = &strategy.rolling_update {
        return index < rolling.partition.unwrap_or_default();
    }
    let current = set.status.as_ref().and_then(|status| status.current_replicas);
    strategy.type_.as_deref() == Some("RollingUpdate") && index < current.unwrap_or_default()
}

/// The steps that keep the wanted pods, and whether anything else has to wait for them.
fn keep(view: &View<'_>, replicas: &[Replica], next: &mut Option<Duration>) -> (Vec<Step>, bool) {
    let is_ordered = !is_parallel(view.set);
    let mut steps = Vec::new();
    for replica in replicas {
        let (step, is_blocked) = match replica {
            Replica::Present(pod) => keep_one(view, pod),
            Replica::Missing(pod) if claims::are_stale(view, pod) => {
                *next = Some(next.map_or(STALE_CLAIM, |next| next.min(STALE_CLAIM)));
                (None, true)
            }
            Replica::Missing(pod) => (Some(create(view, pod)), true),
        };
        steps.extend(step);
        if is_ordered && is_blocked {
            return (steps, true);
        }
    }
    (steps, false)
}

fn create(view: &View<'_>, pod: &Arc<Pod>) -> Step {
    Step { pod: pod.clone(), claims: Claims::missing(view, pod), act: Act::Create }
}

fn keep_one(view: &View<'_>, pod: &Arc<Pod>) -> (Option<Step>, bool) {
    let terminating = is_terminating(&pod.metadata);
    if pods::is_ended(pod) {
        // Its successor comes once it is gone.
        return ((!terminating).then(|| delete(pod)), true);
    }
    let is_pending = pods::phase(pod) == "Pending";
    let is_blocked = terminating
        || !status::is_running_and_ready(pod)
        || !pods::is_available(pod, view.set.min_ready_seconds(), view.now);
    if is_blocked && !is_parallel(view.set) {
        let claims = if is_pending { Claims::missing(view, pod) } else { Claims::default() };
        return (step(pod, claims, Act::Nothing), true);
    }
    (mend(view, pod, is_pending), is_blocked)
}

/// The step, unless it would do nothing.
fn step(pod: &Arc<Pod>, claims: Claims, act: Act) -> Option<Step> {
    let does_something = act != Act::Nothing || !claims.are_good();
    does_something.then(|| Step { pod: pod.clone(), claims, act })
}

fn delete(pod: &Arc<Pod>) -> Step {
    Step { pod: pod.clone(), claims: Claims::default(), act: Act::Delete }
}

/// Makes a pod again who it is, mounting what it shall, with claims owned as they shall be.
fn mend(view: &View<'_>, pod: &Arc<Pod>, is_pending: bool) -> Option<Step> {
    let ordinal = identity::ordinal(pod)?;
    let (is_itself, mounts) = (identity::matches(view.set, pod), storage::matches(view.set, pod));
    let claims = if mounts && !is_pending { Claims::owned(view, pod) } else { Claims::missing(view, pod) };
    if is_itself && mounts {
        let act = if claims.are_good() || is_pending { Act::Nothing } else { Act::Mend(None) };
        return step(pod, claims, act);
    }
    let mut patch = Map::new();
    if !is_itself {
        let labels: Map<String, Value> =
            identity::labels(view.set, ordinal).into_iter().map(|(key, value)| (key, value.into())).collect();
        patch.insert("metadata".to_owned(), json!({ "labels": labels }));
    }
    if !mounts {
        let spec = pod.spec.clone().unwrap_or_default();
        patch.insert("spec".to_owned(), json!({ "volumes": storage::volumes(view.set, &spec, ordinal) }));
    }
    Some(Step { pod: pod.clone(), claims, act: Act::Mend(Some(Value::Object(patch))) })
}

/// A pod too many takes its claims with it where the policy says so.
fn let_claims_go(view: &View<'_>, pod: &Arc<Pod>) -> Option<Step> {
    step(pod, Claims::owned(view, pod), Act::Nothing)
}

/// The steps that remove pods too many, and whether updating has to wait for them.
fn remove(view: &View<'_>, replicas: &[Replica], condemned: &[Arc<Pod>]) -> (Vec<Step>, bool) {
    let is_live = |pod: &&Arc<Pod>| !is_terminating(&pod.metadata);
    if is_parallel(view.set) {
        return (condemned.iter().filter(is_live).map(delete).collect(), false);
    }
    let Some(last) = condemned.first() else { return (Vec::new(), false) };
    let is_well = pods::is_available(last, view.set.min_ready_seconds(), view.now)
        && status::is_running_and_ready(last);
    let goes = is_live(&last) && (is_well || is_first_unhealthy(last, replicas, condemned));
    (if goes { vec![delete(last)] } else { Vec::new() }, true)
}

/// Whether the pod is the only one that is not well: all of smaller ordinals are.
fn is_first_unhealthy(pod: &Arc<Pod>, replicas: &[Replica], condemned: &[Arc<Pod>]) -> bool {
    let is_well = |replica: &Replica| match replica {
        Replica::Present(pod) => status::is_healthy(pod),
        Replica::Missing(_) => false,
    };
    replicas.iter().all(is_well)
        && condemned
            .iter()
            .rev()
            .find(|pod| !status::is_healthy(pod))
            .is_some_and(|first| Arc::ptr_eq(first, pod))
}

/// The pod to be replaced by one of the set's template, if one may be.
fn outdated(view: &View<'_>, replicas: &[Replica]) -> Option<Arc<Pod>> {
    let strategy = view.set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    if strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("OnDelete")) {
        return None;
    }
    let partition = strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.partition);
    let partition = usize::try_from(partition.unwrap_or_default()).unwrap_or_default();
    for replica in replicas.iter().skip(partition).rev() {
        let Replica::Present(pod) = replica else { return None };
        if pods::is_ended(pod) {
            return None;
        }
        if revision_label(&pod.metadata) != view.update.name && !is_terminating(&pod.metadata) {
            return Some(pod.clone());
        }
        if !status::is_healthy(pod) {
            return None;
        }
    }
    None
}

fn is_parallel(set: &StatefulSet) -> bool {
    let policy = set.spec.as_ref().and_then(|spec| spec.pod_management_policy.as_deref());
    policy == Some("Parallel")
}

/// How long until the next ready pod counts as available.
fn next_available(view: &View<'_>) -> Option<Duration> {
    let seconds = view.set.min_ready_seconds();
    let next = view.pods.iter().filter_map(|pod| pods::available_at(pod, seconds));
    let next = next.filter(|at| *at > view.now).min()?;
    Duration::try_from(next.duration_since(view.now)).ok()
}
