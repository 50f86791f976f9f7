//! Has the claims of a pod get their volumes where the pod is to run.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::Error;
use mainstay_control::{Key, writes};
use serde_json::json;

use super::Scheduler;
use super::displace::Prospect;
use crate::queue::Waiting;
use crate::storage::{SELECTED_NODE, Step};

/// The binder, not a person, brought volume and claim together.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

impl Scheduler {
    /// Writes what the binder of volumes waits for; the pod is bound once it has done its part.
    pub(super) async fn prepare(&self, waiting: &Waiting, node: &str, steps: &[Step]) -> Result<(), Error> {
        let mut result = Ok(());
        for step in steps {
            result = match step {
                Step::Choose(claim) => self.choose(claim, Some(node)).await,
                Step::Give(claim, uid, volume) => self.give(claim, uid, volume).await,
            };
            if result.is_err() {
                break;
            }
        }
        let Err(error) = result else { return Ok(()) };
        self.take_in(|state, now| state.refused(waiting, now));
        self.tell_of_volumes(waiting, &writes::text(&error)).await?;
        Err(error)
    }

    /// Gives up waiting for the volumes of a pod.
    pub(super) async fn give_up(&self, waiting: &Waiting, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            if let Step::Choose(claim) = step {
                writes::unless_gone(self.choose(claim, None).await)?;
            }
        }
        self.take_in(|state, now| state.refused(waiting, now));
        self.tell_of_volumes(waiting, "context deadline exceeded").await
    }

    async fn choose(&self, claim: &Key, node: Option<&str>) -> Result<(), Error> {
        let patch = json!({"metadata": {"annotations": {SELECTED_NODE: node}}});
        self.writer.merge::<PersistentVolumeClaim>(claim, &patch).await
    }

    async fn give(&self, claim: &Key, uid: &str, volume: &str) -> Result<(), Error> {
        let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": uid,
                               "namespace": &*claim.namespace, "name": &*claim.name});
        let patch = json!({"metadata": {"annotations": {BOUND_BY_CONTROLLER: "yes"}},
                           "spec": {"claimRef": reference}});
        self.writer.merge::<PersistentVolume>(&Key::cluster(volume), &patch).await
    }

    async fn tell_of_volumes(&self, waiting: &Waiting, why: &str) -> Result<(), Error> {
        let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
        self.tell(waiting, "SchedulerError", &message, Prospect::Same).await
    }
}
