//! What lies between two places.

use std::time::Duration;

use super::Place;

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// Every place.
    Anywhere,
    /// Every place of a region.
    Region(String),
    /// One place.
    Place(Place),
}

/// How traffic in one direction fares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// How long everything takes to arrive.
    pub latency: Duration,
    /// At most this much is added to the latency, evenly drawn.
    pub jitter: Duration,
    /// The probability that a packet is lost: a datagram is gone, a stream sends it again later.
    pub loss: f64,
    /// How much fits through; no limit where none is set.
    pub bytes_per_second: Option<u64>,
    /// Nothing arrives until this is set back.
    pub partitioned: bool,
}
