//! A node that has a pod's images already is better, the more so the larger they are and the more
//! other nodes have them too.
//!
//! **Spec:** upstream's `ImageLocality`.

use std::collections::BTreeMap;

use super::HIGHEST;
use crate::snapshot::NodeId;
use crate::{Demand, Snapshot};

const MEGABYTE: i64 = 1 << 20;
/// Less than this does not count.
const LEAST: i64 = 23 * MEGABYTE;
/// More than this for each container does not count.
const MOST_EACH: i64 = 1000 * MEGABYTE;

/// The scores; `None` where no node has any of the images.
pub(super) fn score(demand: &Demand, snapshot: &Snapshot, nodes: &[NodeId]) -> Option<Vec<i64>> {
    let images = demand.images.iter().filter_map(|image| snapshot.images().having(image));
    let images: Vec<&BTreeMap<NodeId, i64>> = images.collect();
    if images.is_empty() {
        return None;
    }
    let containers = i64::try_from(demand.images.len()).unwrap_or(i64::MAX);
    let most = MOST_EACH.saturating_mul(containers);
    let score = |node: &NodeId| {
        let there = images.iter().filter_map(|having| Some((*having.get(node)?, having.len())));
        let sum: i64 = there.map(|(size, nodes)| spread(size, nodes, snapshot.len())).sum();
        HIGHEST * (sum.clamp(LEAST, most) - LEAST) / (most - LEAST)
    };
    Some(nodes.iter().map(score).collect())
}

/// The size of an image, the less the fewer nodes have it, so that pods do not pile up there.
#[allow(clippy::cast_precision_loss, reason = "a size in bytes needs no more than a float's precision")]
#[allow(clippy::cast_possible_truncation, reason = "it is at most the size")]
fn spread(size: i64, nodes: usize, all: usize) -> i64 {
    (size as f64 * (nodes as f64 / all as f64)) as i64
}
