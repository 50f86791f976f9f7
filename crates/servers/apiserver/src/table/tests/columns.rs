//! The columns of every built-in kind: what `kubectl get -o wide` heads its table with.

use serde_json::Value;

use super::super::Printer;
use super::info;
use crate::kinds;
use crate::registry::ResourceInfo;

/// Every kind's columns, in upstream's order; those after the bar show in wide output alone.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("", "ConfigMap", "Name Data Age"),
    ("", "Endpoints", "Name Endpoints Age"),
    ("", "Event", "Last_Seen Type Reason Object | Subobject Source | Message | First_Seen Count Name"),
    ("", "LimitRange", "Name Created_At:date"),
    ("", "Namespace", "Name Status Age"),
    (
        "",
        "Node",
        "Name Status Roles Age Version | Internal-IP External-IP OS-Image Kernel-Version Container-Runtime",
    ),
    (
        "",
        "PersistentVolumeClaim",
        "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age | VolumeMode",
    ),
    (
        "",
        "PersistentVolume",
        "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age | VolumeMode",
    ),
    ("", "Pod", "Name Ready Status Restarts Age | IP Node Nominated_Node Readiness_Gates"),
    ("", "PodTemplate", "Name Containers Images Pod_Labels"),
    (
        "",
        "ReplicationController",
        "Name Desired:integer Current:integer Ready:integer Age | Containers Images Selector",
    ),
    ("", "ResourceQuota", "Name Request Limit Age"),
    ("", "Secret", "Name Type Data Age"),
    ("", "ServiceAccount", "Name Secrets Age"),
    ("", "Service", "Name Type Cluster-IP External-IP Port(s) Age | Selector"),
    ("apps", "ControllerRevision", "Name Controller Revision Age"),
    (
        "apps",
        "DaemonSet",
        "Name Desired:integer Current:integer Ready:integer Up-to-date:integer Available:integer Node_Selector Age | Containers Images Selector",
    ),
    ("apps", "Deployment", "Name Ready Up-to-date Available Age | Containers Images Selector"),
    (
        "apps",
        "ReplicaSet",
        "Name Desired:integer Current:integer Ready:integer Age | Containers Images Selector",
    ),
    ("apps", "StatefulSet", "Name Ready Age | Containers Images"),
    (
        "batch",
        "CronJob",
        "Name Schedule Timezone Suspend:boolean Active:integer Last_Schedule Age | Containers Images Selector",
    ),
    ("batch", "Job", "Name Status Completions Duration Age | Containers Images Selector"),
    ("autoscaling", "HorizontalPodAutoscaler", "Name Reference Targets MinPods MaxPods Replicas Age"),
    (
        "policy",
        "PodSecurityPolicy",
        "Name Priv Caps SELinux RunAsUser FsGroup SupGroup ReadOnlyRootFs Volumes",
    ),
    ("policy", "PodDisruptionBudget", "Name Min_Available Max_Unavailable Allowed_Disruptions:integer Age"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "Name Role Age | Users Groups ServiceAccounts"),
    ("rbac.authorization.k8s.io", "ClusterRole", "Name Created_At:date"),
    ("rbac.authorization.k8s.io", "RoleBinding", "Name Role Age | Users Groups ServiceAccounts"),
    ("rbac.authorization.k8s.io", "Role", "Name Created_At:date"),
    ("networking.k8s.io", "IngressClass", "Name Controller Parameters Age"),
    ("networking.k8s.io", "Ingress", "Name Class Hosts Address Ports Age"),
    ("networking.k8s.io", "IPAddress", "Name ParentRef"),
    ("networking.k8s.io", "NetworkPolicy", "Name Pod-Selector Age"),
    ("networking.k8s.io", "ServiceCIDR", "Name CIDRs Age"),
    (
        "storage.k8s.io",
        "CSIDriver",
        "Name AttachRequired:boolean PodInfoOnMount:boolean StorageCapacity:boolean TokenRequests RequiresRepublish:boolean Modes Age",
    ),
    ("storage.k8s.io", "CSINode", "Name Drivers:integer Age"),
    ("storage.k8s.io", "CSIStorageCapacity", "Name StorageClassName Capacity"),
    (
        "storage.k8s.io",
        "StorageClass",
        "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
    ),
    ("storage.k8s.io", "VolumeAttachment", "Name Attacher PV Node Attached:boolean Age"),
    ("scheduling.k8s.io", "PriorityClass", "Name Value:integer Global-Default:boolean Age PreemptionPolicy"),
    ("coordination.k8s.io", "Lease", "Name Holder Age"),
    ("node.k8s.io", "RuntimeClass", "Name Handler Age"),
    ("discovery.k8s.io", "EndpointSlice", "Name AddressType Ports Endpoints Age"),
    (
        "events.k8s.io",
        "Event",
        "Last_Seen Type Reason Object | Subobject Source | Message | First_Seen Count Name",
    ),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "Name Webhooks:integer Age"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "Name Validations:integer ParamKind Age"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "Name PolicyName ParamRef Age"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "Name Webhooks:integer Age"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "Name Created_At:date"),
    ("apiregistration.k8s.io", "APIService", "Name Service Available Age"),
    (
        "certificates.k8s.io",
        "CertificateSigningRequest",
        "Name Age SignerName Requestor RequestedDuration Condition",
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        "Name PriorityLevel MatchingPrecedence DistinguisherMethod Age MissingPL",
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration",
        "Name Type NominalConcurrencyShares Queues HandSize QueueLengthLimit Age",
    ),
];

/// The columns of a kind, written as in the table.
fn written(group: &str, kind: &str) -> String {
    let definitions = Printer::of(&info(group, kind)).definitions();
    let mut text = String::new();
    let mut wide = false;
    for column in definitions.as_array().expect("columns") {
        let priority = column["priority"] == 1;
        if priority != wide {
            text.push_str("| ");
        }
        wide = priority;
        text.push_str(&column["name"].as_str().expect("a name").replace(' ', "_"));
        let sort = column["type"].as_str().expect("a type");
        if sort != "string" {
            text.push(':');
            text.push_str(sort);
        }
        text.push(' ');
    }
    text.trim_end().to_owned()
}

#[test]
fn every_kind_has_upstreams_columns() {
    for (group, kind, expected) in COLUMNS {
        assert_eq!(written(group, kind), *expected, "{kind}.{group}");
    }
    let unlisted: Vec<String> = kinds::built_in()
        .iter()
        .filter(|info| !COLUMNS.iter().any(|(group, kind, _)| (*group, *kind) == (&*info.group, &*info.kind)))
        .map(ResourceInfo::qualified)
        .collect();
    assert_eq!(unlisted, Vec::<String>::new());
}

#[test]
fn the_column_of_names_is_marked() {
    let definitions = Printer::of(&info("", "Pod")).definitions();
    let formats: Vec<&Value> =
        definitions.as_array().expect("columns").iter().map(|one| &one["format"]).collect();
    assert_eq!(formats[..2], ["name", ""]);
}
