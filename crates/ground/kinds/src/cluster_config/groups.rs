//! Node groups: how many machines of which types, and what their Nodes carry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kept::with_kept;
use super::taints::{Taint, list_or_map};

with_kept! {
    /// A group of machines the user manages (an auto scaling group of one's own).
    pub struct NodeGroup {
        /// Its name, unique in the cluster.
        pub name: String,
        /// The type of its machines; `mixed` or nothing beside `instancesDistribution`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub instance_type: Option<String>,
        /// Several types, and how many are bought on the spot market.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub instances_distribution: Option<InstancesDistribution>,
        /// How many machines it starts with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub desired_capacity: Option<u32>,
        /// The fewest it may have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub min_size: Option<u32>,
        /// The most it may have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_size: Option<u32>,
        /// The zones of its machines, in turn.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub availability_zones: Vec<String>,
        /// Labels of its Nodes.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels: BTreeMap<String, String>,
        /// Taints of its Nodes: a list, or a map of `key: value:Effect`.
        #[serde(default, deserialize_with = "list_or_map", skip_serializing_if = "Vec::is_empty")]
        pub taints: Vec<Taint>,
        /// Root volume, GiB; 80 without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub volume_size: Option<u32>,
        /// Root volume, kind of disk; `gp3` without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub volume_type: Option<String>,
        /// Pods on each Node at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_pods_per_node: Option<u32>,
        /// Whether the machines have no public address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub private_networking: Option<bool>,
        /// What its machines may do at the cloud's API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub iam: Option<NodeGroupIam>,
    }
    kept {
        additional_volumes = "additionalVolumes",
        ami = "ami",
        ami_family = "amiFamily",
        asg_metrics_collection = "asgMetricsCollection",
        asg_suspend_processes = "asgSuspendProcesses",
        bottlerocket = "bottlerocket",
        capacity_reservation = "capacityReservation",
        classic_load_balancer_names = "classicLoadBalancerNames",
        cluster_dns = "clusterDNS",
        container_runtime = "containerRuntime",
        cpu_credits = "cpuCredits",
        disable_imds_v1 = "disableIMDSv1",
        disable_pod_imds = "disablePodIMDS",
        ebs_optimized = "ebsOptimized",
        efa_enabled = "efaEnabled",
        enable_detailed_monitoring = "enableDetailedMonitoring",
        enclave_enabled = "enclaveEnabled",
        instance_market_options = "instanceMarketOptions",
        instance_name = "instanceName",
        instance_prefix = "instancePrefix",
        instance_selector = "instanceSelector",
        kubelet_extra_config = "kubeletExtraConfig",
        local_zones = "localZones",
        max_instance_lifetime = "maxInstanceLifetime",
        outpost_arn = "outpostARN",
        override_bootstrap_command = "overrideBootstrapCommand",
        placement = "placement",
        pre_bootstrap_commands = "preBootstrapCommands",
        propagate_asg_tags = "propagateASGTags",
        security_groups = "securityGroups",
        ssh = "ssh",
        subnets = "subnets",
        tags = "tags",
        target_group_arns = "targetGroupARNs",
        update_config = "updateConfig",
        volume_encrypted = "volumeEncrypted",
        volume_iops = "volumeIOPS",
        volume_kms_key_id = "volumeKmsKeyID",
        volume_name = "volumeName",
        volume_throughput = "volumeThroughput",
    }
}

with_kept! {
    /// A group of machines EKS manages.
    pub struct ManagedNodeGroup {
        /// Its name, unique in the cluster.
        pub name: String,
        /// The type of its machines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub instance_type: Option<String>,
        /// Several types, instead of one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub instance_types: Vec<String>,
        /// Whether its machines are bought on the spot market.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub spot: Option<bool>,
        /// How many machines it starts with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub desired_capacity: Option<u32>,
        /// The fewest it may have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub min_size: Option<u32>,
        /// The most it may have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_size: Option<u32>,
        /// The zones of its machines, in turn.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub availability_zones: Vec<String>,
        /// Labels of its Nodes.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels: BTreeMap<String, String>,
        /// Taints of its Nodes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub taints: Vec<Taint>,
        /// Root volume, GiB; 80 without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub volume_size: Option<u32>,
        /// Root volume, kind of disk; `gp3` without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub volume_type: Option<String>,
        /// Pods on each Node at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_pods_per_node: Option<u32>,
        /// Whether the machines have no public address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub private_networking: Option<bool>,
        /// What its machines may do at the cloud's API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub iam: Option<NodeGroupIam>,
    }
    kept {
        additional_volumes = "additionalVolumes",
        ami = "ami",
        ami_family = "amiFamily",
        asg_suspend_processes = "asgSuspendProcesses",
        bottlerocket = "bottlerocket",
        capacity_reservation = "capacityReservation",
        disable_imds_v1 = "disableIMDSv1",
        disable_pod_imds = "disablePodIMDS",
        ebs_optimized = "ebsOptimized",
        efa_enabled = "efaEnabled",
        enable_detailed_monitoring = "enableDetailedMonitoring",
        instance_market_options = "instanceMarketOptions",
        instance_name = "instanceName",
        instance_prefix = "instancePrefix",
        instance_selector = "instanceSelector",
        launch_template = "launchTemplate",
        node_repair_config = "nodeRepairConfig",
        outpost_arn = "outpostARN",
        override_bootstrap_command = "overrideBootstrapCommand",
        placement = "placement",
        pre_bootstrap_commands = "preBootstrapCommands",
        propagate_asg_tags = "propagateASGTags",
        release_version = "releaseVersion",
        security_groups = "securityGroups",
        ssh = "ssh",
        subnets = "subnets",
        tags = "tags",
        update_config = "updateConfig",
        volume_encrypted = "volumeEncrypted",
        volume_iops = "volumeIOPS",
        volume_kms_key_id = "volumeKmsKeyID",
        volume_name = "volumeName",
        volume_throughput = "volumeThroughput",
    }
}

/// Several instance types in one group, and how many machines are bought on the spot market.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstancesDistribution {
    /// The types, in order of preference.
    pub instance_types: Vec<String>,
    /// The highest price per hour that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<f64>,
    /// This many machines at the list price first; 0 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand_base_capacity: Option<u32>,
    /// Of the machines above that, this percentage at the list price; 100 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand_percentage_above_base_capacity: Option<u32>,
    /// How many of the cheapest pools are used; chooses the strategy `lowest-price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot_instance_pools: Option<u32>,
    /// How spot pools are chosen; `lowest-price` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot_allocation_strategy: Option<String>,
    /// Whether machines at risk are replaced early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_rebalance: Option<bool>,
}

/// What the machines of a group may do at the cloud's API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupIam {
    /// Policies by the name of the add-on that needs them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with_addon_policies: BTreeMap<String, bool>,
    /// Policies by ARN.
    #[serde(default, rename = "attachPolicyARNs", skip_serializing_if = "Vec::is_empty")]
    pub attach_policy_arns: Vec<String>,
    /// A policy in full, kept as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach_policy: Option<Value>,
    /// An existing instance profile.
    #[serde(default, rename = "instanceProfileARN", skip_serializing_if = "Option::is_none")]
    pub instance_profile_arn: Option<String>,
    /// An existing role.
    #[serde(default, rename = "instanceRoleARN", skip_serializing_if = "Option::is_none")]
    pub instance_role_arn: Option<String>,
    /// The name of the role to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_role_name: Option<String>,
    /// The boundary of the role to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_role_permissions_boundary: Option<String>,
}
