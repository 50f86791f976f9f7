//! ClusterConfig: eksctl's description of a cluster.
//!
//! The fields are those of eksctl's published schema. What Mainstay acts on has a type; the rest is
//! kept as written. Unknown fields are errors.
//!
//! SPEC: eksctl.io/v1alpha5, schema of 2026-08.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod groups;
mod kept;
mod object;
mod status;
mod stored;
mod taints;

use kept::with_kept;

pub use groups::{InstancesDistribution, ManagedNodeGroup, NodeGroup, NodeGroupIam};
pub use object::StoredClusterConfig;
pub use status::{ClusterConfigStatus, NodeGroupStatus};
pub use stored::{
    META_ANNOTATION, REGION_ANNOTATION, StoredError, VERSION_ANNOTATION, from_stored, to_stored,
};
pub use taints::Taint;

/// The API version of [`ClusterConfig`].
pub const API_VERSION: &str = "eksctl.io/v1alpha5";
/// The kind of [`ClusterConfig`].
pub const KIND: &str = "ClusterConfig";

with_kept! {
    /// One cluster with its node groups.
    pub struct ClusterConfig {
        /// Always [`API_VERSION`].
        pub api_version: String,
        /// Always [`KIND`].
        pub kind: String,
        /// Name, region and version.
        pub metadata: ClusterMeta,
        /// The network.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub vpc: Option<ClusterVpc>,
        /// Zones of every group that names none; without, the region's first three.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub availability_zones: Vec<String>,
        /// Groups of machines the user manages.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub node_groups: Vec<NodeGroup>,
        /// Groups of machines EKS manages.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub managed_node_groups: Vec<ManagedNodeGroup>,
        /// Software EKS installs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub addons: Vec<Addon>,
        /// Logs of the control plane.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cloud_watch: Option<CloudWatch>,
    }
    kept {
        access_config = "accessConfig",
        addons_config = "addonsConfig",
        auto_mode_config = "autoModeConfig",
        capabilities = "capabilities",
        control_plane_scaling_config = "controlPlaneScalingConfig",
        fargate_profiles = "fargateProfiles",
        gitops = "gitops",
        iam = "iam",
        iam_identity_mappings = "iamIdentityMappings",
        identity_providers = "identityProviders",
        karpenter = "karpenter",
        kube_api_server_config = "kubeAPIServerConfig",
        kube_controller_manager_config = "kubeControllerManagerConfig",
        kube_scheduler_config = "kubeSchedulerConfig",
        kubernetes_network_config = "kubernetesNetworkConfig",
        local_zones = "localZones",
        outpost = "outpost",
        private_cluster = "privateCluster",
        remote_network_config = "remoteNetworkConfig",
        secrets_encryption = "secretsEncryption",
        upgrade_policy = "upgradePolicy",
        zonal_shift_config = "zonalShiftConfig",
    }
}

with_kept! {
    /// What identifies a cluster; not Kubernetes' ObjectMeta.
    pub struct ClusterMeta {
        /// The cluster's name.
        pub name: String,
        /// The cloud region it is in.
        pub region: String,
        /// The Kubernetes version, `major.minor`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<String>,
        /// Tags on everything the cluster is made of.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub tags: BTreeMap<String, String>,
        /// Free text about the cluster.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub annotations: BTreeMap<String, String>,
    }
    kept { force_update_version = "forceUpdateVersion", rollback_config = "rollbackConfig" }
}

with_kept! {
    /// The network of a cluster.
    pub struct ClusterVpc {
        /// An existing VPC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
        /// Its address range.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cidr: Option<String>,
    }
    kept {
        auto_allocate_ipv6 = "autoAllocateIPv6",
        cluster_endpoints = "clusterEndpoints",
        control_plane_egress_mode = "controlPlaneEgressMode",
        control_plane_on_private_subnets = "controlPlaneOnPrivateSubnets",
        control_plane_security_group_ids = "controlPlaneSecurityGroupIDs",
        control_plane_subnet_ids = "controlPlaneSubnetIDs",
        extra_cidrs = "extraCIDRs",
        extra_ipv6_cidrs = "extraIPv6CIDRs",
        hostname_type = "hostnameType",
        ipv6_cidr = "ipv6Cidr",
        ipv6_pool = "ipv6Pool",
        manage_shared_node_security_group_rules = "manageSharedNodeSecurityGroupRules",
        nat = "nat",
        public_access_cidrs = "publicAccessCIDRs",
        security_group = "securityGroup",
        shared_node_security_group = "sharedNodeSecurityGroup",
        subnets = "subnets",
    }
}

with_kept! {
    /// Software EKS installs into the cluster.
    pub struct Addon {
        /// Its name in EKS's catalogue.
        pub name: String,
        /// Its version, or `latest`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<String>,
    }
    kept {
        attach_policy = "attachPolicy",
        attach_policy_arns = "attachPolicyARNs",
        configuration_values = "configurationValues",
        namespace_config = "namespaceConfig",
        owners = "owners",
        permissions_boundary = "permissionsBoundary",
        pod_identity_associations = "podIdentityAssociations",
        publishers = "publishers",
        resolve_conflicts = "resolveConflicts",
        service_account_role_arn = "serviceAccountRoleARN",
        tags = "tags",
        types = "types",
        use_default_pod_identity_associations = "useDefaultPodIdentityAssociations",
        well_known_policies = "wellKnownPolicies",
    }
}

/// Where logs of the control plane go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudWatch {
    /// Which logs, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_logging: Option<ClusterLogging>,
}

/// Which logs of the control plane are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterLogging {
    /// `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enable_types: Vec<String>,
    /// For how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_retention_in_days: Option<u32>,
}

#[cfg(test)]
mod tests;
