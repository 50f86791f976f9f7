//! Pods that no Job will count any more: they lose the finalizer that would keep them for ever.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::Patch;
use mainstay_control::meta::controller_of;
use mainstay_control::{Key, Next, reconcile, writes};

use super::view::has_finalizer;
use super::{Controller, is_managed_elsewhere, release};
use crate::informers::BY_CONTROLLER;
use crate::jobs;

/// What may have been orphaned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Orphans {
    /// A pod.
    Pod(Key),
    /// All pods of the Job of this uid.
    Of(Arc<str>),
}

impl fmt::Display for Orphans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(key) => key.fmt(f),
            Self::Of(uid) => write!(f, "pods of {uid}"),
        }
    }
}

impl Controller {
    pub(super) async fn let_go(&self, orphans: &Orphans) -> reconcile::Outcome {
        let pods = match orphans {
            Orphans::Pod(key) => self.informers.pods.get(key).into_iter().collect(),
            Orphans::Of(uid) => self.informers.pods.by(BY_CONTROLLER, uid),
        };
        for pod in pods.iter().filter(|pod| has_finalizer(pod) && self.is_orphan(pod)) {
            let patched =
                self.writer.patch::<Pod>(&Key::of(pod.as_ref()), None, &Patch::Strategic(release())).await;
            writes::unless_gone(patched)?;
        }
        Ok(Next::Wait)
    }

    /// Whether no Job is going to count the pod.
    fn is_orphan(&self, pod: &Pod) -> bool {
        let Some(reference) = controller_of(&pod.metadata) else { return true };
        if reference.kind != "Job" || reference.api_version != "batch/v1" {
            return false;
        }
        self.owner(pod).is_none_or(|job| !is_managed_elsewhere(&job) && jobs::ended(&job).is_some())
    }
}
