//! The objects every cluster has from the start.

use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use mainstay_resource::Identity;
use serde_json::{Value, json};

use crate::admission::{self, SystemClass};
use crate::encode;
use crate::server::ApiServer;
use crate::status::Status;

/// The namespaces upstream makes.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// The address of the `kubernetes` Service: the first of the Service range.
const KUBERNETES_ADDRESS: &str = "10.96.0.1";
const MANAGER: &str = "kube-apiserver";

impl ApiServer {
    /// Makes what every cluster has: four namespaces with their accounts, the `kubernetes` Service,
    /// two classes of priority and one of storage. What is there already is left as it is.
    pub async fn bootstrap(&self) -> Result<(), Status> {
        for name in NAMESPACES {
            let labels = json!({ "kubernetes.io/metadata.name": name });
            let metadata = json!({ "name": name, "labels": labels });
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
            self.ensure("/api/v1/namespaces", &namespace).await?;
            let account =
                json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
            self.ensure(&format!("/api/v1/namespaces/{name}/serviceaccounts"), &account).await?;
        }
        for class in &admission::SYSTEM_CLASSES {
            self.ensure("/apis/scheduling.k8s.io/v1/priorityclasses", &priority_class(class)).await?;
        }
        self.ensure("/apis/storage.k8s.io/v1/storageclasses", &storage_class()).await?;
        self.ensure("/api/v1/namespaces/default/services", &kubernetes(self.port())).await
    }

    /// The port clients outside reach the server at.
    fn port(&self) -> u16 {
        self.advertise().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(6443)
    }

    async fn ensure(&self, path: &str, object: &Value) -> Result<(), Status> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{path}?fieldManager={MANAGER}"))
            .extension(std::sync::Arc::new(Identity::master("system:apiserver")))
            .body(Full::new(encode::json(object)))
            .expect("invariant: the request is well-formed");
        let response = self.answer(request).await;
        match response.status().as_u16() {
            201 | 409 => Ok(()),
            code => {
                let Ok(body) = response.into_body().collect().await;
                let why = String::from_utf8_lossy(&body.to_bytes()).into_owned();
                Err(Status::new(code, "InternalError", format!("bootstrapping {path} failed: {why}")))
            }
        }
    }
}

fn priority_class(class: &SystemClass) -> Value {
    json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": { "name": class.name },
        "value": class.value,
        "description": class.description,
    })
}

/// The class an EKS cluster with the EBS CSI driver has.
fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": { "name": "gp2", "annotations": { admission::DEFAULT_CLASS: "true" } },
        "provisioner": "ebs.csi.aws.com",
        "parameters": { "type": "gp2", "fsType": "ext4" },
        "volumeBindingMode": "WaitForFirstConsumer",
    })
}

fn kubernetes(target_port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "labels": { "component": "apiserver", "provider": "kubernetes" },
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": KUBERNETES_ADDRESS,
            "clusterIPs": [KUBERNETES_ADDRESS],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
            "ports": [{ "name": "https", "protocol": "TCP", "port": 443, "targetPort": target_port }],
        },
    })
}
