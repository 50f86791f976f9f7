//! Amounts by name, in quotas and LimitRanges: which names there are, and which amounts.

use mainstay_resource::quantity::Format;
use mainstay_resource::quota::{is_extended, is_native};
use mainstay_resource::{Quantity, name};
use serde_json::{Value, json};

use super::check::Check;

/// What a container may ask for.
const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];
/// What a quota may bound.
const OF_QUOTAS: [&str; 19] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// Amounts of things that cannot be divided.
const WHOLE: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Whether a name without a slash is one a quota knows.
pub(super) fn is_of_quotas(name: &str) -> bool {
    let bare = name.strip_prefix("requests.").unwrap_or(name);
    OF_QUOTAS.contains(&name) || bare.starts_with("hugepages-")
}

/// Whether requests and limits may differ.
pub(super) fn may_be_overcommitted(name: &str) -> bool {
    is_native(name) && !name.starts_with("hugepages-")
}

/// A name in a quota.
pub(super) fn of_quota(check: &mut Check, given: &str, path: &str) {
    any(check, given, path);
    if !given.contains('/') && !is_of_quotas(given) {
        check.invalid(path, &json!(given), "must be a standard resource for quota");
    }
}

/// A name in a LimitRange's item for containers or pods.
pub(super) fn of_container(check: &mut Check, given: &str, path: &str) {
    any(check, given, path);
    if !given.contains('/') {
        if !OF_CONTAINERS.contains(&given) && !given.starts_with("hugepages-") {
            check.invalid(path, &json!(given), "must be a standard resource for containers");
        }
    } else if !is_native(given) && !is_extended(given) {
        check.invalid(path, &json!(given), "doesn't follow extended resource name standard");
    }
}

/// A name anywhere.
pub(super) fn any(check: &mut Check, given: &str, path: &str) {
    let wrong = name::qualified_name(given);
    let is_well_formed = wrong.is_empty();
    check.named(path, given, wrong);
    let is_standard = is_of_quotas(given) || given == "storage";
    if is_well_formed && !given.contains('/') && !is_standard {
        check.invalid(path, &json!(given), "must be a standard resource type or fully qualified");
    }
}

/// An amount in a quota.
pub(super) fn amount(check: &mut Check, given: &str, value: &Value, path: &str) {
    let Some(amount) = check.amount(path, value) else { return };
    let is_whole = amount.milli_value() % 1000 == 0;
    if !is_whole && (WHOLE.contains(&given) || is_extended(given)) {
        check.invalid_as(path, &go_quantity(amount), "must be an integer");
    }
}

/// An amount as Go prints it.
pub(super) fn go_quantity(amount: Quantity) -> String {
    let format = match amount.format() {
        Format::DecimalSi => "DecimalSI",
        Format::BinarySi => "BinarySI",
        Format::DecimalExponent => "DecimalExponent",
    };
    let (value, scale) = match amount.milli_value() {
        milli if milli % 1000 == 0 => (amount.value(), 0),
        milli => (milli, -3),
    };
    format!(
        "resource.Quantity{{i:resource.int64Amount{{value:{value}, scale:{scale}}}, \
         d:resource.infDecAmount{{Dec:(*inf.Dec)(nil)}}, s:\"\", Format:\"{format}\"}}"
    )
}
