//! Instance types, and what of each pods can have.
//!
//! Memory an instance shows is less than its type's: the hypervisor keeps some, counted as 7.5 %
//! as Karpenter does. Of the rest the kubelet keeps what EKS's images configure (`kubeReserved`)
//! and the eviction threshold.
//!
//! SPEC: Karpenter's provider for AWS (`instancetype/types.go`), EKS's bootstrap.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::table::{Table, number};

pub(crate) static TABLE: Table = Table(include_str!("../data/instance_types.csv"));

static TYPES: LazyLock<BTreeMap<&'static str, InstanceType>> = LazyLock::new(|| {
    TABLE
        .rows()
        .map(InstanceType::from_row)
        .map(|instance_type| (instance_type.name, instance_type))
        .collect()
});

/// A type of machine one can order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// Its name, `c5.2xlarge`.
    pub name: &'static str,
    /// Its processors.
    pub vcpu: u32,
    /// Its memory as advertised.
    pub memory_mib: u32,
    /// How many network interfaces it takes.
    pub interfaces: u32,
    /// How many IPv4 addresses each of them takes.
    pub addresses_per_interface: u32,
    /// `amd64` or `arm64`.
    pub architecture: &'static str,
    /// `nitro` or `xen`.
    pub hypervisor: &'static str,
}

/// What a machine has, or what of it pods can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocatable {
    /// Thousandths of a processor.
    pub cpu_milli: u32,
    /// Memory.
    pub memory_mib: u32,
    /// Room on the root volume, bytes.
    pub storage_bytes: u64,
    /// Pods.
    pub pods: u32,
}

/// The type of this name.
pub fn instance_type(name: &str) -> Option<&'static InstanceType> {
    TYPES.get(name)
}

/// All types, by name.
pub fn instance_types() -> impl Iterator<Item = &'static InstanceType> {
    TYPES.values()
}

const GIB: u64 = 1024 * 1024 * 1024;

impl InstanceType {
    fn from_row(row: [&'static str; 7]) -> Self {
        let [name, vcpu, memory_mib, interfaces, addresses, architecture, hypervisor] = row;
        Self {
            name,
            vcpu: number(vcpu),
            memory_mib: number(memory_mib),
            interfaces: number(interfaces),
            addresses_per_interface: number(addresses),
            architecture,
            hypervisor,
        }
    }

    /// How many pods its addresses are enough for: one address of each interface is the machine's,
    /// and two pods use the machine's network.
    pub fn max_pods(&self) -> u32 {
        self.interfaces * (self.addresses_per_interface - 1) + 2
    }

    /// The family, `c5`.
    pub fn family(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(family, _)| family)
    }

    /// The size, `2xlarge`.
    pub fn size(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(_, size)| size)
    }

    /// What its operating system sees, with a root volume of `volume_gib`.
    pub fn capacity(&self, max_pods: Option<u32>, volume_gib: u32) -> Allocatable {
        let overhead = (u64::from(self.memory_mib) * 75).div_ceil(1000);
        Allocatable {
            cpu_milli: self.vcpu * 1000,
            memory_mib: self.memory_mib - u32::try_from(overhead).expect("invariant: 7.5 % of a u32"),
            storage_bytes: u64::from(volume_gib) * GIB,
            pods: max_pods.unwrap_or_else(|| self.max_pods()),
        }
    }

    /// What pods can have of that.
    pub fn allocatable(&self, max_pods: Option<u32>, volume_gib: u32) -> Allocatable {
        let capacity = self.capacity(max_pods, volume_gib);
        // What the kubelet keeps is counted by the type's own number of pods, or the configured one.
        let reserved_mib = 255 + 11 * capacity.pods + EVICTION_MIB;
        Allocatable {
            cpu_milli: capacity.cpu_milli - reserved_cpu_milli(self.vcpu),
            memory_mib: capacity.memory_mib.saturating_sub(reserved_mib),
            storage_bytes: (capacity.storage_bytes - capacity.storage_bytes.div_ceil(10)).saturating_sub(GIB),
            pods: capacity.pods,
        }
    }
}

/// `evictionHard: memory.available`.
const EVICTION_MIB: u32 = 100;

/// 6 % of the first processor, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
fn reserved_cpu_milli(vcpu: u32) -> u32 {
    let hundredths_of_milli = [(1, 6000), (1, 1000), (2, 500), (u32::MAX, 250)];
    let mut left = vcpu;
    let mut sum = 0;
    for (processors, each) in hundredths_of_milli {
        let of_this_range = left.min(processors);
        sum += of_this_range * each;
        left -= of_this_range;
    }
    sum / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pods_can_have_is_what_eks_gives_them() {
        for (name, pods, cpu_milli, memory_mib) in [
            ("c5.2xlarge", 58, 7910, 14162),
            ("c5.4xlarge", 234, 15890, 27381),
            ("r5.4xlarge", 234, 15890, 118_312),
            ("t3.large", 35, 1930, 6837),
            ("t3a.large", 35, 1930, 6837),
            ("t3.xlarge", 58, 3920, 14162),
            ("t3a.xlarge", 58, 3920, 14162),
        ] {
            let allocatable = instance_type(name).unwrap().allocatable(None, 80);
            assert_eq!(
                (allocatable.pods, allocatable.cpu_milli, allocatable.memory_mib),
                (pods, cpu_milli, memory_mib),
                "{name}"
            );
        }
    }

    #[test]
    fn a_configured_number_of_pods_changes_what_the_kubelet_keeps() {
        let instance_type = instance_type("c5.4xlarge").unwrap();
        let allocatable = instance_type.allocatable(Some(110), 80);
        assert_eq!((allocatable.pods, allocatable.memory_mib), (110, 27381 + 11 * (234 - 110)));
    }

    #[test]
    fn a_root_volume_loses_a_tenth_and_one_gib() {
        let bytes = instance_type("t3.large").unwrap().allocatable(None, 80).storage_bytes;
        assert_eq!(bytes, 71 * GIB);
    }

    #[test]
    fn every_type_leaves_pods_something() {
        assert_eq!(instance_types().count(), 65);
        for instance_type in instance_types() {
            let allocatable = instance_type.allocatable(None, 80);
            assert!(allocatable.memory_mib > 50 && allocatable.cpu_milli > 1900, "{instance_type:?}");
            assert!(!instance_type.family().is_empty() && !instance_type.size().is_empty());
        }
        assert_eq!(instance_type("c5.3xlarge"), None);
    }
}
