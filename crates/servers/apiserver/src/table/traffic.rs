//! The rows of what carries traffic: Services, Endpoints, Ingresses, network policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{self, NONE, UNSET};
use super::printer::{Layout, column, wide};
use crate::fields::{at, list, number, text};

/// The layout of a Service, of Endpoints, or of a kind of `networking.k8s.io` or `discovery.k8s.io`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Service" => SERVICE,
        "Endpoints" => ENDPOINTS,
        "EndpointSlice" => ENDPOINT_SLICE,
        "Ingress" => INGRESS,
        "IngressClass" => INGRESS_CLASS,
        "NetworkPolicy" => NETWORK_POLICY,
        "ServiceCIDR" => SERVICE_RANGE,
        "IPAddress" => ADDRESS,
        _ => return None,
    })
}

const SERVICE: Layout = Layout {
    columns: &[
        column("Name"),
        column("Type"),
        column("Cluster-IP"),
        column("External-IP"),
        column("Port(s)"),
        column("Age"),
        wide("Selector"),
    ],
    cells: |service, now| {
        vec![
            cell::name(service),
            cell::text_or(service, &["spec", "type"], ""),
            cell::text_or(service, &["spec", "clusterIP"], NONE),
            external(service).into(),
            ports(service).into(),
            cell::age(service, now),
            cell::pairs(service, &["spec", "selector"]),
        ]
    },
};

fn external(service: &Value) -> String {
    let named = || list(service, &["spec", "externalIPs"]).iter().filter_map(Value::as_str);
    match text(service, &["spec", "type"]) {
        "ExternalName" => text(service, &["spec", "externalName"]).to_owned(),
        "LoadBalancer" => {
            let entrances = entrances(service);
            let all = cell::joined(entrances.iter().copied().chain(named()));
            if all.is_empty() { "<pending>".to_owned() } else { all }
        }
        _ => cell::joined_or_none(named()),
    }
}

/// The addresses and names of a load balancer, sorted, each once.
fn entrances(object: &Value) -> BTreeSet<&str> {
    let entrances = list(object, &["status", "loadBalancer", "ingress"]).iter();
    entrances
        .map(|one| match text(one, &["ip"]) {
            "" => text(one, &["hostname"]),
            address => address,
        })
        .filter(|one| !one.is_empty())
        .collect()
}

fn ports(service: &Value) -> String {
    let port = |port: &Value| {
        let own = number(port, &["port"]).unwrap_or(0);
        let protocol = text(port, &["protocol"]);
        match number(port, &["nodePort"]).unwrap_or(0) {
            0 => format!("{own}/{protocol}"),
            outside => format!("{own}:{outside}/{protocol}"),
        }
    };
    let all: Vec<String> = list(service, &["spec", "ports"]).iter().map(port).collect();
    if all.is_empty() { NONE.to_owned() } else { all.join(",") }
}

const ENDPOINTS: Layout = Layout {
    columns: &[column("Name"), column("Endpoints"), column("Age")],
    cells: |endpoints, now| {
        let subsets = list(endpoints, &["subsets"]);
        let all: Vec<String> = subsets.iter().flat_map(ends).collect();
        let shown = if subsets.is_empty() { NONE.to_owned() } else { cell::first_three(&all) };
        vec![cell::name(endpoints), shown.into(), cell::age(endpoints, now)]
    },
};

/// The addresses of a subset, once with each of its ports.
fn ends(subset: &Value) -> Vec<String> {
    let addresses = list(subset, &["addresses"]).iter().map(|address| text(address, &["ip"]));
    let ports = list(subset, &["ports"]);
    if ports.is_empty() {
        return addresses.map(str::to_owned).collect();
    }
    let with = |port: &Value| {
        let port = number(port, &["port"]).unwrap_or(0);
        addresses.clone().map(move |address| {
            if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
        })
    };
    ports.iter().flat_map(with).collect()
}

const ENDPOINT_SLICE: Layout = Layout {
    columns: &[column("Name"), column("AddressType"), column("Ports"), column("Endpoints"), column("Age")],
    cells: |slice, now| {
        let port = |port: &Value| match (number(port, &["port"]), text(port, &["name"])) {
            (Some(number), _) => number.to_string(),
            (None, "") => "*".to_owned(),
            (None, name) => name.to_owned(),
        };
        let ports: Vec<String> = list(slice, &["ports"]).iter().map(port).collect();
        let addresses: Vec<String> = list(slice, &["endpoints"])
            .iter()
            .flat_map(|endpoint| list(endpoint, &["addresses"]))
            .filter_map(|address| address.as_str().map(str::to_owned))
            .collect();
        let shown = |all: &[String]| if all.is_empty() { UNSET.to_owned() } else { cell::first_three(all) };
        vec![
            cell::name(slice),
            cell::text_or(slice, &["addressType"], ""),
            shown(&ports).into(),
            shown(&addresses).into(),
            cell::age(slice, now),
        ]
    },
};

const INGRESS: Layout = Layout {
    columns: &[
        column("Name"),
        column("Class"),
        column("Hosts"),
        column("Address"),
        column("Ports"),
        column("Age"),
    ],
    cells: |ingress, now| {
        let secure = !list(ingress, &["spec", "tls"]).is_empty();
        vec![
            cell::name(ingress),
            cell::text_or(ingress, &["spec", "ingressClassName"], NONE),
            hosts(list(ingress, &["spec", "rules"])).into(),
            cell::joined(entrances(ingress).into_iter()).into(),
            if secure { "80, 443" } else { "80" }.into(),
            cell::age(ingress, now),
        ]
    },
};

/// The first three hosts. How many more there are counts rules, as upstream does.
fn hosts(rules: &[Value]) -> String {
    let mut shown = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= shown.len() == 3;
        let host = text(rule, &["host"]);
        if !more && !host.is_empty() {
            shown.push(host);
        }
    }
    match shown.join(",") {
        none if none.is_empty() => "*".to_owned(),
        some if more => format!("{some} + {} more...", rules.len() - 3),
        some => some,
    }
}

const INGRESS_CLASS: Layout = Layout {
    columns: &[column("Name"), column("Controller"), column("Parameters"), column("Age")],
    cells: |class, now| {
        let parameters = at(class, &["spec", "parameters"]).map_or_else(
            || NONE.to_owned(),
            |parameters| {
                let (kind, name) = (text(parameters, &["kind"]), text(parameters, &["name"]));
                match text(parameters, &["apiGroup"]) {
                    "" => format!("{kind}/{name}"),
                    group => format!("{kind}.{group}/{name}"),
                }
            },
        );
        vec![
            cell::name(class),
            cell::text_or(class, &["spec", "controller"], ""),
            parameters.into(),
            cell::age(class, now),
        ]
    },
};

const NETWORK_POLICY: Layout = Layout {
    columns: &[column("Name"), column("Pod-Selector"), column("Age")],
    cells: |policy, now| {
        vec![cell::name(policy), cell::selector(policy, &["spec", "podSelector"]), cell::age(policy, now)]
    },
};

const SERVICE_RANGE: Layout = Layout {
    columns: &[column("Name"), column("CIDRs"), column("Age")],
    cells: |range, now| {
        let ranges = list(range, &["spec", "cidrs"]).iter().filter_map(Value::as_str);
        vec![cell::name(range), cell::joined(ranges).into(), cell::age(range, now)]
    },
};

const ADDRESS: Layout = Layout {
    columns: &[column("Name"), column("ParentRef")],
    cells: |address, _| {
        let parent = at(address, &["spec", "parentRef"]).map_or_else(
            || NONE.to_owned(),
            |parent| {
                let part = |field: &str| text(parent, &[field]);
                let group =
                    if part("group").is_empty() { String::new() } else { format!(".{}", part("group")) };
                let resource = format!("{}{group}", part("resource")).to_lowercase();
                let name = [part("namespace"), part("name")].into_iter().filter(|name| !name.is_empty());
                cell::joined_by("/", std::iter::once(resource.as_str()).chain(name))
            },
        );
        vec![cell::name(address), parent.into()]
    },
};
