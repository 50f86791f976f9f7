//! In which order objects are applied: what others need comes first, and goes last.

use super::key::Key;

/// What is applied together; waves are applied one after the other, and pruned in reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wave {
    /// Kinds that other documents are of, and the machines.
    Definitions,
    Namespaces,
    /// What is named by objects of all namespaces.
    Classes,
    /// What bounds the objects of a namespace.
    Bounds,
    Access,
    /// What workloads read and mount, and what they are reached by.
    Configuration,
    Workloads,
    /// What watches over workloads, and everything else.
    Policies,
    /// What judges every later request.
    Gates,
}

impl Wave {
    /// The wave of an object.
    pub(crate) fn of(key: &Key) -> Self {
        match (key.group.as_str(), key.kind.as_str()) {
            ("apiextensions.k8s.io", _) | ("eksctl.io", "ClusterConfig") => Self::Definitions,
            ("", "Namespace") => Self::Namespaces,
            ("scheduling.k8s.io" | "node.k8s.io", _)
            | ("storage.k8s.io", "StorageClass" | "CSIDriver")
            | ("networking.k8s.io", "IngressClass")
            | ("policy", "PodSecurityPolicy") => Self::Classes,
            ("", "ResourceQuota" | "LimitRange") => Self::Bounds,
            ("rbac.authorization.k8s.io", _) | ("", "ServiceAccount") => Self::Access,
            (
                "",
                "ConfigMap"
                | "Secret"
                | "PersistentVolume"
                | "PersistentVolumeClaim"
                | "Service"
                | "Endpoints",
            )
            | ("networking.k8s.io", "NetworkPolicy")
            | ("mainstay.dev", "PodBehaviour") => Self::Configuration,
            ("", "Pod" | "ReplicationController") | ("apps" | "batch", _) => Self::Workloads,
            ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Self::Gates,
            _ => Self::Policies,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let kinds = [
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("", "Namespace"),
            ("scheduling.k8s.io", "PriorityClass"),
            ("", "ResourceQuota"),
            ("rbac.authorization.k8s.io", "RoleBinding"),
            ("", "ConfigMap"),
            ("apps", "Deployment"),
            ("policy", "PodDisruptionBudget"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ];
        let waves: Vec<Wave> =
            kinds.iter().map(|(group, kind)| Wave::of(&Key::of(group, kind, &json!({})))).collect();
        assert!(waves.windows(2).all(|pair| pair[0] < pair[1]), "{waves:?}");
    }
}
