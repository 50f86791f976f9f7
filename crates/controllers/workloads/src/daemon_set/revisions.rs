//! A DaemonSet's history: the revision of its template, and the earlier ones.
//!
//! **Spec:** upstream's `constructHistory`, `dedupCurHistories`, `snapshot` and `cleanupHistory`.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};
use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::label;
use mainstay_control::{Key, writes};
use serde_json::{Value, json};

use super::Controller;
use crate::deployment::template;
use crate::history::{self, Created, REVISION_LABEL};

/// The revision of the set's template, those that are the same, and the earlier ones; each lowest
/// number first.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) current: Option<Arc<ControllerRevision>>,
    pub(super) duplicates: Vec<Arc<ControllerRevision>>,
    pub(super) old: Vec<Arc<ControllerRevision>>,
}

/// Sorts `revisions`, lowest number first, by whether they hold `data`.
pub(super) fn sorted(revisions: &[Arc<ControllerRevision>], data: &Value) -> Sorted {
    let (mut same, old): (Vec<_>, Vec<_>) =
        revisions.iter().cloned().partition(|revision| history::is_of(revision, data));
    Sorted { current: same.pop(), duplicates: same, old }
}

/// The oldest of `old` that no pod is of, as many as there are more than `limit`.
pub(super) fn surplus(
    old: &[Arc<ControllerRevision>],
    pods: &[Arc<Pod>],
    limit: i32,
) -> Vec<Arc<ControllerRevision>> {
    let too_many = old.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
    let live: BTreeSet<_> = pods.iter().map(|pod| history::revision_label(&pod.metadata)).collect();
    let is_dead = |revision: &&Arc<ControllerRevision>| !live.contains(hash(revision));
    old.iter().filter(is_dead).take(too_many).cloned().collect()
}

/// The hash in the names of a revision's pods; a revision without one goes by its name.
pub(super) fn hash(revision: &ControllerRevision) -> &str {
    label(&revision.metadata, REVISION_LABEL).unwrap_or_else(|| history::name(revision))
}

impl Controller {
    /// The hash of the set's template, whose revision is recorded if it is not, and the earlier
    /// revisions. None where its name was taken: the status then changes, and with it the hash.
    pub(super) async fn current(
        &self,
        key: &Key,
        set: &DaemonSet,
        revisions: &[Arc<ControllerRevision>],
        pods: &[Arc<Pod>],
    ) -> Result<Option<(String, Vec<Arc<ControllerRevision>>)>, kube::Error> {
        let Some(template) = set.spec.as_ref().map(|spec| &spec.template) else { return Ok(None) };
        for revision in revisions.iter().filter(|it| label(&it.metadata, REVISION_LABEL).is_none()) {
            let labels = json!({"metadata": {"labels": {REVISION_LABEL: history::name(revision)}}});
            self.writer.merge::<ControllerRevision>(&Key::of(revision.as_ref()), &labels).await?;
        }
        let data = history::data(template);
        let Sorted { current, duplicates, old } = sorted(revisions, &data);
        let number = history::next_number(&old);
        if let Some(current) = current {
            let hash = hash(&current).to_owned();
            if !duplicates.is_empty() {
                self.merge_duplicates(&hash, &duplicates, pods).await?;
            }
            if current.revision < number {
                history::renumber(&self.writer, &current, number).await?;
            }
            return Ok(Some((hash, old)));
        }
        let collisions = set.status.as_ref().and_then(|status| status.collision_count);
        let hash = template::hash(template, collisions);
        let revision = history::revision(set, template, (REVISION_LABEL, &hash), data, number);
        match history::create(&self.writer, &revision).await {
            Ok(Created::Collided) => {
                let collisions = collisions.unwrap_or_default() + 1;
                self.writer.merge_status::<DaemonSet>(key, json!({"collisionCount": collisions})).await?;
                Ok(None)
            }
            Ok(_) => Ok(Some((hash, old))),
            Err(error) if writes::is_namespace_terminating(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The pods of revisions that are the same become those of one of them.
    async fn merge_duplicates(
        &self,
        hash: &str,
        duplicates: &[Arc<ControllerRevision>],
        pods: &[Arc<Pod>],
    ) -> Result<(), kube::Error> {
        for pod in pods.iter().filter(|pod| history::revision_label(&pod.metadata) != hash) {
            let labels = json!({"metadata": {"labels": {REVISION_LABEL: hash}}});
            self.writer.merge::<Pod>(&Key::of(pod.as_ref()), &labels).await?;
        }
        for revision in duplicates {
            history::delete(&self.writer, revision).await?;
        }
        Ok(())
    }
}
