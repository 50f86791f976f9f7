//! The decision: which NodeClaims to create and which to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Taint;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use mainstay_kinds::cluster_config::NodeGroupStatus;
use mainstay_kinds::node_claim::{
    CLUSTER_LABEL, CapacityType, EMBEDDED, NODE_GROUP_LABEL, NodeClaim, NodeClaimSpec, ORDINAL_LABEL, READY,
};
use mainstay_kinds::{ClusterConfig, condition};

use crate::group::claim_prefix;
use crate::{Group, Placement, Problem, groups, place};

/// What is to be done, and what is to be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Claims to create, group by group in the order of the file, by ordinal.
    pub create: Vec<NodeClaim>,
    /// Claims to delete: of groups that are gone, and above a group's size.
    pub delete: Vec<String>,
    /// Each group's machines as they are now.
    pub groups: Vec<NodeGroupStatus>,
    /// What keeps machines from being made.
    pub problems: Vec<Problem>,
    /// Claims whose machine is not what the file asks for by now; they are left alone.
    pub drifted: Vec<String>,
}

/// Compares the machines `config` asks for with the claims there are. `owner` is the stored config;
/// `claims` are all claims, the owner's and others'.
pub fn plan(config: &ClusterConfig, owner: &OwnerReference, claims: &[Arc<NodeClaim>]) -> Plan {
    let by_name: BTreeMap<&str, &NodeClaim> =
        claims.iter().filter_map(|claim| Some((claim.metadata.name.as_deref()?, claim.as_ref()))).collect();
    let (groups, problems) = groups(config);
    let mut plan = Plan { problems, ..Plan::default() };
    let mut wanted = BTreeSet::new();
    for group in &groups {
        for (ordinal, placement) in place(group, &config.metadata.region).into_iter().enumerate() {
            let claim = claim(config, owner, group, ordinal, placement);
            plan.want(&claim, by_name.get(name_of(&claim)).copied(), owner);
            wanted.insert(name_of(&claim).to_owned());
        }
    }
    // A group that is wrong now keeps the machines it has.
    let wrong: BTreeSet<&str> = plan.problems.iter().map(|problem| problem.group.as_str()).collect();
    let own = by_name.values().filter(|claim| is_owned(claim, owner));
    plan.delete = own
        .filter(|claim| claim.metadata.deletion_timestamp.is_none())
        .filter(|claim| !wanted.contains(name_of(claim)) && !wrong.contains(claim.spec.node_group.as_str()))
        .map(|claim| name_of(claim).to_owned())
        .collect();
    plan.groups = counted(config, &groups, owner, &by_name);
    plan
}

impl Plan {
    /// Compares one wanted claim with the one that has its name.
    fn want(&mut self, wanted: &NodeClaim, known: Option<&NodeClaim>, owner: &OwnerReference) {
        match known {
            None => self.create.push(wanted.clone()),
            Some(known) if !is_owned(known, owner) => self.problems.push(Problem::of(
                &wanted.spec.node_group,
                "NameTaken",
                format!("the NodeClaim {} belongs to somebody else", name_of(wanted)),
            )),
            Some(known) if known.spec != wanted.spec => self.drifted.push(name_of(wanted).to_owned()),
            Some(_) => {}
        }
    }
}

/// The claim of one machine.
fn claim(
    config: &ClusterConfig,
    owner: &OwnerReference,
    group: &Group,
    ordinal: usize,
    placement: Placement,
) -> NodeClaim {
    let cluster = &config.metadata.name;
    let mut labels = group.labels.clone();
    if let Some((key, [on_demand, spot])) = group.lifecycle_label {
        let value = if placement.capacity_type == CapacityType::Spot { spot } else { on_demand };
        labels.insert(key.to_owned(), value.to_owned());
    }
    let spec = NodeClaimSpec {
        provider: EMBEDDED.to_owned(),
        cluster: cluster.clone(),
        node_group: group.name.clone(),
        region: config.metadata.region.clone(),
        zone: placement.zone,
        instance_type: placement.instance_type,
        capacity_type: placement.capacity_type,
        labels,
        taints: group.taints.iter().map(taint).collect(),
        max_pods: group.max_pods,
        volume_size_gi: group.volume_gib,
        kubernetes_version: config.metadata.version.clone(),
    };
    let mut claim = NodeClaim::new("", spec);
    claim.metadata = ObjectMeta {
        name: Some(format!("{cluster}-{}-{ordinal}", claim_prefix(&group.name))),
        labels: Some(BTreeMap::from([
            (CLUSTER_LABEL.to_owned(), cluster.clone()),
            (NODE_GROUP_LABEL.to_owned(), group.name.clone()),
            (ORDINAL_LABEL.to_owned(), ordinal.to_string()),
        ])),
        owner_references: Some(vec![owner.clone()]),
        ..ObjectMeta::default()
    };
    claim
}

fn taint(taint: &mainstay_kinds::cluster_config::Taint) -> Taint {
    Taint {
        key: taint.key.clone(),
        value: (!taint.value.is_empty()).then(|| taint.value.clone()),
        effect: taint.effect.clone(),
        time_added: None,
    }
}

/// Every group of the file, with its machines as they are now.
fn counted(
    config: &ClusterConfig,
    groups: &[Group],
    owner: &OwnerReference,
    claims: &BTreeMap<&str, &NodeClaim>,
) -> Vec<NodeGroupStatus> {
    let self_managed = config.node_groups.iter().map(|group| &group.name);
    let managed = config.managed_node_groups.iter().map(|group| &group.name);
    let count = |name: &String| {
        let own: Vec<_> = claims
            .values()
            .filter(|claim| claim.spec.node_group == *name && is_owned(claim, owner))
            .filter(|claim| claim.metadata.deletion_timestamp.is_none())
            .collect();
        let ready = own.iter().filter(|claim| is_ready(claim)).count();
        NodeGroupStatus {
            name: name.clone(),
            desired: groups.iter().find(|group| group.name == *name).map_or(0, |group| group.desired),
            claims: u32::try_from(own.len()).unwrap_or(u32::MAX),
            ready: u32::try_from(ready).unwrap_or(u32::MAX),
        }
    };
    self_managed.chain(managed).map(count).collect()
}

fn is_ready(claim: &NodeClaim) -> bool {
    claim.status.as_ref().is_some_and(|status| condition::holds(&status.conditions, READY))
}

fn is_owned(claim: &NodeClaim, owner: &OwnerReference) -> bool {
    claim.metadata.owner_references.iter().flatten().any(|own| own.uid == owner.uid)
}

fn name_of(claim: &NodeClaim) -> &str {
    claim.metadata.name.as_deref().unwrap_or_default()
}
