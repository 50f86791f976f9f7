//! Tests of the table of built-in resources.

use serde_json::json;

use super::*;
use crate::registry::Registry;

/// `kubectl api-resources --sort-by=name`, without the resources that are not served.
const EXPECTED: &str = "\
apiservices||apiregistration.k8s.io/v1|false|APIService|api-extensions
certificatesigningrequests|csr|certificates.k8s.io/v1|false|CertificateSigningRequest|
clusterrolebindings||rbac.authorization.k8s.io/v1|false|ClusterRoleBinding|
clusterroles||rbac.authorization.k8s.io/v1|false|ClusterRole|
configmaps|cm|v1|true|ConfigMap|
controllerrevisions||apps/v1|true|ControllerRevision|
cronjobs|cj|batch/v1|true|CronJob|all
csidrivers||storage.k8s.io/v1|false|CSIDriver|
csinodes||storage.k8s.io/v1|false|CSINode|
csistoragecapacities||storage.k8s.io/v1|true|CSIStorageCapacity|
customresourcedefinitions|crd,crds|apiextensions.k8s.io/v1|false|CustomResourceDefinition|api-extensions
daemonsets|ds|apps/v1|true|DaemonSet|all
deployments|deploy|apps/v1|true|Deployment|all
endpoints|ep|v1|true|Endpoints|
endpointslices||discovery.k8s.io/v1|true|EndpointSlice|
events|ev|events.k8s.io/v1|true|Event|
events|ev|v1|true|Event|
flowschemas||flowcontrol.apiserver.k8s.io/v1|false|FlowSchema|
horizontalpodautoscalers|hpa|autoscaling/v1|true|HorizontalPodAutoscaler|all
horizontalpodautoscalers|hpa|autoscaling/v2|true|HorizontalPodAutoscaler|all
ingressclasses||networking.k8s.io/v1|false|IngressClass|
ingresses|ing|networking.k8s.io/v1|true|Ingress|
ipaddresses|ip|networking.k8s.io/v1|false|IPAddress|
jobs||batch/v1|true|Job|all
leases||coordination.k8s.io/v1|true|Lease|
limitranges|limits|v1|true|LimitRange|
mutatingwebhookconfigurations||admissionregistration.k8s.io/v1|false|MutatingWebhookConfiguration|api-extensions
namespaces|ns|v1|false|Namespace|
networkpolicies|netpol|networking.k8s.io/v1|true|NetworkPolicy|
nodes|no|v1|false|Node|
persistentvolumeclaims|pvc|v1|true|PersistentVolumeClaim|
persistentvolumes|pv|v1|false|PersistentVolume|
poddisruptionbudgets|pdb|policy/v1|true|PodDisruptionBudget|
pods|po|v1|true|Pod|all
podsecuritypolicies|psp|policy/v1beta1|false|PodSecurityPolicy|
podtemplates||v1|true|PodTemplate|
priorityclasses|pc|scheduling.k8s.io/v1|false|PriorityClass|
prioritylevelconfigurations||flowcontrol.apiserver.k8s.io/v1|false|PriorityLevelConfiguration|
replicasets|rs|apps/v1|true|ReplicaSet|all
replicationcontrollers|rc|v1|true|ReplicationController|all
resourcequotas|quota|v1|true|ResourceQuota|
rolebindings||rbac.authorization.k8s.io/v1|true|RoleBinding|
roles||rbac.authorization.k8s.io/v1|true|Role|
runtimeclasses||node.k8s.io/v1|false|RuntimeClass|
secrets||v1|true|Secret|
serviceaccounts|sa|v1|true|ServiceAccount|
servicecidrs||networking.k8s.io/v1|false|ServiceCIDR|
services|svc|v1|true|Service|all
statefulsets|sts|apps/v1|true|StatefulSet|all
storageclasses|sc|storage.k8s.io/v1|false|StorageClass|
validatingadmissionpolicies||admissionregistration.k8s.io/v1|false|ValidatingAdmissionPolicy|api-extensions
validatingadmissionpolicybindings||admissionregistration.k8s.io/v1|false|ValidatingAdmissionPolicyBinding|api-extensions
validatingwebhookconfigurations||admissionregistration.k8s.io/v1|false|ValidatingWebhookConfiguration|api-extensions
volumeattachments||storage.k8s.io/v1|false|VolumeAttachment|
";

#[test]
fn the_table_is_what_kubectl_api_resources_prints() {
    let mut lines: Vec<String> = built_in()
        .iter()
        .map(|info| {
            let (short, categories) = (info.short_names.join(","), info.categories.join(","));
            let version = info.api_version();
            format!("{}|{short}|{version}|{}|{}|{categories}", info.resource, info.namespaced, info.kind)
        })
        .collect();
    let mut expected: Vec<&str> = EXPECTED.lines().collect();
    lines.sort();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn plurals_and_kinds_are_those_of_the_published_schema() {
    macro_rules! check {
        ($($type:ty),+ $(,)?) => {{
            let snapshot = Registry::new(built_in()).snapshot();
            $(
                let (group, version) = (
                    <$type as k8s_openapi::Resource>::GROUP, <$type as k8s_openapi::Resource>::VERSION);
                let plural = <$type as k8s_openapi::Resource>::URL_PATH_SEGMENT;
                let info = snapshot.find(group, version, plural).expect(plural);
                assert_eq!(&*info.kind, <$type as k8s_openapi::Resource>::KIND);
            )+
        }};
    }
    use k8s_openapi::api::{
        apps, autoscaling, batch, certificates, coordination, core, discovery, networking, policy, rbac,
        storage,
    };
    check!(
        core::v1::Pod,
        core::v1::Node,
        core::v1::Event,
        core::v1::PersistentVolumeClaim,
        core::v1::Endpoints,
        core::v1::LimitRange,
        core::v1::ReplicationController,
        apps::v1::DaemonSet,
        apps::v1::ControllerRevision,
        autoscaling::v2::HorizontalPodAutoscaler,
        batch::v1::CronJob,
        certificates::v1::CertificateSigningRequest,
        coordination::v1::Lease,
        discovery::v1::EndpointSlice,
        networking::v1::Ingress,
        networking::v1::IPAddress,
        networking::v1::ServiceCIDR,
        policy::v1::PodDisruptionBudget,
        rbac::v1::ClusterRoleBinding,
        storage::v1::CSIStorageCapacity,
        k8s_openapi::api::events::v1::Event,
    );
}

#[test]
fn subresources_carry_their_own_kind_and_verbs() {
    let snapshot = Registry::new(built_in()).snapshot();
    let deployments = snapshot.find("apps", "v1", "deployments").unwrap();
    let scale = deployments.subresource("scale").unwrap();
    assert_eq!((&*scale.group, &*scale.version, &*scale.kind), ("autoscaling", "v1", "Scale"));
    assert!(deployments.has_status());
    let pods = snapshot.find("", "v1", "pods").unwrap();
    assert_eq!(pods.subresource("binding").unwrap().verbs, ["create"]);
    assert_eq!(pods.subresource("log").unwrap().action, Action::Log);
    assert!(!snapshot.find("", "v1", "namespaces").unwrap().verbs.contains(&"deletecollection"));
}

#[test]
fn both_event_apis_share_one_store() {
    let snapshot = Registry::new(built_in()).snapshot();
    let newer = snapshot.find("events.k8s.io", "v1", "events").unwrap();
    assert_eq!(&*newer.storage.resource, "/events");
    let conversion = newer.storage.conversion.unwrap();
    let mut object = json!({ "regarding": { "kind": "Pod" }, "note": "Created", "deprecatedCount": 2 });
    let before = object.clone();
    (conversion.to_stored)(&mut object);
    assert_eq!(object, json!({ "involvedObject": { "kind": "Pod" }, "message": "Created", "count": 2 }));
    (conversion.to_served)(&mut object);
    assert_eq!(object, before);
}

#[test]
fn an_autoscaler_survives_the_way_through_both_versions() {
    let snapshot = Registry::new(built_in()).snapshot();
    let older = snapshot.find("autoscaling", "v1", "horizontalpodautoscalers").unwrap();
    let conversion = older.storage.conversion.unwrap();
    let memory = json!({ "type": "Resource", "resource": {
        "name": "memory", "target": { "type": "AverageValue", "averageValue": "1Gi" } } });
    let cpu = json!({ "type": "Resource", "resource": {
        "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 60 } } });
    let stored = json!({ "metadata": { "name": "web" }, "spec": {
        "maxReplicas": 9, "metrics": [memory, cpu], "behavior": { "scaleDown": {} } },
        "status": { "conditions": [{ "type": "ScalingActive", "status": "True" }] } });
    let mut served = stored.clone();
    (conversion.to_served)(&mut served);
    assert_eq!(served["spec"], json!({ "maxReplicas": 9, "targetCPUUtilizationPercentage": 60 }));
    (conversion.to_stored)(&mut served);
    assert_eq!(served, stored);
}

#[test]
fn a_node_is_schedulable_unless_it_says_otherwise() {
    let snapshot = Registry::new(built_in()).snapshot();
    let nodes = snapshot.find("", "v1", "nodes").unwrap();
    assert_eq!((&*nodes.fields[0].name, &*nodes.fields[0].otherwise), ("spec.unschedulable", "false"));
}
