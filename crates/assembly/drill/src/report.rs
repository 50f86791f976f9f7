//! What a drill found.

use serde::Serialize;

pub use crate::chain::Link;

/// The outcome of a whole drill.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The drill's name.
    pub name: String,
    /// The seed that reproduces it.
    pub seed: u64,
    /// Whether every step did what it should and every invariant held.
    pub passed: bool,
    /// The virtual time that passed, in seconds.
    pub virtual_seconds: f64,
    /// The real time it took, in seconds.
    pub real_seconds: f64,
    /// Changes committed in all regions.
    pub commits: u64,
    /// What became of each step, in order.
    pub steps: Vec<StepResult>,
    /// Where invariants did not hold, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// When it was due, in seconds from the start.
    pub at_seconds: f64,
    /// When its outcome was known.
    pub until_seconds: f64,
    /// Its name, or what it does.
    pub name: String,
    /// Whether it asks something; else it does something.
    pub asks: bool,
    /// The region it went to.
    pub region: String,
    /// Whether it did what it should.
    pub passed: bool,
    /// Why not; or for an expectation that had to wait, how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What was found where an expectation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// An invariant that did not hold for a while.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The invariant's name, or what it asks.
    pub name: String,
    /// The region it is about.
    pub region: String,
    /// From when on it did not hold, in seconds from the start.
    pub at_seconds: f64,
    /// For how long; nothing where it never held again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasted_seconds: Option<f64>,
    /// What was found.
    pub finding: Finding,
}

/// What was found instead of what was expected, and what led there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// When it was found, in seconds from the start.
    pub at_seconds: f64,
    /// What was looked at.
    pub about: String,
    /// What was expected of it.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// What last happened to the objects involved, in order.
    pub chain: Vec<Link>,
}
