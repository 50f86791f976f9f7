//! The addresses one machine has for its pods.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Hands out addresses of a network, the one freed longest ago last.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    first: u32,
    size: u32,
    next: u32,
    used: BTreeSet<u32>,
}

impl Addresses {
    /// The addresses of the network that begins at `first`, but for its own, its gateway's and the
    /// broadcast's.
    pub(crate) fn new(first: Ipv4Addr, size: u32) -> Self {
        Self { first: first.into(), size, next: 2, used: BTreeSet::new() }
    }

    /// A free address; none when all are used.
    pub(crate) fn take(&mut self) -> Option<Ipv4Addr> {
        let offsets = (self.next..self.size - 1).chain(2..self.next);
        let free = offsets.into_iter().find(|offset| !self.used.contains(offset))?;
        self.used.insert(free);
        self.next = if free + 1 < self.size - 1 { free + 1 } else { 2 };
        Some(Ipv4Addr::from(self.first + free))
    }

    /// Marks an address a pod has already; says whether it is one of these and was free.
    pub(crate) fn claim(&mut self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.first);
        (2..self.size - 1).contains(&offset) && self.used.insert(offset)
    }

    /// Gives an address back.
    pub(crate) fn free(&mut self, address: Ipv4Addr) {
        self.used.remove(&u32::from(address).wrapping_sub(self.first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_unique_and_come_back_last() {
        let mut addresses = Addresses::new(Ipv4Addr::new(10, 20, 4, 0), 8);
        let all: Vec<_> = std::iter::from_fn(|| addresses.take()).collect();
        let expected: Vec<_> = (2..7).map(|last| Ipv4Addr::new(10, 20, 4, last)).collect();
        assert_eq!(all, expected);
        addresses.free(all[3]);
        addresses.free(all[0]);
        assert_eq!(
            [addresses.take(), addresses.take(), addresses.take()],
            [Some(all[0]), Some(all[3]), None]
        );
        addresses.free(all[1]);
        assert!(addresses.claim(all[1]) && !addresses.claim(all[1]));
        assert!(!addresses.claim(Ipv4Addr::new(10, 20, 4, 1)), "the gateway's");
        assert!(!addresses.claim(Ipv4Addr::new(10, 20, 5, 3)), "another network's");
    }
}
