//! What StatefulSets and DaemonSets were: each template they had, numbered, as a ControllerRevision.
//!
//! A revision's data is the strategic patch that brings its template back. It is written as upstream
//! writes it, so that `kubectl rollout undo` recognises the template that is there already.
//!
//! **Invariants:** the revision of the template in use has the highest number.
//!
//! **Spec:** upstream's `controller/history`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::DeleteParams;
use kube::core::Selector;
use kube::{Api, Resource};
use mainstay_control::meta::{controller_reference, label, uid};
use mainstay_control::{Key, Writer, writes};
use serde_json::{Value, json};

use crate::Informers;
use crate::claim::{self, Claim};
use crate::deployment::template;
use crate::informers::{BY_CONTROLLER, orphans};

#[cfg(test)]
mod tests;

/// The label of pods, and of a DaemonSet's revisions, that says which revision they are of.
pub const REVISION_LABEL: &str = "controller-revision-hash";
/// The label of a StatefulSet's revision with the hash in its name.
pub(crate) const HASH_LABEL: &str = "controller.kubernetes.io/hash";
/// LIMIT: upstream keeps so much of an owner's name in the name of a revision.
const PREFIX_CHARACTERS: usize = 223;

/// What is to be recorded of an owner's current template.
#[derive(Debug, PartialEq)]
pub(crate) enum Record {
    /// Nothing: it is the latest revision.
    Same(Arc<ControllerRevision>),
    /// It is an earlier revision, which gets this number.
    Again(Arc<ControllerRevision>, i64),
    /// It is new, and its revision gets this number.
    New(i64),
}

/// Compares the data of the current template with the revisions there are, lowest number first.
pub(crate) fn record(revisions: &[Arc<ControllerRevision>], data: &Value) -> Record {
    let number = next_number(revisions);
    match revisions.iter().rev().find(|revision| is_of(revision, data)) {
        None => Record::New(number),
        Some(equal) if revisions.last().is_some_and(|last| is_of(last, data)) => {
            Record::Same(revisions.last().unwrap_or(equal).clone())
        }
        Some(equal) => Record::Again(equal.clone(), number),
    }
}

/// Whether a revision holds this data.
pub(crate) fn is_of(revision: &ControllerRevision, data: &Value) -> bool {
    revision.data.as_ref().is_some_and(|own| &own.0 == data)
}

/// Lowest number first; then the oldest, then by name.
pub(crate) fn sort(revisions: &mut [Arc<ControllerRevision>]) {
    revisions.sort_by(|a, b| {
        let order = |revision: &ControllerRevision| {
            (revision.revision, revision.metadata.creation_timestamp.as_ref().map(|time| time.0))
        };
        order(a).cmp(&order(b)).then_with(|| name(a).cmp(name(b)))
    });
}

/// The number after those of `revisions`, which are sorted.
pub(crate) fn next_number(revisions: &[Arc<ControllerRevision>]) -> i64 {
    revisions.last().map_or(1, |last| last.revision + 1)
}

/// A revision's name.
pub(crate) fn name(revision: &ControllerRevision) -> &str {
    revision.metadata.name.as_deref().unwrap_or_default()
}

/// The patch that brings a template back, as a revision's data.
pub(crate) fn data(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    template["$patch"] = json!("replace");
    // Go writes what its types cannot leave out.
    template["metadata"]["creationTimestamp"] = Value::Null;
    json!({"spec": {"template": template}})
}

/// The template that a revision brings back.
pub(crate) fn template(revision: &ControllerRevision) -> PodTemplateSpec {
    let data = revision.data.as_ref().and_then(|data| data.0.get("spec")?.get("template")).cloned();
    data.and_then(|template| serde_json::from_value(template).ok()).unwrap_or_default()
}

/// The hash of a revision's data; `probe` makes another one where the first was taken.
pub(crate) fn hash(data: &Value, probe: i32) -> String {
    let mut bytes = serde_json::to_vec(data).unwrap_or_default();
    bytes.extend_from_slice(probe.to_string().as_bytes());
    let hash =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
    template::safe(&hash.to_string())
}

/// The name of the revision with this hash.
pub(crate) fn revision_name(owner: &str, hash: &str) -> String {
    let end = owner.char_indices().nth(PREFIX_CHARACTERS).map_or(owner.len(), |(index, _)| index);
    format!("{}-{hash}", &owner[..end])
}

/// A revision of `owner`, labelled by its template and by its hash, with its annotations.
pub(crate) fn revision<O: Resource<DynamicType = ()>>(
    owner: &O,
    template: &PodTemplateSpec,
    hash: (&str, &str),
    data: Value,
    number: i64,
) -> ControllerRevision {
    let meta = owner.meta();
    let mut labels: BTreeMap<String, String> =
        template.metadata.as_ref().and_then(|meta| meta.labels.clone()).unwrap_or_default();
    let (key, hash) = hash;
    labels.insert(key.to_owned(), hash.to_owned());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(revision_name(meta.name.as_deref().unwrap_or_default(), hash)),
            namespace: meta.namespace.clone(),
            labels: Some(labels),
            annotations: meta.annotations.clone(),
            owner_references: Some(vec![controller_reference(owner)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data)),
        revision: number,
    }
}

/// What an owner shall do with the revisions it has and with those that nobody has.
pub(crate) fn claim<O: Resource>(
    informers: &Informers,
    owner: &O,
    selector: &Selector,
) -> Claim<ControllerRevision> {
    let of = |value: &str| informers.controller_revisions.by(BY_CONTROLLER, value);
    let mut candidates = of(uid(owner.meta()));
    candidates.extend(of(&orphans(owner.meta().namespace.as_deref().unwrap_or_default())));
    let mut claim = claim::claim(owner.meta(), selector, candidates);
    sort(&mut claim.owned);
    claim
}

/// Makes `revision`; where its name is taken, the server is asked by what.
pub(crate) async fn create(writer: &Writer, revision: &ControllerRevision) -> Result<Created, kube::Error> {
    match writer.create(revision).await {
        Ok(_) => Ok(Created::Now),
        Err(error) if writes::already_exists(&error) => {
            let key = Key::of(revision);
            let api = Api::<ControllerRevision>::namespaced(writer.client().clone(), &key.namespace);
            let taken = api.get_opt(&key.name).await?.ok_or(error)?;
            let data = revision.data.as_ref().map_or(&Value::Null, |data| &data.0);
            Ok(if is_of(&taken, data) { Created::Before } else { Created::Collided })
        }
        Err(error) => Err(error),
    }
}

/// How making a revision ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// It was made.
    Now,
    /// It was there, and a cache does not show it yet.
    Before,
    /// Another has its name.
    Collided,
}

/// Gives a revision another number.
pub(crate) async fn renumber(
    writer: &Writer,
    revision: &ControllerRevision,
    number: i64,
) -> Result<(), kube::Error> {
    writer.merge::<ControllerRevision>(&Key::of(revision), &json!({ "revision": number })).await
}

/// Deletes a revision.
pub(crate) async fn delete(writer: &Writer, revision: &ControllerRevision) -> Result<(), kube::Error> {
    writer.delete::<ControllerRevision>(&Key::of(revision), &DeleteParams::default()).await
}

/// The revision a pod or a revision says it is of.
pub(crate) fn revision_label(meta: &ObjectMeta) -> &str {
    label(meta, REVISION_LABEL).unwrap_or_default()
}

/// The oldest revisions that nothing is of, beyond `limit`; `revisions` are sorted.
pub(crate) fn surplus(
    revisions: &[Arc<ControllerRevision>],
    live: &BTreeSet<&str>,
    limit: i32,
) -> Vec<Arc<ControllerRevision>> {
    let dead: Vec<_> = revisions.iter().filter(|revision| !live.contains(name(revision))).collect();
    // A negative limit keeps them all.
    let kept = usize::try_from(limit).unwrap_or(dead.len());
    dead.iter().take(dead.len().saturating_sub(kept)).map(|revision| (*revision).clone()).collect()
}
