//! A node group of either kind, with eksctl's defaults applied and checked.
//!
//! SPEC: eksctl v1alpha5 defaults and validation: two machines of m5.large without a word,
//! `minSize` from `desiredCapacity` and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_catalogue as catalogue;
use mainstay_kinds::ClusterConfig;
use mainstay_kinds::cluster_config::{InstancesDistribution, ManagedNodeGroup, NodeGroup, Taint};
use mainstay_kinds::node_claim::{CLUSTER_LABEL, NODE_GROUP_LABEL};

use crate::Problem;

mod check;

const DEFAULT_INSTANCE_TYPE: &str = "m5.large";
const DEFAULT_NODES: u32 = 2;
const DEFAULT_VOLUME_GIB: u32 = 80;
/// How many of the region's zones a cluster uses that names none.
const DEFAULT_ZONES: usize = 3;
/// How many pools `lowest-price` uses when it is not told.
const DEFAULT_SPOT_POOLS: u32 = 2;

/// A node group whose machines can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether EKS manages its machines.
    pub is_managed: bool,
    /// How many machines it shall have.
    pub desired: u32,
    /// The types of its machines, all in the catalogue: on demand takes the first.
    pub instance_types: Vec<String>,
    /// Which machines are bought on the spot market.
    pub spot: Spot,
    /// Their zones, in turn.
    pub zones: Vec<String>,
    /// The group's own labels.
    pub labels: BTreeMap<String, String>,
    /// The label each machine carries for how it is paid for, with the values for on demand and spot.
    pub lifecycle_label: Option<(&'static str, [&'static str; 2])>,
    /// Taints of the Nodes.
    pub taints: Vec<Taint>,
    /// Root volume, GiB.
    pub volume_gib: u32,
    /// Pods on each Node at most.
    pub max_pods: Option<u32>,
}

/// Which machines of a group are bought on the spot market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The first so many at the list price.
    pub on_demand_base: u32,
    /// Of the others, this percentage too.
    pub on_demand_percentage: u32,
    /// From how many of the cheapest pools of a zone the rest comes.
    pub pools: u32,
}

impl Spot {
    const NEVER: Self = Self { on_demand_base: 0, on_demand_percentage: 100, pools: DEFAULT_SPOT_POOLS };
    const ALWAYS: Self = Self { on_demand_base: 0, on_demand_percentage: 0, pools: u32::MAX };
}

/// The groups of a config whose machines can be made, and what is wrong with the others.
pub fn groups(config: &ClusterConfig) -> (Vec<Group>, Vec<Problem>) {
    let region = catalogue::region(&config.metadata.region);
    let mut seen = BTreeSet::new();
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    let self_managed = config.node_groups.iter().map(|group| Written::of(config, group));
    let managed = config.managed_node_groups.iter().map(|group| Written::of_managed(config, group));
    for written in self_managed.chain(managed) {
        let mut wrong = written.check(&region);
        if !seen.insert(written.name.clone()) {
            wrong.push(Problem::of(&written.name, "DuplicateNodeGroup", "another group has the same name"));
        }
        if wrong.is_empty() {
            good.push(written.group(&region));
        } else {
            problems.append(&mut wrong);
        }
    }
    (good, problems)
}

/// A group as written, whichever list it stands in.
struct Written<'a> {
    name: String,
    is_managed: bool,
    ami_family: &'a str,
    desired: Option<u32>,
    min: Option<u32>,
    max: Option<u32>,
    types: Vec<String>,
    distribution: Option<&'a InstancesDistribution>,
    spot: Spot,
    zones: &'a [String],
    labels: &'a BTreeMap<String, String>,
    taints: &'a [Taint],
    volume_gib: Option<u32>,
    max_pods: Option<u32>,
    selects_types: bool,
    cluster: &'a str,
}

impl<'a> Written<'a> {
    fn of(config: &'a ClusterConfig, group: &'a NodeGroup) -> Self {
        let distribution = group.instances_distribution.as_ref();
        let own_type = group.instance_type.as_deref().filter(|name| *name != "mixed");
        let types = match (distribution, own_type) {
            (Some(distribution), _) => distribution.instance_types.clone(),
            (None, own) => vec![own.unwrap_or(DEFAULT_INSTANCE_TYPE).to_owned()],
        };
        let spot = distribution.map_or(Spot::NEVER, |distribution| Spot {
            on_demand_base: distribution.on_demand_base_capacity.unwrap_or(0),
            on_demand_percentage: distribution.on_demand_percentage_above_base_capacity.unwrap_or(100),
            pools: distribution.spot_instance_pools.unwrap_or(DEFAULT_SPOT_POOLS),
        });
        Self {
            name: group.name.clone(),
            is_managed: false,
            ami_family: group.ami_family.as_ref().and_then(|value| value.as_str()).unwrap_or_default(),
            desired: group.desired_capacity,
            min: group.min_size,
            max: group.max_size,
            types,
            distribution,
            spot,
            zones: zones(config, &group.availability_zones),
            labels: &group.labels,
            taints: &group.taints,
            volume_gib: group.volume_size,
            max_pods: group.max_pods_per_node,
            selects_types: group.instance_selector.is_some() && own_type.is_none() && distribution.is_none(),
            cluster: &config.metadata.name,
        }
    }

    fn of_managed(config: &'a ClusterConfig, group: &'a ManagedNodeGroup) -> Self {
        let types = match (&group.instance_type, group.instance_types.is_empty()) {
            (Some(own), _) => vec![own.clone()],
            (None, false) => group.instance_types.clone(),
            (None, true) => vec![DEFAULT_INSTANCE_TYPE.to_owned()],
        };
        Self {
            name: group.name.clone(),
            is_managed: true,
            ami_family: group.ami_family.as_ref().and_then(|value| value.as_str()).unwrap_or_default(),
            desired: group.desired_capacity,
            min: group.min_size,
            max: group.max_size,
            types,
            distribution: None,
            spot: if group.spot == Some(true) { Spot::ALWAYS } else { Spot::NEVER },
            zones: zones(config, &group.availability_zones),
            labels: &group.labels,
            taints: &group.taints,
            volume_gib: group.volume_size,
            max_pods: group.max_pods_per_node,
            selects_types: group.instance_selector.is_some()
                && group.instance_type.is_none()
                && group.instance_types.is_empty(),
            cluster: &config.metadata.name,
        }
    }

    /// The fewest, the wanted and the most machines, with eksctl's defaults.
    fn sizes(&self) -> (u32, u32, u32) {
        let min = self.min.or(self.desired).unwrap_or(DEFAULT_NODES);
        let desired = self.desired.unwrap_or(min);
        let max = self.max.unwrap_or_else(|| desired.max(min).max(1));
        (min, desired, max)
    }

    fn group(self, region: &catalogue::Region) -> Group {
        let (_, desired, _) = self.sizes();
        let zones = if self.zones.is_empty() {
            region.zones.iter().take(DEFAULT_ZONES).cloned().collect()
        } else {
            self.zones.to_vec()
        };
        let mut labels = self.labels.clone();
        labels.insert(CLUSTER_LABEL.to_owned(), self.cluster.to_owned());
        labels.insert(NODE_GROUP_LABEL.to_owned(), self.name.clone());
        if self.is_managed {
            labels.insert("eks.amazonaws.com/nodegroup".to_owned(), self.name.clone());
        }
        Group {
            desired,
            lifecycle_label: lifecycle_label(self.is_managed, self.ami_family),
            zones,
            labels,
            name: self.name,
            is_managed: self.is_managed,
            instance_types: self.types,
            spot: self.spot,
            taints: self.taints.to_vec(),
            volume_gib: self.volume_gib.unwrap_or(DEFAULT_VOLUME_GIB),
            max_pods: self.max_pods,
        }
    }
}

/// EKS labels the machines it manages; of the others, eksctl's boot script for Amazon Linux 2 does,
/// and the one for its successor does not.
fn lifecycle_label(is_managed: bool, ami_family: &str) -> Option<(&'static str, [&'static str; 2])> {
    match (is_managed, ami_family) {
        (true, _) => Some(("eks.amazonaws.com/capacityType", ["ON_DEMAND", "SPOT"])),
        (false, "AmazonLinux2") => Some(("node-lifecycle", ["on-demand", "spot"])),
        (false, _) => None,
    }
}

/// The zones a group names, or those its cluster names.
fn zones<'a>(config: &'a ClusterConfig, own: &'a [String]) -> &'a [String] {
    if own.is_empty() { &config.availability_zones } else { own }
}

/// A group's name as it stands in names of claims.
pub(crate) fn claim_prefix(group: &str) -> String {
    group.to_ascii_lowercase().replace('_', "-")
}
