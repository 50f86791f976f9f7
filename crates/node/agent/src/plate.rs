//! What identifies a machine: its name, addresses and identity at the cloud.
//!
//! **Invariants:** drawn from the claim's uid alone, so a claim gets the same plate whenever it is
//! drawn; where two claims would share something the later one moves on.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use mainstay_base::{Random, Seed};
use mainstay_catalogue::Region;

/// Machines have addresses in 10.0.0.0/16, of which each 256th block keeps its first four and last.
const HOSTS_PER_BLOCK: u64 = 250;
const HOSTS: u64 = 256 * HOSTS_PER_BLOCK;
/// Pods have addresses from 10.16.0.0 on, in blocks of 1024.
const POD_BLOCKS: u64 = 240 * 64;
const FIRST_POD_ADDRESS: u32 = 0x0a10_0000;
const POD_BLOCK: u32 = 1024;
/// A machine of no more pods than this gets 256 addresses of its block.
const SMALL_BLOCK_PODS: u32 = 250;

/// A machine's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plate {
    /// Its Node's name, `ip-10-0-4-27.ec2.internal`.
    pub(crate) node: String,
    /// Its own address.
    pub(crate) address: Ipv4Addr,
    /// The first address of its pods.
    pub(crate) pods: Ipv4Addr,
    /// How many bits of `pods` are the network's.
    pub(crate) pods_prefix: u8,
    /// `aws:///us-east-1a/i-…`.
    pub(crate) provider_id: String,
    /// 32 hexadecimal digits.
    pub(crate) machine_id: String,
    /// A UUID.
    pub(crate) boot_id: String,
}

/// What is taken.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) nodes: BTreeSet<String>,
    pub(crate) pod_networks: BTreeSet<Ipv4Addr>,
}

impl Taken {
    /// Takes the plate that is drawn beside what is taken.
    pub(crate) fn reserve(&mut self, draw: impl FnOnce(&Self) -> Plate) -> Plate {
        let plate = draw(self);
        self.take(&plate);
        plate
    }

    /// Takes what a plate has.
    pub(crate) fn take(&mut self, plate: &Plate) {
        self.nodes.insert(plate.node.clone());
        self.pod_networks.insert(plate.pods);
    }

    /// Gives back what a plate has.
    pub(crate) fn free(&mut self, plate: &Plate) {
        self.nodes.remove(&plate.node);
        self.pod_networks.remove(&plate.pods);
    }
}

/// The plate of the claim with this uid.
pub(crate) fn draw(uid: &str, region: &Region, zone: &str, max_pods: u32, taken: &Taken) -> Plate {
    let mut stream = Random::named(Seed(0), uid);
    let hosts = circle(stream.below(HOSTS), HOSTS).map(host);
    let mut named = hosts.map(|address| (name(address, &region.domain), address));
    let free = named.find(|(node, _)| !taken.nodes.contains(node));
    let (node, address) = free.expect("invariant: fewer machines than addresses");
    let mut blocks = circle(stream.below(POD_BLOCKS), POD_BLOCKS).map(pod_network);
    let pods = blocks.find(|first| !taken.pod_networks.contains(first));
    Plate {
        node,
        address,
        pods: pods.expect("invariant: fewer machines than networks"),
        pods_prefix: if max_pods <= SMALL_BLOCK_PODS { 24 } else { 22 },
        provider_id: format!("aws:///{zone}/i-0{}", hex(&mut stream, 16)),
        machine_id: format!("ec2{}", hex(&mut stream, 29)),
        boot_id: uuid(&mut stream),
    }
}

impl Plate {
    /// The network of its pods, `10.20.4.0/24`.
    pub(crate) fn pod_cidr(&self) -> String {
        format!("{}/{}", self.pods, self.pods_prefix)
    }

    /// How many addresses that is.
    pub(crate) fn pod_addresses(&self) -> u32 {
        1 << (32 - self.pods_prefix)
    }
}

/// All numbers below `size`, from `start` on.
fn circle(start: u64, size: u64) -> impl Iterator<Item = u64> {
    (start..size).chain(0..start)
}

fn host(index: u64) -> Ipv4Addr {
    let octet = |number: u64| u8::try_from(number).expect("invariant: within a block");
    Ipv4Addr::new(10, 0, octet(index / HOSTS_PER_BLOCK), octet(index % HOSTS_PER_BLOCK + 4))
}

fn pod_network(index: u64) -> Ipv4Addr {
    let index = u32::try_from(index).expect("invariant: a block's index");
    Ipv4Addr::from(FIRST_POD_ADDRESS + index * POD_BLOCK)
}

fn name(address: Ipv4Addr, domain: &str) -> String {
    let [a, b, c, d] = address.octets();
    format!("ip-{a}-{b}-{c}-{d}.{domain}")
}

pub(crate) fn hex(stream: &mut Random, digits: usize) -> String {
    let mut text = String::with_capacity(digits + 16);
    while text.len() < digits {
        write!(text, "{:016x}", stream.next_u64()).expect("invariant: writing to a String does not fail");
    }
    text.truncate(digits);
    text
}

fn uuid(stream: &mut Random) -> String {
    let digits = hex(stream, 32);
    let part = |range: std::ops::Range<usize>| &digits[range];
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(uid: &str, taken: &Taken) -> Plate {
        draw(uid, &mainstay_catalogue::region("us-east-1"), "us-east-1a", 58, taken)
    }

    #[test]
    fn a_claim_draws_the_same_plate_every_time_and_another_claim_another() {
        let first = plate("u1", &Taken::default());
        assert_eq!(first, plate("u1", &Taken::default()));
        let second = plate("u2", &Taken::default());
        assert_ne!((&first.node, first.pods), (&second.node, second.pods));
        assert!(
            first.node.starts_with("ip-10-0-") && first.node.ends_with(".ec2.internal"),
            "{}",
            first.node
        );
        assert!(first.provider_id.starts_with("aws:///us-east-1a/i-0"));
        assert_eq!(first.provider_id.rsplit('/').next().map(str::len), Some(19));
        assert_eq!(first.pod_cidr().split('/').nth(1), Some("24"));
    }

    #[test]
    fn names_and_networks_stay_unique_in_a_large_fleet() {
        let mut taken = Taken::default();
        for index in 0..2000 {
            let plate = plate(&format!("uid-{index}"), &taken);
            assert!(taken.nodes.insert(plate.node), "a name twice");
            assert!(taken.pod_networks.insert(plate.pods), "a network twice");
        }
    }

    #[test]
    fn a_machine_of_many_pods_has_addresses_for_all() {
        let region = mainstay_catalogue::region("eu-west-1");
        let plate = draw("u", &region, "eu-west-1a", 737, &Taken::default());
        assert_eq!(plate.pod_addresses(), 1024);
        assert!(plate.node.ends_with(".eu-west-1.compute.internal"));
    }
}
