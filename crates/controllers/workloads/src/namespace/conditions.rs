//! What a namespace on its way out says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::discovery::Kind;

/// How long to wait for a pod that says nothing of its grace.
const POD_GRACE_SECONDS: i64 = 15;

/// What a look at all kinds left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Objects, by `plural.group`.
    objects: BTreeMap<String, usize>,
    /// What holds them, by finalizer.
    finalizers: BTreeMap<String, usize>,
    grace_seconds: i64,
}

impl Left {
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn note<'a>(&mut self, kind: &Kind, objects: impl Iterator<Item = &'a ObjectMeta>) {
        let (group, plural) = kind.name();
        for meta in objects {
            *self.objects.entry(format!("{plural}.{group}")).or_default() += 1;
            for finalizer in meta.finalizers.iter().flatten() {
                *self.finalizers.entry(finalizer.clone()).or_default() += 1;
            }
            if kind.name() == ("", "pods") {
                let grace = meta.deletion_grace_period_seconds.unwrap_or(POD_GRACE_SECONDS);
                self.grace_seconds = self.grace_seconds.max(grace);
            }
        }
    }

    /// How long until another look; `None` when nothing is left.
    pub(super) fn patience(&self) -> Option<Duration> {
        let half = u64::try_from(self.grace_seconds / 2).unwrap_or_default();
        (!self.is_empty()).then(|| Duration::from_secs(half + 1))
    }
}

/// The status of a namespace that has this left.
pub(super) fn terminating_status(namespace: &Namespace, left: &Left, now: Timestamp) -> NamespaceStatus {
    let old = namespace.status.clone().unwrap_or_default();
    let mut conditions = old.conditions.unwrap_or_default();
    for told in told(left) {
        let known = conditions.iter_mut().find(|condition| condition.type_ == told.type_);
        let since = known.as_ref().filter(|known| known.status == told.status);
        let since = since.and_then(|known| known.last_transition_time.clone());
        let condition = NamespaceCondition { last_transition_time: Some(since.unwrap_or(Time(now))), ..told };
        match known {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
    }
    NamespaceStatus { phase: Some("Terminating".to_owned()), conditions: Some(conditions) }
}

/// The five conditions, without the time since when they hold.
fn told(left: &Left) -> [NamespaceCondition; 5] {
    let remaining = (!left.objects.is_empty()).then(|| {
        let objects = counted(&left.objects, "has");
        ("SomeResourcesRemain", format!("Some resources are remaining: {objects}"))
    });
    let held = (!left.finalizers.is_empty()).then(|| {
        let finalizers = counted(&left.finalizers, "in");
        (
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {finalizers}"),
        )
    });
    [
        condition(
            "NamespaceDeletionDiscoveryFailure",
            None,
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            None,
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        condition(
            "NamespaceContentRemaining",
            remaining,
            ("ContentRemoved", "All content successfully removed"),
        ),
        condition(
            "NamespaceFinalizersRemaining",
            held,
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ]
}

fn condition(
    type_: &str,
    trouble: Option<(&'static str, String)>,
    (fine, all_is_well): (&'static str, &str),
) -> NamespaceCondition {
    let status = if trouble.is_some() { "True" } else { "False" };
    let (reason, message) = trouble.unwrap_or_else(|| (fine, all_is_well.to_owned()));
    NamespaceCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: None,
    }
}

fn counted(counts: &BTreeMap<String, usize>, word: &str) -> String {
    let parts = counts.iter().map(|(name, count)| format!("{name} {word} {count} resource instances"));
    parts.collect::<Vec<_>>().join(", ")
}
