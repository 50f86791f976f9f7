//! What Services and claims use.

use serde_json::Value;

use super::amounts::Amounts;
use super::{at, list, text};
use crate::{Quantity, meta};

const SERVICES: &str = "services";
const NODE_PORTS: &str = "services.nodeports";
const LOAD_BALANCERS: &str = "services.loadbalancers";
const CLAIMS: &str = "persistentvolumeclaims";
const STORAGE: &str = "requests.storage";
/// Between a storage class and what of its claims is counted.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

/// Whether an amount is measured of Services.
pub(super) fn is_of_services(name: &str) -> bool {
    matches!(name, SERVICES | "count/services" | NODE_PORTS | LOAD_BALANCERS)
}

/// Whether an amount is measured of claims, all or those of one class.
pub(super) fn is_of_claims(name: &str) -> bool {
    let counted = |name: &str| matches!(name, CLAIMS | STORAGE);
    let of_class = || name.rsplit_once(OF_CLASS).is_some_and(|(_, what)| counted(what));
    name == "count/persistentvolumeclaims" || counted(name) || of_class()
}

/// What a Service uses. Its node ports may not be given yet: what counts is that they will be.
pub(super) fn of_service(service: &Value) -> Amounts {
    let ports = list(service, &["spec", "ports"]);
    let is_given = |port: &&Value| port.get("nodePort").and_then(Value::as_i64).unwrap_or(0) != 0;
    let given = || ports.iter().filter(is_given).count();
    let gives_none = at(service, &["spec", "allocateLoadBalancerNodePorts"]) == Some(&Value::Bool(false));
    let (node_ports, load_balancers) = match text(service, &["spec", "type"]) {
        "NodePort" => (ports.len(), 0),
        "LoadBalancer" => (if gives_none { given() } else { ports.len() }, 1),
        _ => (0, 0),
    };
    Amounts::from([
        ("count/services".to_owned(), Quantity::ONE),
        (SERVICES.to_owned(), Quantity::ONE),
        (NODE_PORTS.to_owned(), number(node_ports)),
        (LOAD_BALANCERS.to_owned(), number(load_balancers)),
    ])
}

/// What a claim uses, in all and of its class.
pub(super) fn of_claim(claim: &Value) -> Amounts {
    let mut usage = Amounts::from([
        (CLAIMS.to_owned(), Quantity::ONE),
        ("count/persistentvolumeclaims".to_owned(), Quantity::ONE),
    ]);
    let class = class(claim);
    if !class.is_empty() {
        usage.insert(format!("{class}{OF_CLASS}{CLAIMS}"), Quantity::ONE);
    }
    if let Some(size) = size(claim) {
        usage.insert(STORAGE.to_owned(), size);
        if !class.is_empty() {
            usage.insert(format!("{class}{OF_CLASS}{STORAGE}"), size);
        }
    }
    usage
}

fn number(count: usize) -> Quantity {
    Quantity::new(i64::try_from(count).unwrap_or(i64::MAX), crate::quantity::Format::DecimalSi)
}

fn class(claim: &Value) -> &str {
    meta::annotation(claim, "volume.beta.kubernetes.io/storage-class")
        .unwrap_or_else(|| text(claim, &["spec", "storageClassName"]))
}

/// What is asked for or, while that shrinks, what is still allocated; in whole bytes.
fn size(claim: &Value) -> Option<Quantity> {
    let amount = |path: &[&str]| Quantity::from_value(at(claim, path)?).ok().map(|size| size.round_up(0));
    let asked = amount(&["spec", "resources", "requests", "storage"])?;
    let allocated = amount(&["status", "allocatedResources", "storage"]);
    Some(allocated.filter(|allocated| *allocated > asked).unwrap_or(asked))
}
