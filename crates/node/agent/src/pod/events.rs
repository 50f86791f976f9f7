//! What the kubelet tells of a pod and its containers, in its words.

use k8s_openapi::api::core::v1::ObjectReference;
use mainstay_control::events::{EventType, reference};
use mainstay_kinds::duration;

use crate::bound::{BoundPod, Container, Probe};
use crate::runtime::{No, Pull, Question, Which};

#[cfg(test)]
mod tests;

/// An Event to record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) object: ObjectReference,
    pub(crate) type_: EventType,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// Tells something of a pod.
pub(super) fn of_pod(pod: &BoundPod, type_: EventType, reason: &'static str, message: String) -> Told {
    Told { object: reference(pod), type_, reason, message }
}

/// Tells that all is well with a container.
pub(super) fn normal(pod: &BoundPod, which: Which, reason: &'static str, message: String) -> Told {
    Told { object: object(pod, which), type_: EventType::Normal, reason, message }
}

/// Tells that something is wrong with a container.
pub(super) fn warning(pod: &BoundPod, which: Which, reason: &'static str, message: String) -> Told {
    Told { type_: EventType::Warning, ..normal(pod, which, reason, message) }
}

/// An image was pulled.
pub(super) fn pulled(pod: &BoundPod, which: Which, image: &str, pull: Pull) -> Told {
    let took = duration::format(pull.took);
    let message = format!(
        "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {} bytes.",
        pull.bytes
    );
    normal(pod, which, "Pulled", message)
}

/// A pod's name as the kubelet's messages have it.
pub(super) fn full_name(pod: &BoundPod) -> String {
    format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid())
}

/// A probe's name as its messages begin.
fn word(question: Question) -> &'static str {
    match question {
        Question::Startup => "Startup",
        Question::Liveness => "Liveness",
        Question::Readiness => "Readiness",
    }
}

/// A probe got no for an answer.
pub(super) fn unhealthy(
    pod: &BoundPod,
    which: Which,
    question: Question,
    (probe, no): (&Probe, No),
    address: &str,
) -> Option<Told> {
    let container = pod.spec.container(which)?;
    let output = output(container, probe, no, address);
    Some(warning(pod, which, "Unhealthy", format!("{} probe failed: {output}", word(question))))
}

/// What a probe of this sort says of it.
fn output(container: &Container, probe: &Probe, no: No, address: &str) -> String {
    let patience = probe.timeout_seconds.unwrap_or(1);
    if let Some(http) = &probe.http_get {
        let scheme = if http.scheme == "HTTPS" { "https" } else { "http" };
        let at = format!("{address}:{}", port(container, http.port.as_ref()));
        let path = http.path.trim_start_matches('/');
        let url = format!("Get \"{scheme}://{at}/{path}\"");
        return match no {
            No::Denied => "HTTP probe failed with statuscode: 503".to_owned(),
            No::Refused => format!("{url}: dial tcp {at}: connect: connection refused"),
            No::Late => {
                format!("{url}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
            }
        };
    }
    if let Some(tcp) = &probe.tcp_socket {
        let at = format!("{address}:{}", port(container, tcp.port.as_ref()));
        return match no {
            No::Late => format!("dial tcp {at}: i/o timeout"),
            No::Denied | No::Refused => format!("dial tcp {at}: connect: connection refused"),
        };
    }
    if let Some(grpc) = &probe.grpc {
        let at = format!("{address}:{}", grpc.port);
        return match no {
            No::Denied => "service unhealthy (responded with \"NOT_SERVING\")".to_owned(),
            No::Refused | No::Late => {
                format!(
                    "timeout: failed to connect service \"{at}\" within {patience}s: context deadline exceeded"
                )
            }
        };
    }
    match no {
        No::Late => format!("command timed out after {patience}s"),
        // What the command writes; a simulated one writes nothing.
        No::Denied | No::Refused => String::new(),
    }
}

/// The port of a probe, by number or by its name among the container's.
fn port(
    container: &Container,
    port: Option<&k8s_openapi::apimachinery::pkg::util::intstr::IntOrString>,
) -> u16 {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
    match port {
        Some(IntOrString::Int(number)) => u16::try_from(*number).unwrap_or_default(),
        Some(IntOrString::String(name)) => {
            let named = container.ports.iter().find(|port| port.name == *name);
            named.map(|port| port.container_port).or_else(|| name.parse().ok()).unwrap_or_default()
        }
        None => 0,
    }
}

/// A reference to one container of the pod.
fn object(pod: &BoundPod, which: Which) -> ObjectReference {
    let name = pod.spec.container(which).map_or("", |container| &container.name);
    let list = match which {
        Which::Init(_) => "initContainers",
        Which::Main(_) => "containers",
    };
    ObjectReference { field_path: Some(format!("spec.{list}{{{name}}}")), ..reference(pod) }
}
