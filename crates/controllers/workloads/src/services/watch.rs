//! Which Services a change of a Service, a pod or a node concerns.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use mainstay_control::informer::Subscription;
use mainstay_control::{Change, Key, Queue};

use super::members;
use crate::Informers;

/// Keeps `queue` told of Services to look at, for as long as the result is held.
pub(super) fn subscribe(
    informers: &Informers,
    queue: &Queue<Key>,
) -> (Subscription<Service>, Subscription<Pod>) {
    let told = queue.clone();
    let services = informers.services.subscribe(move |change| told.add(Key::of(change.latest().as_ref())));
    let (told, informers) = (queue.clone(), informers.clone());
    let pods = informers.pods.clone().subscribe(move |change| pod_changed(&informers, &told, change));
    (services, pods)
}

fn pod_changed(informers: &Informers, queue: &Queue<Key>, change: &Change<Pod>) {
    match change {
        Change::Applied { old: Some(old), new } => {
            if members::is_told_differently(old, new) {
                of_pod(informers, queue, old);
                of_pod(informers, queue, new);
            }
        }
        // Before it has an address there is nothing to tell.
        Change::Applied { old: None, new } if !members::has_address(new) => {}
        Change::Applied { old: None, new: pod } | Change::Deleted { old: pod } => {
            of_pod(informers, queue, pod);
        }
    }
}

fn of_pod(informers: &Informers, queue: &Queue<Key>, pod: &Pod) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    for service in informers.services.within(namespace) {
        if members::selects(&service, pod) {
            queue.add(Key::of(service.as_ref()));
        }
    }
}

/// The pods a Service selects, by name.
pub(super) fn pods_of(informers: &Informers, service: &Service) -> Vec<Arc<Pod>> {
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let mut pods = informers.pods.within(namespace);
    pods.retain(|pod| members::selects(service, pod));
    pods
}
