//! The one list of everything that runs in a region.
//!
//! Start order, rule tables, `status` and the tests of rules derive from it. A component is added
//! here and nowhere else.

use mainstay_control::Component;
use mainstay_resource::Identity;

/// All components of a region, in the order they start; its pods know the API server by these
/// certificates.
pub fn all(certificates: &str) -> Vec<Component> {
    let mut list =
        vec![mainstay_capacity::component(), mainstay_agent::component(), mainstay_scheduler::component()];
    list.extend(mainstay_workloads::components(certificates));
    list
}

/// Resources that the API server itself acts on, or that hold what pods name: group and name. What
/// else is acted on is what a component watches.
pub const OF_THE_API: [(&str, &str); 5] = [
    ("", "limitranges"),
    ("", "namespaces"),
    ("", "secrets"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("scheduling.k8s.io", "priorityclasses"),
];

/// The platform's own identity: it applies the Source and reads what becomes of it.
pub fn administrator() -> Identity {
    Identity::master("mainstay:platform")
}

/// The identity of a component's client.
pub fn identity(component: &Component) -> Identity {
    Identity::of_user(component.user)
}
