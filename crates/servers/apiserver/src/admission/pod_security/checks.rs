//! The checks of each level, in upstream's order, and the words they have in common.

use serde_json::Value;

use super::policy::{Level, Standard, Version};
use super::{baseline, restricted};
use crate::fields::{list, text};

/// One thing a pod may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// In few words: `hostPort`.
    pub(super) reason: String,
    /// Who does it and how.
    pub(super) detail: String,
}

/// A pod, or the template of one.
#[derive(Clone, Copy)]
pub(super) struct Pod<'a> {
    pub(super) spec: &'a Value,
    pub(super) metadata: &'a Value,
}

type Check = fn(Pod<'_>, Version) -> Option<Violation>;

/// The level's checks, and the version since which a stricter one takes the place of each at the
/// next level.
const BASELINE: [(Check, Option<u32>); 11] = [
    (baseline::app_armor, None),
    (baseline::capabilities, Some(22)),
    (baseline::host_namespaces, None),
    (baseline::host_paths, Some(0)),
    (baseline::host_ports, None),
    (baseline::privileged, None),
    (baseline::proc_mount, None),
    (baseline::se_linux, None),
    (baseline::seccomp, Some(19)),
    (baseline::sysctls, None),
    (baseline::windows_host_process, None),
];

/// What the strictest level has beyond, and the version each came with.
const RESTRICTED: [(Check, u32); 6] = [
    (restricted::privilege_escalation, 8),
    (restricted::capabilities, 22),
    (restricted::volumes, 0),
    (restricted::non_root, 0),
    (restricted::root_user, 23),
    (restricted::seccomp, 19),
];

/// What a pod of this spec and metadata does that the standard forbids.
pub(super) fn violations(standard: Standard, spec: &Value, metadata: &Value) -> Vec<Violation> {
    let Standard { level, version } = standard;
    let pod = Pod { spec, metadata };
    let is_restricted = level == Level::Restricted;
    let baseline = BASELINE
        .iter()
        .filter(|(_, replaced)| !(is_restricted && replaced.is_some_and(|since| version.has(since))));
    let restricted = RESTRICTED.iter().filter(|(_, since)| is_restricted && version.has(*since));
    let checks = baseline.map(|(check, _)| check).chain(restricted.map(|(check, _)| check));
    let count = if level == Level::Privileged { 0 } else { usize::MAX };
    checks.take(count).filter_map(|check| check(pod, version)).collect()
}

/// All violations as one sentence; empty when there are none.
pub(super) fn told(violations: &[Violation]) -> String {
    let each = violations.iter().map(|one| match one.detail.as_str() {
        "" => one.reason.clone(),
        detail => format!("{} ({detail})", one.reason),
    });
    each.collect::<Vec<_>>().join(", ")
}

impl Violation {
    pub(super) fn new(reason: &str, detail: String) -> Self {
        Self { reason: reason.to_owned(), detail }
    }
}

impl<'a> Pod<'a> {
    /// All its containers in the order they are told in.
    pub(super) fn containers(self) -> impl Iterator<Item = &'a Value> {
        let kinds = ["initContainers", "containers", "ephemeralContainers"];
        kinds.into_iter().flat_map(move |kind| list(self.spec, &[kind]))
    }

    /// The names of the containers of which something holds.
    pub(super) fn named(self, mut holds: impl FnMut(&'a Value) -> bool) -> Vec<&'a str> {
        self.containers().filter(|one| holds(one)).map(|one| text(one, &["name"])).collect()
    }

    /// Who has a security context of which something holds: `pod and container "a"`.
    pub(super) fn setters(self, mut holds: impl FnMut(&'a Value) -> bool) -> Vec<String> {
        let mut who = Vec::new();
        if holds(self.spec) {
            who.push("pod".to_owned());
        }
        let named = self.named(holds);
        if !named.is_empty() {
            who.push(counted("container", &named));
        }
        who
    }

    /// Windows has none of what some checks ask for.
    pub(super) fn is_windows(self) -> bool {
        text(self.spec, &["os", "name"]) == "windows"
    }
}

/// `container "a"`, `containers "a", "b"`
pub(super) fn counted<T: AsRef<str>>(one: &str, names: &[T]) -> String {
    format!("{} {}", plural(one, names.len()), quoted(names.iter().map(T::as_ref)))
}

/// The word for one, or for several.
pub(super) fn plural(one: &str, count: usize) -> String {
    if count == 1 { one.to_owned() } else { format!("{one}s") }
}

/// The verb that goes with one, or with several.
pub(super) fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

/// `"a", "b"`
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    format!("\"{}\"", names.join("\", \""))
}
