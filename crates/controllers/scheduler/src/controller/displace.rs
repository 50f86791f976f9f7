//! Makes pods give way to another: they are told why, then deleted.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Error;
use kube::api::{DeleteParams, Preconditions};
use mainstay_control::events::EventType;
use serde_json::{Value, json};

use super::{Scheduler, report};
use crate::queue::Waiting;
use crate::seen::SCHEDULER;
use crate::{Displacement, PodState, Preemption, Unschedulable};

/// What becomes of the node that a pod has in prospect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Prospect<'a> {
    /// What it was.
    Same,
    /// None.
    None,
    /// This node.
    Node(&'a str),
}

impl Prospect<'_> {
    /// A patch of the status that says this too, unless the status does so already.
    pub(super) fn added_to(self, patch: Option<Value>, known: Option<&str>) -> Option<Value> {
        let node = match self {
            Self::Same => return patch,
            Self::None => None,
            Self::Node(node) => Some(node),
        };
        if node == known {
            return patch;
        }
        let mut patch = patch.unwrap_or_else(|| json!({"status": {}}));
        patch["status"]["nominatedNodeName"] = json!(node);
        Some(patch)
    }
}

impl Scheduler {
    /// Leaves a pod without a node for now, after others were made to give way where that helps.
    pub(super) async fn leave(&self, waiting: &Waiting, why: &Unschedulable) -> Result<(), Error> {
        let (prospect, made_way) = match &why.preemption {
            Preemption::Possible(displacement) => match self.displace(displacement, &waiting.pod).await {
                Ok(()) => (Prospect::Node(&displacement.node), Ok(())),
                Err(error) => (Prospect::None, Err(error)),
            },
            Preemption::Futile(_) => (Prospect::None, Ok(())),
            Preemption::Declined | Preemption::UnderWay => (Prospect::Same, Ok(())),
        };
        let told = self.tell(waiting, "Unschedulable", &why.to_string(), prospect).await;
        self.take_in(|state, now| {
            if made_way.is_ok() {
                state.told(waiting, why, now);
            } else {
                state.withdraw(&waiting.pod.key, now);
                state.refused(waiting, now);
            }
        });
        made_way.and(told)
    }

    async fn displace(&self, displacement: &Displacement, by: &PodState) -> Result<(), Error> {
        let Displacement { node, victims, outranked } = displacement;
        for victim in victims {
            self.evict(victim).await?;
            let message = format!("Preempted by pod {} on node {node}", by.uid);
            self.recorder.record(report::about(victim), EventType::Normal, "Preempted", message);
        }
        for pod in outranked {
            let patch = json!({"status": {"nominatedNodeName": null}});
            report::patch_status(&self.writer, &pod.key, &patch).await?;
        }
        Ok(())
    }

    async fn evict(&self, victim: &PodState) -> Result<(), Error> {
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
            "message": format!("{SCHEDULER}: preempting to accommodate a higher priority pod"),
            "lastTransitionTime": Time(self.world.now()),
        });
        let patch = json!({"status": {"conditions": [condition]}});
        report::patch_status(&self.writer, &victim.key, &patch).await?;
        // Another pod may have that name by now.
        let uid = Some(victim.uid.to_string()).filter(|uid| !uid.is_empty());
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid, ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        match self.writer.delete::<Pod>(&victim.key, &params).await {
            Err(Error::Api(status)) if status.code == 409 => Ok(()),
            other => other,
        }
    }
}
