//! The partitions of a drill: which links are cut, and when each heals.

use mainstay_base::net::{Ends, Link, Net, Place};
use tokio::time::Instant;

/// Cuts that hold.
#[derive(Debug, Default)]
pub(crate) struct Cuts(Vec<Cut>);

#[derive(Debug)]
struct Cut {
    sides: Vec<(Ends, Ends)>,
    heals_at: Option<Instant>,
    what: String,
}

/// What lies between Nodes and the API of their region.
pub(crate) fn nodes(region: &str, nodes: &[String]) -> Vec<(Ends, Ends)> {
    let api = Ends::from(Place::api(region));
    nodes.iter().map(|node| (Ends::from(Place::new(region, node)), api.clone())).collect()
}

/// What lies between two regions.
pub(crate) fn regions(one: &str, other: &str) -> Vec<(Ends, Ends)> {
    vec![(Ends::region(one), Ends::region(other))]
}

impl Cuts {
    /// Cuts what lies between these sides, until then.
    pub(crate) fn cut(
        &mut self,
        net: &Net,
        sides: Vec<(Ends, Ends)>,
        heals_at: Option<Instant>,
        what: String,
    ) {
        for side in &sides {
            set(net, side, true);
        }
        self.0.push(Cut { sides, heals_at, what });
    }

    /// When the next one heals.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.iter().filter_map(|cut| cut.heals_at).min()
    }

    /// Heals those whose time has come, where no other still cuts; says which.
    pub(crate) fn heal(&mut self, net: &Net, now: Instant) -> Vec<String> {
        let is_over = |cut: &Cut| cut.heals_at.is_some_and(|at| at <= now);
        let (over, held): (Vec<Cut>, Vec<Cut>) = std::mem::take(&mut self.0).into_iter().partition(is_over);
        self.0 = held;
        for side in over.iter().flat_map(|cut| &cut.sides) {
            if !self.0.iter().any(|cut| cut.sides.contains(side)) {
                set(net, side, false);
            }
        }
        over.into_iter().map(|cut| cut.what).collect()
    }
}

fn set(net: &Net, (one, other): &(Ends, Ends), partitioned: bool) {
    let link = Link { partitioned, ..Link::default() };
    net.set_link(one, other, link);
    net.set_link(other, one, link);
}
