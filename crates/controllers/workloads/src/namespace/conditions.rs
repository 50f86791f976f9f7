//! What a namespace on its way out says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::discovery::Kind;

/// How long what holds an object may take, for all one knows.
const FINALIZER_SECONDS: i64 = 15;

/// What a look at all kinds left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    namespace: String,
    /// Since the deletion was asked for.
    elapsed_seconds: i64,
    /// Objects, by `plural.group`.
    objects: BTreeMap<String, usize>,
    /// What holds them, by finalizer.
    finalizers: BTreeMap<String, usize>,
    /// How long it may take until they are gone.
    estimate_seconds: i64,
    failures: Vec<String>,
}

impl Left {
    /// Nothing yet.
    pub(super) fn of(namespace: &Namespace, now: Timestamp) -> Self {
        let since = namespace.metadata.deletion_timestamp.as_ref().map_or(now, |time| time.0);
        Self {
            namespace: namespace.metadata.name.clone().unwrap_or_default(),
            elapsed_seconds: now.duration_since(since).as_secs(),
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Notes what is left of a kind. Pods go when their grace is over and held objects when they are
    /// let go; anything else should be gone.
    pub(super) fn note<'a>(&mut self, kind: &Kind, objects: impl Iterator<Item = &'a ObjectMeta>) {
        let (group, plural) = kind.name();
        let (mut count, mut grace, mut is_held) = (0, 0, false);
        for meta in objects {
            count += 1;
            for finalizer in meta.finalizers.iter().flatten() {
                is_held = true;
                *self.finalizers.entry(finalizer.clone()).or_default() += 1;
            }
            if kind.name() == ("", "pods") {
                grace = meta.deletion_grace_period_seconds.unwrap_or_default().max(grace);
            }
        }
        if count == 0 {
            return;
        }
        self.objects.insert(format!("{plural}.{group}"), count);
        if grace > self.elapsed_seconds {
            self.estimate_seconds = self.estimate_seconds.max(grace);
        } else if is_held {
            self.estimate_seconds = self.estimate_seconds.max(FINALIZER_SECONDS);
        } else {
            let version = &kind.resource.version;
            let namespace = &self.namespace;
            self.fail(format!(
                "unexpected items still remain in namespace: {namespace} for gvr: {group}/{version}, Resource={plural}"
            ));
        }
    }

    /// Notes that a kind could not be emptied.
    pub(super) fn fail(&mut self, why: String) {
        self.failures.push(why);
        self.failures.sort();
    }

    /// What could not be done.
    pub(super) fn failure(&self) -> Option<String> {
        (!self.failures.is_empty()).then(|| self.failures.join(", "))
    }

    /// How long until another look; `None` when nothing is left.
    pub(super) fn patience(&self) -> Option<Duration> {
        let half = u64::try_from(self.estimate_seconds / 2).unwrap_or_default();
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
    let failed = left.failure().map(|failure| {
        let count = left.failures.len();
        let message = format!("Failed to delete all resource types, {count} remaining: {failure}");
        ("ContentDeletionFailed", message)
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
            failed,
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
