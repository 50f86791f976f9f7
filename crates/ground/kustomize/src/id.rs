//! What identifies an object: its kind, name and namespace.
//!
//! **Spec:** which kinds have no namespace is what kustomize knows of Kubernetes 1.21; of any other
//! kind it takes for granted that objects are in namespaces.

use mainstay_resource::GroupVersionKind;

/// The namespace of what has none.
const NOWHERE: &str = "_non_namespaceable_";

/// Group, versions and kinds without namespace.
const CLUSTER_WIDE: [(&str, &[&str], &[&str]); 17] = [
    ("", &["v1"], &["ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("apiextensions.k8s.io", &["v1", "v1beta1"], &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], &["APIService"]),
    ("certificates.k8s.io", &["v1", "v1beta1"], &["CertificateSigningRequest"]),
    ("flowcontrol.apiserver.k8s.io", &["v1beta1"], &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IngressClass"]),
    ("node.k8s.io", &["v1", "v1beta1"], &["RuntimeClass"]),
    ("node.k8s.io", &["v1alpha1"], &["RuntimeClass"]),
    ("policy", &["v1beta1"], &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["v1", "v1beta1"], &["ClusterRole", "ClusterRoleBinding"]),
    ("rbac.authorization.k8s.io", &["v1alpha1"], &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["v1", "v1beta1"], &["PriorityClass"]),
    ("scheduling.k8s.io", &["v1alpha1"], &["PriorityClass"]),
    ("storage.k8s.io", &["v1"], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
    ("storage.k8s.io", &["v1beta1"], &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
    ("storage.k8s.io", &["v1alpha1"], &["VolumeAttachment"]),
];

/// What identifies an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// Its kind.
    pub kind: GroupVersionKind,
    /// Its name.
    pub name: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
}

impl Id {
    /// The namespace it counts as being in.
    pub(crate) fn place(&self) -> &str {
        if self.is_cluster_wide() {
            NOWHERE
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    pub(crate) fn is_cluster_wide(&self) -> bool {
        CLUSTER_WIDE.iter().any(|(group, versions, kinds)| {
            *group == self.kind.group
                && versions.contains(&self.kind.version.as_str())
                && kinds.contains(&self.kind.kind.as_str())
        })
    }

    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name && self.is_beside(other)
    }
}

impl std::fmt::Display for Id {
    /// `Deployment shop/web`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind.kind, self.namespace, self.name)
        }
    }
}

/// A kind from `apiVersion` and `kind`, malformed ones too.
pub(crate) fn kind(api_version: &str, kind: &str) -> GroupVersionKind {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    GroupVersionKind::new(group, version, kind)
}

/// Some of a kind's parts; what is empty is any.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Kinds {
    pub group: String,
    pub version: String,
    pub kind: String,
}

impl Kinds {
    pub(crate) fn has(&self, kind: &GroupVersionKind) -> bool {
        (self.group.is_empty() || self.group == kind.group)
            && (self.version.is_empty() || self.version == kind.version)
            && (self.kind.is_empty() || self.kind == kind.kind)
    }
}
