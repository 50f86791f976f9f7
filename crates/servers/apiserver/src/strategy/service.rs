//! What a Service gets when it is written: its cluster address, its families and its node ports.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use mainstay_resource::meta;
use mainstay_store::{Query, Record, Store};
use serde_json::{Value, json};

use super::address::{self, Allocator};
use crate::encode;
use crate::fields::{Fields, Fill as _, at, list, number, text};
use crate::registry::ResourceInfo;
use crate::status::{Cause, Status};

/// Prepares a new Service.
pub(super) fn prepare_create(
    store: &Store,
    allocator: &Allocator,
    info: &ResourceInfo,
    service: &mut Value,
) -> Result<(), Status> {
    service["status"] = json!({ "loadBalancer": {} });
    give(store, allocator, info, service)
}

/// Prepares a changed Service: what was handed out stays, as long as its type still has it.
pub(super) fn prepare_update(
    store: &Store,
    allocator: &Allocator,
    info: &ResourceInfo,
    live: &Value,
    service: &mut Value,
) -> Result<(), Status> {
    let had_address = text(live, &["spec", "type"]) != "ExternalName";
    if had_address
        && has_address(service)
        && let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec"))
    {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if let Some(value) = at(live, &["spec", field]) {
                spec.fill(field, value.clone());
            }
        }
    }
    keep_node_ports(live, service);
    give(store, allocator, info, service)
}

fn has_address(service: &Value) -> bool {
    text(service, &["spec", "type"]) != "ExternalName"
}

fn has_node_ports(service: &Value) -> bool {
    match text(service, &["spec", "type"]) {
        "NodePort" => true,
        "LoadBalancer" => {
            at(service, &["spec", "allocateLoadBalancerNodePorts"]) != Some(&Value::Bool(false))
        }
        _ => false,
    }
}

/// A port keeps its node port when the change does not name one.
fn keep_node_ports(live: &Value, service: &mut Value) {
    if !has_node_ports(service) {
        return;
    }
    let old = list(live, &["spec", "ports"]);
    let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec")) else { return };
    spec.each("ports", |port| {
        let same =
            |old: &&Value| old.get("port") == port.get("port") && old.get("protocol") == port.get("protocol");
        if let Some(number) =
            old.iter().find(same).and_then(|old| old.get("nodePort")).and_then(Value::as_i64)
        {
            port.fill_zero("nodePort", number);
        }
    });
}

fn give(
    store: &Store,
    allocator: &Allocator,
    info: &ResourceInfo,
    service: &mut Value,
) -> Result<(), Status> {
    let refuse = |service: &Value, cause: Cause| Err(Status::invalid(info, meta::name(service), vec![cause]));
    let me = (meta::namespace(service).to_owned(), meta::name(service).to_owned());
    let others = others(store, &me);
    if has_address(service) {
        if let Err(cause) = give_address(&others, allocator, service) {
            return refuse(service, cause);
        }
    } else if let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec")) {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec.remove(field);
        }
    }
    if has_node_ports(service) {
        if let Err(cause) = give_node_ports(&others, allocator, service) {
            return refuse(service, cause);
        }
    } else if let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec")) {
        spec.each("ports", |port| {
            port.remove("nodePort");
        });
    }
    Ok(())
}

fn others(store: &Store, me: &(String, String)) -> Vec<std::sync::Arc<Record>> {
    let query = Query { resource: "/services", ..Query::default() };
    let is_other =
        |record: &Record| (&*record.key.namespace, &*record.key.name) != (me.0.as_str(), me.1.as_str());
    store.list(&query, &is_other).map(|page| page.records).unwrap_or_default()
}

fn give_address(
    others: &[std::sync::Arc<Record>],
    allocator: &Allocator,
    service: &mut Value,
) -> Result<(), Cause> {
    let taken: BTreeSet<Ipv4Addr> =
        others.iter().filter_map(|record| record.tags.field("spec.clusterIP")?.parse().ok()).collect();
    let named = text(service, &["spec", "clusterIP"]).to_owned();
    let address = match named.as_str() {
        "" => {
            let full =
                || Cause::invalid("spec.clusterIPs", &json!([]), "failed to allocate IP: range is full");
            allocator.address(&taken).ok_or_else(full)?.to_string()
        }
        "None" => named,
        _ => check_named(named, &taken)?,
    };
    let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec")) else { return Ok(()) };
    spec.put("clusterIPs", json!([address]));
    spec.put("clusterIP", address);
    spec.fill("ipFamilies", json!(["IPv4"]));
    spec.fill("ipFamilyPolicy", "SingleStack");
    Ok(())
}

fn check_named(named: String, taken: &BTreeSet<Ipv4Addr>) -> Result<String, Cause> {
    let refused = |why: &str| {
        let why = format!("failed to allocate IP {named}: {why}");
        Err(Cause::invalid("spec.clusterIPs", &json!([named]), &why))
    };
    // What is no address at all is for validation to say.
    let Ok(address) = named.parse::<Ipv4Addr>() else { return Ok(named) };
    if !address::is_in_range(address) {
        return refused("the provided network does not contain the provided IP");
    }
    if taken.contains(&address) {
        return refused("provided IP is already allocated");
    }
    Ok(named)
}

fn give_node_ports(
    others: &[std::sync::Arc<Record>],
    allocator: &Allocator,
    service: &mut Value,
) -> Result<(), Cause> {
    let of = |service: &Value| -> Vec<u32> {
        let ports = list(service, &["spec", "ports"]).iter();
        ports.filter_map(|port| number(port, &["nodePort"])).filter_map(|port| port.try_into().ok()).collect()
    };
    let mut taken: BTreeSet<u32> = others
        .iter()
        .filter(|record| matches!(record.tags.field("spec.type"), Some("NodePort" | "LoadBalancer")))
        .flat_map(|record| of(&encode::decode(&record.value)))
        .collect();
    for (index, port) in of(service).into_iter().enumerate() {
        let field = format!("spec.ports[{index}].nodePort");
        if !address::is_node_port(port) {
            let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            return Err(Cause::invalid(field, &json!(port), why));
        }
        if !taken.insert(port) {
            return Err(Cause::invalid(field, &json!(port), "provided port is already allocated"));
        }
    }
    let Some(spec) = service.as_object_mut().and_then(|fields| fields.child("spec")) else { return Ok(()) };
    let mut full = false;
    spec.each("ports", |port: &mut Fields| {
        if port.get("nodePort").and_then(Value::as_i64).unwrap_or(0) == 0 {
            match allocator.port(&taken) {
                Some(number) => port.put("nodePort", number),
                None => full = true,
            }
        }
    });
    if full {
        return Err(Cause::invalid("spec.ports", &json!([]), "failed to allocate a nodePort: range is full"));
    }
    Ok(())
}
