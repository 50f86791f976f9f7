//! Pods: the plan of one step is carried out.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, Preconditions};
use mainstay_control::reconcile::{self, Next};
use mainstay_control::{Change, Key};

use super::{Agent, is_conflict, is_gone};
use crate::bound::BoundPod;

/// What a change of a pod means for its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing: mostly it is the machine's own report that comes back.
    Nothing,
    /// What is described of the pod may be another.
    Described,
    /// It must be looked at.
    Some,
}

/// What a change of a pod means for its machine.
pub(super) fn news(change: &Change<BoundPod>) -> News {
    let Change::Applied { old: Some(old), new } = change else { return News::Some };
    let (before, now) = (&old.metadata, &new.metadata);
    if before.annotations != now.annotations || before.labels != now.labels {
        return News::Described;
    }
    let is_same = before.uid == now.uid
        && before.deletion_timestamp == now.deletion_timestamp
        && before.deletion_grace_period_seconds == now.deletion_grace_period_seconds
        && old.spec.active_deadline_seconds == new.spec.active_deadline_seconds
        && new.spec.readiness_gates.is_empty();
    if is_same { News::Nothing } else { News::Some }
}

impl Agent {
    /// One look at a pod.
    pub(super) async fn pod(&self, key: &Key) -> reconcile::Outcome {
        let Some(pod) = self.pods.get(key) else {
            self.fleet().end(key);
            return Ok(Next::Wait);
        };
        if self.is_cut_off(&pod.spec.node_name) {
            return Ok(Next::Wait);
        }
        let described = self.behaviours.within(&key.namespace);
        let documents = || described.into_iter().filter(|document| document.selects(&pod)).collect();
        let Some(step) = self.fleet().step(key, &pod, documents, &self.world) else { return Ok(Next::Wait) };
        if !step.told.is_empty() {
            let recorder = self.recorder.on(&pod.spec.node_name);
            for told in step.told {
                recorder.record(told.object, told.type_, told.reason, told.message);
            }
        }
        if let Some((patch, status)) = step.write {
            match self.writer.patch::<Pod>(key, Some("status"), &Patch::Strategic(patch)).await {
                Ok(()) => self.fleet().wrote(key, *status),
                // Gone, or replaced by another of its name: the watch will say so.
                Err(error) if is_gone(&error) || is_conflict(&error) => return Ok(Next::Wait),
                Err(error) => return Err(error),
            }
        }
        if step.finish {
            self.finish(key, &pod).await?;
        }
        let now = self.world.now();
        Ok(step.wake.map_or(Next::Wait, |wake| Next::After(until(wake, now))))
    }

    /// Deletes the object of a pod whose processes have ended.
    async fn finish(&self, key: &Key, pod: &BoundPod) -> Result<(), kube::Error> {
        let params = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: pod.metadata.uid.clone(), resource_version: None }),
            ..DeleteParams::default()
        };
        match self.writer.delete::<Pod>(key, &params).await {
            Err(error) if !is_conflict(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

fn until(wake: jiff::Timestamp, now: jiff::Timestamp) -> Duration {
    Duration::try_from(wake.duration_since(now)).unwrap_or(Duration::ZERO)
}
