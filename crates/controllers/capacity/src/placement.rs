//! Where each machine of a group is, of which type, and how it is paid for.
//!
//! An auto scaling group balances over zones first, then takes, within a zone, spot machines from
//! its cheapest pools in turn. Each machine's placement depends on its ordinal alone.

use std::collections::BTreeMap;

use mainstay_catalogue as catalogue;
use mainstay_kinds::node_claim::CapacityType;

use crate::Group;

/// One machine's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Its availability zone.
    pub zone: String,
    /// Its instance type.
    pub instance_type: String,
    /// How it is paid for.
    pub capacity_type: CapacityType,
}

/// The places of all desired machines of a group, by ordinal.
pub fn place(group: &Group, region: &str) -> Vec<Placement> {
    let pools = cheapest(&group.instance_types, region, group.spot.pools);
    let mut spot_in_zone = BTreeMap::<&str, usize>::new();
    let zones = group.zones.iter().cycle();
    let of_ordinal = |(ordinal, zone): (u32, &'_ String)| {
        let is_on_demand = is_on_demand(group, ordinal);
        let instance_type = if is_on_demand { group.instance_types.first() } else { None };
        (zone.clone(), is_on_demand, instance_type.cloned())
    };
    let machines: Vec<_> = (0..group.desired).zip(zones).map(of_ordinal).collect();
    let mut placements = Vec::with_capacity(machines.len());
    for (zone, is_on_demand, instance_type) in &machines {
        let instance_type = instance_type.clone().unwrap_or_else(|| {
            let turn = spot_in_zone.entry(zone).or_default();
            *turn += 1;
            pools[(*turn - 1) % pools.len()].to_owned()
        });
        let capacity_type = if *is_on_demand { CapacityType::OnDemand } else { CapacityType::Spot };
        placements.push(Placement { zone: zone.clone(), instance_type, capacity_type });
    }
    placements
}

/// The on-demand machines above the base are rounded up, as auto scaling groups do.
fn is_on_demand(group: &Group, ordinal: u32) -> bool {
    let Some(above) = ordinal.checked_sub(group.spot.on_demand_base) else { return true };
    let until = |count: u32| (count * group.spot.on_demand_percentage).div_ceil(100);
    until(above + 1) > until(above)
}

/// The `count` cheapest types by price in the region (else in the oldest one), equal ones in the
/// order of the file. Spot prices follow the list price here.
fn cheapest<'a>(types: &'a [String], region: &str, count: u32) -> Vec<&'a str> {
    let price = |name: &str| {
        let price = catalogue::price(name, region).or_else(|| catalogue::price(name, "us-east-1"));
        price.map_or(f64::MAX, |price| price.usd_per_hour)
    };
    let mut sorted: Vec<&str> = types.iter().map(String::as_str).collect();
    sorted.sort_by(|a, b| price(a).total_cmp(&price(b)));
    sorted.truncate(usize::try_from(count).unwrap_or(usize::MAX).max(1));
    sorted
}
