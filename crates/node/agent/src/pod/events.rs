//! What the kubelet tells of a pod's containers, in its words.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use mainstay_control::events::reference;
use mainstay_kinds::duration;

use super::containers;
use crate::runtime::{Happening, What, Which};

/// An Event to record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) object: ObjectReference,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// The Event of a happening; most have one.
pub(crate) fn told(pod: &Pod, happening: &Happening) -> Option<Told> {
    let (which, reason, message): (Which, _, fn(&str, &str) -> String) = match &happening.what {
        What::Pulling(which) => (*which, "Pulling", |_, image| format!("Pulling image \"{image}\"")),
        What::Pulled(which, None) => {
            (*which, "Pulled", |_, image| format!("Container image \"{image}\" already present on machine"))
        }
        What::Pulled(which, Some(pull)) => return pulled(pod, *which, pull.took, pull.bytes),
        What::Created(which) => (*which, "Created", |name, _| format!("Created container: {name}")),
        What::Started(which) => (*which, "Started", |name, _| format!("Started container {name}")),
        What::Stopping(which) => (*which, "Killing", |name, _| format!("Stopping container {name}")),
        What::SandboxReady | What::Ready(_) | What::Exited(..) => return None,
    };
    let container = containers::spec(pod, which)?;
    let message = message(&container.name, container.image.as_deref().unwrap_or_default());
    Some(Told { object: object(pod, which), reason, message })
}

fn pulled(pod: &Pod, which: Which, took: Duration, bytes: u64) -> Option<Told> {
    let image = containers::spec(pod, which)?.image.as_deref().unwrap_or_default();
    let took = duration::format(took);
    let message = format!(
        "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {bytes} bytes."
    );
    Some(Told { object: object(pod, which), reason: "Pulled", message })
}

/// A reference to one container of the pod.
fn object(pod: &Pod, which: Which) -> ObjectReference {
    let name = containers::spec(pod, which).map_or("", |container| &container.name);
    let list = match which {
        Which::Init(_) => "initContainers",
        Which::Main(_) => "containers",
    };
    ObjectReference {
        field_path: Some(format!("spec.{list}{{{name}}}")),
        resource_version: pod.metadata.resource_version.clone(),
        ..reference(pod)
    }
}
