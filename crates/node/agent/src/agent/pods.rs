//! Pods: the plan of one step is carried out.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use mainstay_control::Key;
use mainstay_control::events::EventType;
use mainstay_control::reconcile::{self, Next};
use serde_json::{Value, json};

use super::{Agent, is_conflict, is_gone};
use crate::pod::told;

/// The conditions of a pod in the order they are listed; the scheduler's comes last.
const ORDER: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

impl Agent {
    /// One look at a pod.
    pub(super) async fn pod(&self, key: &Key) -> reconcile::Outcome {
        let Some(pod) = self.pods.get(key) else {
            self.fleet().end(key);
            return Ok(Next::Wait);
        };
        let Some(step) = self.fleet().step(key, &pod, &self.world) else { return Ok(Next::Wait) };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        let recorder = self.recorder.on(node);
        for told in step.happened.iter().filter_map(|happening| told(&pod, happening)) {
            recorder.record(told.object, EventType::Normal, told.reason, told.message);
        }
        let api = Api::<Pod>::namespaced(self.client.clone(), &key.namespace);
        if let Some(status) = step.status {
            match self.write(&api, &pod, &status).await {
                Ok(()) => self.fleet().wrote(key, status),
                // Gone, or replaced by another of its name: the watch will say so.
                Err(error) if is_gone(&error) || is_conflict(&error) => return Ok(Next::Wait),
                Err(error) => return Err(error),
            }
        }
        if step.finish {
            self.finish(&api, &pod).await?;
        }
        let now = self.world.now();
        Ok(step.wake.map_or(Next::Wait, |wake| Next::After(until(wake, now))))
    }

    async fn write(&self, api: &Api<Pod>, pod: &Pod, status: &PodStatus) -> Result<(), kube::Error> {
        let patch = patch(pod, status).map_err(kube::Error::SerdeError)?;
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        api.patch_status(name, &PatchParams::default(), &Patch::Strategic(patch)).await.map(|_| ())
    }

    /// Deletes the object of a pod whose processes have ended.
    async fn finish(&self, api: &Api<Pod>, pod: &Pod) -> Result<(), kube::Error> {
        let params = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: pod.metadata.uid.clone(), resource_version: None }),
            ..DeleteParams::default()
        };
        match api.delete(pod.metadata.name.as_deref().unwrap_or_default(), &params).await {
            Err(error) if !is_gone(&error) && !is_conflict(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

/// The patch (strategic) that makes this the pod's status, and touches no other pod of its name.
fn patch(pod: &Pod, status: &PodStatus) -> serde_json::Result<Value> {
    let mut status = serde_json::to_value(status)?;
    status["$setElementOrder/conditions"] = ORDER.iter().map(|type_| json!({ "type": type_ })).collect();
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        for field in ["reason", "message"] {
            // What a condition no longer has must be taken away: the lists are merged.
            if condition.get(field).is_none() {
                condition[field] = Value::Null;
            }
        }
    }
    Ok(json!({ "metadata": { "uid": pod.metadata.uid }, "status": status }))
}

fn until(wake: jiff::Timestamp, now: jiff::Timestamp) -> Duration {
    Duration::try_from(wake.duration_since(now)).unwrap_or(Duration::ZERO)
}
