//! The order of groups and of the versions in a group.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::registry::{ResourceInfo, Snapshot};

/// Upstream's groups, the most important first, and ours; all others come after them, by name. Of two
/// kinds of one name kubectl means the first: `nodeclaims` are ours, not Karpenter's.
const GROUPS: &[&str] = &[
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "mainstay.dev",
];

/// The served groups, in order.
pub(crate) fn groups(snapshot: &Snapshot) -> Vec<Arc<str>> {
    let mut groups: Vec<Arc<str>> = snapshot.resources().iter().map(|info| Arc::clone(&info.group)).collect();
    groups.dedup();
    let rank = |group: &str| GROUPS.iter().position(|known| *known == group).unwrap_or(GROUPS.len());
    groups.sort_by(|left, right| (rank(left), left).cmp(&(rank(right), right)));
    groups
}

/// The versions of a group, the preferred one first.
pub(crate) fn versions(snapshot: &Snapshot, group: &str) -> Vec<Arc<str>> {
    let of_group = snapshot.resources().iter().filter(|info: &&Arc<ResourceInfo>| &*info.group == group);
    let mut versions: Vec<Arc<str>> = of_group.map(|info| Arc::clone(&info.version)).collect();
    versions.dedup();
    versions.sort_by(|left, right| rank(left).cmp(&rank(right)).then_with(|| left.cmp(right)));
    versions
}

/// Stable versions before betas before alphas, newer before older; names of another form last.
fn rank(version: &str) -> (Reverse<u8>, Reverse<u32>, Reverse<u32>) {
    let (maturity, major, minor) = parse(version).unwrap_or((0, 0, 0));
    (Reverse(maturity), Reverse(major), Reverse(minor))
}

/// `v2beta1` as (maturity, 2, 1).
fn parse(version: &str) -> Option<(u8, u32, u32)> {
    let rest = version.strip_prefix('v')?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let major = rest[..end].parse().ok()?;
    match &rest[end..] {
        "" => Some((3, major, 0)),
        tail => {
            let (maturity, minor) = match (tail.strip_prefix("beta"), tail.strip_prefix("alpha")) {
                (Some(minor), _) => (2, minor),
                (_, Some(minor)) => (1, minor),
                _ => return None,
            };
            Some((maturity, major, minor.parse().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_come_first_and_newer_before_older() {
        let mut versions =
            ["foo", "v1alpha1", "v1", "v1beta2", "v10", "v2", "v1beta1", "v11alpha2", "v3beta1"];
        versions.sort_by_key(|version| rank(version));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v3beta1", "v1beta2", "v1beta1", "v11alpha2", "v1alpha1", "foo"]
        );
    }
}
