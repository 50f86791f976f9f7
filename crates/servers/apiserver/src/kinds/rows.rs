//! The rows of the table of built-in resources.

use crate::registry::ALL_VERBS;

/// One (group, version, resource), written as constants.
pub(super) struct Row {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) resource: &'static str,
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
    pub(super) short_names: &'static [&'static str],
    pub(super) categories: &'static [&'static str],
    pub(super) verbs: &'static [&'static str],
    pub(super) subresources: &'static [Sub],
    pub(super) has_generation: bool,
}

/// One subresource of a row.
pub(super) struct Sub {
    pub(super) name: &'static str,
    /// Group, version and kind of its body, where they are not the parent's.
    pub(super) shape: Option<(&'static str, &'static str, &'static str)>,
    pub(super) verbs: &'static [&'static str],
}

const READ_WRITE: &[&str] = &["get", "patch", "update"];
const CONNECT: &[&str] = &["create", "get"];
const PROXY_VERBS: &[&str] = &["create", "delete", "get", "patch", "update"];
/// Namespaces are deleted one by one.
const NO_COLLECTION: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];

const fn part(name: &'static str, verbs: &'static [&'static str]) -> Sub {
    Sub { name, shape: None, verbs }
}

const fn shaped(
    name: &'static str,
    shape: (&'static str, &'static str, &'static str),
    verbs: &'static [&'static str],
) -> Sub {
    Sub { name, shape: Some(shape), verbs }
}

const SCALE: Sub = shaped("scale", ("autoscaling", "v1", "Scale"), READ_WRITE);
const STATUS: &[Sub] = &[part("status", READ_WRITE)];
const SCALE_STATUS: &[Sub] = &[SCALE, part("status", READ_WRITE)];
const POD: &[Sub] = &[
    shaped("attach", ("", "v1", "PodAttachOptions"), CONNECT),
    shaped("binding", ("", "v1", "Binding"), &["create"]),
    part("ephemeralcontainers", READ_WRITE),
    shaped("eviction", ("policy", "v1", "Eviction"), &["create"]),
    shaped("exec", ("", "v1", "PodExecOptions"), CONNECT),
    part("log", &["get"]),
    shaped("portforward", ("", "v1", "PodPortForwardOptions"), CONNECT),
    shaped("proxy", ("", "v1", "PodProxyOptions"), PROXY_VERBS),
    part("resize", READ_WRITE),
    part("status", READ_WRITE),
];
const NAMESPACE: &[Sub] = &[part("finalize", &["update"]), part("status", READ_WRITE)];
const NODE: &[Sub] =
    &[shaped("proxy", ("", "v1", "NodeProxyOptions"), PROXY_VERBS), part("status", READ_WRITE)];
const SERVICE: &[Sub] =
    &[shaped("proxy", ("", "v1", "ServiceProxyOptions"), PROXY_VERBS), part("status", READ_WRITE)];
const SERVICE_ACCOUNT: &[Sub] =
    &[shaped("token", ("authentication.k8s.io", "v1", "TokenRequest"), &["create"])];
const REQUEST: &[Sub] = &[part("approval", READ_WRITE), part("status", READ_WRITE)];

const fn row(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
    namespaced: bool,
) -> Row {
    Row {
        group,
        version,
        resource,
        kind,
        namespaced,
        short_names: &[],
        categories: &[],
        verbs: ALL_VERBS,
        subresources: &[],
        has_generation: false,
    }
}

const fn spaced(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
) -> Row {
    row(group, version, resource, kind, true)
}

const fn cluster(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    kind: &'static str,
) -> Row {
    row(group, version, resource, kind, false)
}

impl Row {
    const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short_names = names;
        self
    }

    const fn all(mut self) -> Self {
        self.categories = &["all"];
        self
    }

    const fn extension(mut self) -> Self {
        self.categories = &["api-extensions"];
        self
    }

    const fn parts(mut self, parts: &'static [Sub]) -> Self {
        self.subresources = parts;
        self
    }

    const fn counted(mut self) -> Self {
        self.has_generation = true;
        self
    }

    const fn verbs(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";

pub(super) const TABLE: &[Row] = &[
    spaced("", "v1", "configmaps", "ConfigMap").short(&["cm"]),
    spaced("", "v1", "endpoints", "Endpoints").short(&["ep"]),
    spaced("", "v1", "events", "Event").short(&["ev"]),
    spaced("", "v1", "limitranges", "LimitRange").short(&["limits"]),
    cluster("", "v1", "namespaces", "Namespace").short(&["ns"]).parts(NAMESPACE).verbs(NO_COLLECTION),
    cluster("", "v1", "nodes", "Node").short(&["no"]).parts(NODE),
    spaced("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim").short(&["pvc"]).parts(STATUS),
    cluster("", "v1", "persistentvolumes", "PersistentVolume").short(&["pv"]).parts(STATUS),
    spaced("", "v1", "pods", "Pod").short(&["po"]).all().parts(POD).counted(),
    spaced("", "v1", "podtemplates", "PodTemplate").counted(),
    spaced("", "v1", "replicationcontrollers", "ReplicationController")
        .short(&["rc"])
        .all()
        .parts(SCALE_STATUS)
        .counted(),
    spaced("", "v1", "resourcequotas", "ResourceQuota").short(&["quota"]).parts(STATUS),
    spaced("", "v1", "secrets", "Secret"),
    spaced("", "v1", "serviceaccounts", "ServiceAccount").short(&["sa"]).parts(SERVICE_ACCOUNT),
    spaced("", "v1", "services", "Service").short(&["svc"]).all().parts(SERVICE),
    spaced("apps", "v1", "controllerrevisions", "ControllerRevision"),
    spaced("apps", "v1", "daemonsets", "DaemonSet").short(&["ds"]).all().parts(STATUS).counted(),
    spaced("apps", "v1", "deployments", "Deployment").short(&["deploy"]).all().parts(SCALE_STATUS).counted(),
    spaced("apps", "v1", "replicasets", "ReplicaSet").short(&["rs"]).all().parts(SCALE_STATUS).counted(),
    spaced("apps", "v1", "statefulsets", "StatefulSet").short(&["sts"]).all().parts(SCALE_STATUS).counted(),
    spaced("batch", "v1", "cronjobs", "CronJob").short(&["cj"]).all().parts(STATUS).counted(),
    spaced("batch", "v1", "jobs", "Job").all().parts(STATUS).counted(),
    spaced("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
        .short(&["hpa"])
        .all()
        .parts(STATUS),
    spaced("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
        .short(&["hpa"])
        .all()
        .parts(STATUS),
    spaced("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
        .short(&["pdb"])
        .parts(STATUS)
        .counted(),
    cluster("policy", "v1beta1", "podsecuritypolicies", "PodSecurityPolicy").short(&["psp"]),
    cluster(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding"),
    cluster(RBAC, "v1", "clusterroles", "ClusterRole"),
    spaced(RBAC, "v1", "rolebindings", "RoleBinding"),
    spaced(RBAC, "v1", "roles", "Role"),
    cluster(NETWORKING, "v1", "ingressclasses", "IngressClass").counted(),
    spaced(NETWORKING, "v1", "ingresses", "Ingress").short(&["ing"]).parts(STATUS).counted(),
    cluster(NETWORKING, "v1", "ipaddresses", "IPAddress").short(&["ip"]),
    spaced(NETWORKING, "v1", "networkpolicies", "NetworkPolicy").short(&["netpol"]).counted(),
    cluster(NETWORKING, "v1", "servicecidrs", "ServiceCIDR").parts(STATUS),
    cluster(STORAGE, "v1", "csidrivers", "CSIDriver"),
    cluster(STORAGE, "v1", "csinodes", "CSINode"),
    spaced(STORAGE, "v1", "csistoragecapacities", "CSIStorageCapacity"),
    cluster(STORAGE, "v1", "storageclasses", "StorageClass").short(&["sc"]),
    cluster(STORAGE, "v1", "volumeattachments", "VolumeAttachment").parts(STATUS),
    cluster("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass").short(&["pc"]).counted(),
    spaced("coordination.k8s.io", "v1", "leases", "Lease"),
    cluster("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass"),
    spaced("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice").counted(),
    spaced("events.k8s.io", "v1", "events", "Event").short(&["ev"]),
    cluster(ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration")
        .extension()
        .counted(),
    cluster(ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
        .extension()
        .parts(STATUS)
        .counted(),
    cluster(ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding")
        .extension()
        .counted(),
    cluster(ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration")
        .extension()
        .counted(),
    cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
        .short(&["crd", "crds"])
        .extension()
        .parts(STATUS)
        .counted(),
    cluster("apiregistration.k8s.io", "v1", "apiservices", "APIService").extension().parts(STATUS),
    cluster("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest")
        .short(&["csr"])
        .parts(REQUEST),
    cluster(FLOW, "v1", "flowschemas", "FlowSchema").parts(STATUS).counted(),
    cluster(FLOW, "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration").parts(STATUS).counted(),
];
