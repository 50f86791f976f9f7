//! One step of a Deployment: from what is there to what is to be written.
//!
//! **Spec:** upstream's `deployment` controller: `sync`, `rolling`, `recreate`, `progress`.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use mainstay_control::Next;
use mainstay_control::meta::{controller_uid, is_terminating};
use serde_json::Value;

use super::set::Set;
use super::size::{self, Size};
use super::{scaling, status};
use crate::pods;

mod current;
mod finish;
mod rollback;

#[cfg(test)]
mod tests;

pub use rollback::Rollback;

/// What a Deployment's step looks at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The Deployment.
    pub deployment: &'a Deployment,
    /// The sets it owns.
    pub sets: &'a [Arc<ReplicaSet>],
    /// The pods of those sets; only `Recreate` looks at them.
    pub pods: &'a [Arc<Pod>],
    /// The time, in whole seconds.
    pub now: Timestamp,
}

/// What is to be written, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    /// A set to create.
    pub create: Option<Box<ReplicaSet>>,
    /// Sets to change.
    pub update: Vec<Update>,
    /// Sets that are history beyond its limit.
    pub delete: Vec<Arc<ReplicaSet>>,
    /// The way back that somebody asked for.
    pub rollback: Option<Rollback>,
    /// The revision the Deployment shall say it has.
    pub revision: Option<i64>,
    /// Its status.
    pub status: DeploymentStatus,
    /// When to look again though nothing changes.
    pub next: Option<std::time::Duration>,
}

impl Plan {
    /// Whether something has to be said of the Deployment that the next step would no longer know.
    pub fn is_new_to_the_deployment(&self) -> bool {
        self.create.is_some() || self.rollback.is_some() || self.revision.is_some()
    }

    /// What follows when all of it is written.
    pub fn next(&self) -> Next {
        self.next.map_or(Next::Wait, Next::After)
    }
}

/// Something to tell of the Deployment.
#[derive(Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether somebody should look at it.
    pub is_warning: bool,
    /// Why it is told.
    pub reason: &'static str,
    /// What it says.
    pub message: String,
}

impl Notice {
    fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { is_warning: false, reason, message: message.into() }
    }

    fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { is_warning: true, reason, message: message.into() }
    }
}

/// A change of one set.
#[derive(Debug)]
pub struct Update {
    /// The set as it was.
    pub set: Arc<ReplicaSet>,
    /// The merge patch.
    pub patch: Value,
    /// What to tell of it.
    pub events: Vec<String>,
}

/// Decides one step.
pub fn advance(view: View<'_>) -> Plan {
    let mut step = Step::new(view);
    let deployment = view.deployment;
    if is_terminating(&deployment.metadata) {
        step.find_new(false);
        return step.finish(false);
    }
    step.note_pause();
    let is_paused = deployment.spec.as_ref().is_some_and(|spec| spec.paused == Some(true));
    let back_to = rollback::asked_for(deployment);
    if let Some(revision) = back_to.filter(|_| !is_paused) {
        step.find_new(true);
        step.rollback = Some(step.roll_back(revision));
        return step.finish(false);
    }
    if is_paused || step.is_resized() {
        step.find_new(false);
        let before = deployment.status.as_ref().and_then(|status| status.replicas).unwrap_or_default();
        scaling::scale_in_proportion(&step.size, step.is_recreate, before, step.new.as_mut(), &mut step.old);
        if is_paused && back_to.is_none() {
            step.clear_history();
        }
        return step.finish(false);
    }
    if step.is_recreate {
        step.recreate();
    } else {
        step.roll();
    }
    step.finish(true)
}

struct Step<'a> {
    view: View<'a>,
    size: Size,
    is_recreate: bool,
    /// The status with the conditions set so far.
    status: DeploymentStatus,
    new: Option<Set>,
    /// Oldest first.
    old: Vec<Set>,
    is_created: bool,
    delete: Vec<Arc<ReplicaSet>>,
    rollback: Option<Rollback>,
    revision: Option<i64>,
}

impl<'a> Step<'a> {
    fn new(view: View<'a>) -> Self {
        let mut old: Vec<Set> = view.sets.iter().cloned().map(Set::new).collect();
        old.sort_by(|a, b| a.age().cmp(&b.age()));
        Self {
            view,
            size: Size::of(view.deployment),
            is_recreate: size::is_recreate(view.deployment),
            status: view.deployment.status.clone().unwrap_or_default(),
            new: None,
            old,
            is_created: false,
            delete: Vec::new(),
            rollback: None,
            revision: None,
        }
    }

    fn set_progress(&mut self, status: &str, reason: &str, message: impl Into<String>) {
        let condition = status::condition(status::PROGRESSING, status, reason, message, self.view.now);
        status::set(&mut self.status, condition);
    }

    /// A paused Deployment has no deadline to miss.
    fn note_pause(&mut self) {
        let reason = status::find(&self.status, status::PROGRESSING).and_then(|now| now.reason.as_deref());
        let is_noted = reason == Some(status::PAUSED);
        let is_paused = self.view.deployment.spec.as_ref().is_some_and(|spec| spec.paused == Some(true));
        if status::deadline(self.view.deployment).is_none() || reason == Some(status::TIMED_OUT) {
            return;
        }
        match (is_paused, is_noted) {
            (true, false) => self.set_progress("Unknown", status::PAUSED, "Deployment is paused"),
            (false, true) => self.set_progress("Unknown", "DeploymentResumed", "Deployment is resumed"),
            _ => {}
        }
    }

    /// Whether an active set was scaled for another size than the one wanted now.
    fn is_resized(&self) -> bool {
        let mut active = self.old.iter().filter(|set| set.is_active());
        active.any(|set| set.desired().is_some_and(|desired| desired != self.size.replicas))
    }

    /// Step by step from the old sets to the new one.
    fn roll(&mut self) {
        self.find_new(true);
        let Some(new) = self.new.as_mut() else { return };
        if !scaling::scale_new(&self.size, false, new, &self.old)
            && !scaling::scale_old(&self.size, new, &mut self.old)
        {
            self.clear_history_when_complete();
        }
    }

    /// All of the old sets first, then the new one.
    fn recreate(&mut self) {
        self.find_new(false);
        if scaling::drop_all(&self.size, &mut self.old) || self.has_old_pods() {
            return;
        }
        if self.new.is_none() {
            self.find_new(true);
        }
        let Some(new) = self.new.as_mut() else { return };
        new.scale(self.size.replicas, &self.size);
        self.clear_history_when_complete();
    }

    /// Whether a pod of an old set may still run.
    fn has_old_pods(&self) -> bool {
        let new = self.new.as_ref().map(Set::uid);
        self.old.iter().any(|set| set.actual() > 0)
            || self.view.pods.iter().any(|pod| controller_uid(&pod.metadata) != new && !pods::is_ended(pod))
    }
}
