//! Carries a plan out, and tells of it.

use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use mainstay_control::meta::uid;
use mainstay_control::{Key, writes};

use super::board::name;
use super::plan::Plan;
use super::{Controller, observed, pod};

/// At most this many pods are created and this many deleted in one turn.
const BURST: usize = 250;

impl Controller {
    /// Creates and deletes what the plan says.
    pub(super) async fn act(
        &self,
        key: &Key,
        set: &DaemonSet,
        hash: &str,
        plan: &Plan,
    ) -> Result<(), kube::Error> {
        self.tell_of_ended(set, plan);
        let create = &plan.create[..plan.create.len().min(BURST)];
        let delete = &plan.delete[..plan.delete.len().min(BURST)];
        let deletions = delete.iter().map(|pod| Key::of(pod.as_ref()));
        self.expectations.expect(key, create.len(), deletions);
        let created = self.create(key, set, &pod::pod(set, hash), create).await;
        let deletions = delete.iter().map(|pod| -> BoxFuture<'_, _> { Box::pin(self.delete(key, set, pod)) });
        let deleted = join_all(deletions).await.into_iter().collect::<Result<(), _>>();
        created.and(deleted)
    }

    fn tell_of_ended(&self, set: &DaemonSet, plan: &Plan) {
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        for (node, pod) in &plan.failed {
            let pod = name(pod);
            let message =
                format!("Found failed daemon pod {namespace}/{pod} on node {node}, will try to kill it");
            self.recorder.warning(set, "FailedDaemonPod", message);
            self.backoff.fail(uid(&set.metadata), observed(set), node);
        }
        for (node, pod) in &plan.succeeded {
            let pod = name(pod);
            let message =
                format!("Found succeeded daemon pod {namespace}/{pod} on node {node}, will try to delete it");
            self.recorder.normal(set, "SucceededDaemonPod", message);
        }
    }

    /// Creates pods in batches that double as long as all goes well, so that a full quota or a
    /// broken template costs one refusal and not hundreds.
    async fn create(
        &self,
        key: &Key,
        set: &DaemonSet,
        template: &Pod,
        nodes: &[String],
    ) -> Result<(), kube::Error> {
        let (mut rest, mut size) = (nodes, 1);
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(size.min(rest.len()));
            let creations = batch
                .iter()
                .map(|node| -> BoxFuture<'_, _> { Box::pin(self.create_one(set, pod::on(template, node))) });
            let results = join_all(creations).await;
            let failed = results.iter().filter(|result| result.is_err()).count();
            if let Some(error) = results.into_iter().find_map(Result::err) {
                // What was not created will not be seen either.
                self.expectations.created(key, failed + later.len());
                return if writes::is_namespace_terminating(&error) { Ok(()) } else { Err(error) };
            }
            (rest, size) = (later, 2 * size);
        }
        Ok(())
    }

    async fn create_one(&self, set: &DaemonSet, pod: Pod) -> Result<(), kube::Error> {
        match self.writer.create(&pod).await {
            Ok(created) => {
                let message = format!("Created pod: {}", created.name.unwrap_or_default());
                self.recorder.normal(set, "SuccessfulCreate", message);
                Ok(())
            }
            Err(error) => {
                if !writes::is_namespace_terminating(&error) {
                    let message = format!("Error creating: {}", writes::text(&error));
                    self.recorder.warning(set, "FailedCreate", message);
                }
                Err(error)
            }
        }
    }

    async fn delete(&self, key: &Key, set: &DaemonSet, pod: &Arc<Pod>) -> Result<(), kube::Error> {
        let pod = Key::of(pod.as_ref());
        match self.writer.delete::<Pod>(&pod, &DeleteParams::default()).await {
            Ok(()) => {
                self.recorder.normal(set, "SuccessfulDelete", format!("Deleted pod: {}", pod.name));
                Ok(())
            }
            Err(error) => {
                self.expectations.deleted(key, &pod);
                let message = format!("Error deleting: {}", writes::text(&error));
                self.recorder.warning(set, "FailedDelete", message);
                Err(error)
            }
        }
    }
}
