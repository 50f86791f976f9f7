//! What a drill found.

use serde::Serialize;

/// The outcome of a whole drill.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The drill's name.
    pub name: String,
    /// The seed that reproduces it.
    pub seed: u64,
    /// Whether every step did what it should.
    pub passed: bool,
    /// The virtual time that passed, in seconds.
    pub virtual_seconds: f64,
    /// The real time it took, in seconds.
    pub real_seconds: f64,
    /// Changes committed in all regions.
    pub commits: u64,
    /// What became of each step, in order.
    pub steps: Vec<StepResult>,
    /// The timeline: JSON lines, without the seed.
    #[serde(skip)]
    pub timeline: Vec<u8>,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// When it was due, in seconds from the start.
    pub at_seconds: f64,
    /// Its name, or what it does.
    pub name: String,
    /// Whether it did what it should.
    pub passed: bool,
    /// Why not; or for an expectation that had to wait, how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
