//! The addresses and ports a cluster hands to its Services.
//!
//! The next free one after the last handed out: so two Services made at the same time never get
//! the same, and the same requests in the same order get the same addresses.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// `10.96.0.0/12`, as kubeadm sets it.
const NETWORK: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const SIZE: u32 = 1 << 20;
/// The first addresses are left to Services that name theirs (the API's, the DNS server's).
const RESERVED: u32 = 256;
const FIRST_PORT: u32 = 30_000;
const PORTS: u32 = 2_768;

/// Hands out addresses and node ports; clones share what was handed out.
#[derive(Clone, Debug, Default)]
pub(super) struct Allocator(Arc<Cursors>);

#[derive(Debug, Default)]
struct Cursors {
    address: AtomicU32,
    port: AtomicU32,
}

impl Allocator {
    /// The next address that is not `taken`; `None` when all are.
    pub(super) fn address(&self, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let room = SIZE - RESERVED - 1;
        let offset = next(&self.0.address, room, |offset| taken.contains(&address_at(offset)))?;
        Some(address_at(offset))
    }

    /// The next node port that is not `taken`; `None` when all are.
    pub(super) fn port(&self, taken: &BTreeSet<u32>) -> Option<u32> {
        next(&self.0.port, PORTS, |offset| taken.contains(&(FIRST_PORT + offset)))
            .map(|offset| FIRST_PORT + offset)
    }
}

/// Whether a Service may name this address itself.
pub(super) fn is_in_range(address: Ipv4Addr) -> bool {
    let offset = u32::from(address).wrapping_sub(NETWORK);
    offset > 0 && offset < SIZE - 1
}

/// Whether a Service may name this node port itself.
pub(super) fn is_node_port(port: u32) -> bool {
    (FIRST_PORT..FIRST_PORT + PORTS).contains(&port)
}

fn address_at(offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(NETWORK + RESERVED + offset)
}

fn next(cursor: &AtomicU32, room: u32, is_taken: impl Fn(u32) -> bool) -> Option<u32> {
    (0..room).map(|_| cursor.fetch_add(1, Ordering::Relaxed) % room).find(|offset| !is_taken(*offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_handed_out_in_order_and_skip_taken_ones() {
        let allocator = Allocator::default();
        let taken = BTreeSet::from([Ipv4Addr::new(10, 96, 1, 1)]);
        let got: Vec<_> =
            (0..3).filter_map(|_| allocator.address(&taken)).map(|one| one.to_string()).collect();
        assert_eq!(got, ["10.96.1.0", "10.96.1.2", "10.96.1.3"]);
    }

    #[test]
    fn ports_run_out() {
        let allocator = Allocator::default();
        assert_eq!(allocator.port(&BTreeSet::from([30_000])), Some(30_001));
        assert_eq!(allocator.port(&(30_000..32_768).collect()), None);
    }

    #[test]
    fn the_range_leaves_out_its_first_and_last_address() {
        assert!(is_in_range(Ipv4Addr::new(10, 96, 0, 10)));
        assert!(is_in_range(Ipv4Addr::new(10, 111, 255, 254)));
        for outside in [[10, 96, 0, 0], [10, 111, 255, 255], [10, 112, 0, 1], [10, 0, 0, 1]] {
            assert!(!is_in_range(Ipv4Addr::from(outside)));
        }
    }
}
