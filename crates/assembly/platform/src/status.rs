//! What `mainstay status` tells, and its JSON form.

use mainstay_base::task;
use mainstay_kinds::platform::{External, Objectives, Replacements};
use serde::{Deserialize, Serialize};

/// The whole platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The platform's name.
    pub name: String,
    /// The process that runs it.
    pub pid: u32,
    /// Mainstay's own version.
    pub version: String,
    /// Whether every region is ready.
    pub ready: bool,
    /// What its Platform document declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
    /// Each region, the primary first.
    pub regions: Vec<RegionStatus>,
    /// Each running task, by region.
    pub components: Vec<ComponentStatus>,
    /// Each document of the Source and what became of it.
    pub documents: Vec<DocumentStatus>,
}

/// What a Platform document declares beside regions and placement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declared {
    /// The document's file and line.
    pub at: String,
    /// What the platform is to achieve.
    pub objectives: Objectives,
    /// What stands for what the files name.
    pub replacements: Replacements,
    /// What exists outside the Source.
    pub external: External,
    /// Hosts that may be called.
    pub egress: Vec<String>,
    /// Files of this machine that may be read.
    pub host_files: Vec<String>,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionStatus {
    /// Its name.
    pub name: String,
    /// `primary`, `secondary`, `dr` or `staging`.
    pub role: String,
    /// Whether its API answers, its nodes are ready and its Deployments available.
    pub ready: bool,
    /// Why it is not ready, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Nodes that are ready.
    pub nodes: usize,
    /// Nodes the ClusterConfig asks for.
    pub nodes_wanted: usize,
    /// Deployments that are available.
    pub deployments: usize,
    /// Where it can be reached.
    pub endpoints: Endpoints,
}

/// Where a region can be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The Kubernetes API.
    pub api: String,
}

/// One running task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// The region it belongs to.
    pub region: String,
    /// Its name.
    pub name: String,
    /// `running`, `backing off` or `failed`.
    pub state: String,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
}

impl ComponentStatus {
    /// The line of one task.
    pub(crate) fn of(region: &str, report: task::Report) -> Self {
        let (state, failure) = match report.state {
            task::State::Running => ("running", None),
            task::State::BackingOff(failure) => ("backing off", Some(failure)),
            task::State::Failed(failure) => ("failed", Some(failure)),
        };
        Self {
            region: region.to_owned(),
            name: report.name,
            state: state.to_owned(),
            failure,
            restarts: report.restarts,
        }
    }
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is in the cluster, and something runs it.
    Applied,
    /// It is a picture for people.
    Diagram,
    /// It is in the cluster; nothing runs it yet.
    Stored,
    /// It goes to no region.
    NotUsed,
    /// It is not in a cluster: no API serves its kind, and nothing reads it yet.
    NotRunYet,
    /// The API server refused it.
    Refused,
}

impl Fate {
    /// The word for it in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Diagram => "diagram",
            Self::Stored => "stored",
            Self::NotUsed => "not used",
            Self::NotRunYet => "not run yet",
            Self::Refused => "refused",
        }
    }
}

/// One document of the Source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentStatus {
    /// The file, as the Source names it.
    pub file: String,
    /// The line it starts on.
    pub line: u32,
    /// What it is: `apps/v1 Deployment production/order-service`, `Prometheus configuration`, …
    pub what: String,
    /// The regions it goes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// What became of it; where it goes to several regions, the worst.
    pub fate: Fate,
    /// The code that explains its fate, where it is not simply applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it was refused, goes nowhere, or is not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
