//! What an `up` does to each region, as it is shown before it is done.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is done to one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionPlan {
    /// The region's name.
    pub region: String,
    /// The objects that change, in the order in which they do.
    pub steps: Vec<Step>,
    /// How many objects are already as the Source has them.
    pub unchanged: usize,
}

/// What happens to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The object, `Deployment production/web`.
    pub what: String,
    /// Its document, `apps.yaml:12`; none of an object that the Source no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What happens to it.
    pub change: Change,
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is made.
    Created,
    /// It is changed, at these paths.
    Changed(Vec<String>),
    /// It is deleted: an earlier `up` applied it, and the Source no longer holds it.
    Pruned,
    /// It stays as it is: the API server refuses the document, for this reason.
    Refused(String),
}

/// How many objects of some regions are created, changed, pruned, refused and unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Made.
    pub created: usize,
    /// Changed.
    pub changed: usize,
    /// Deleted.
    pub pruned: usize,
    /// Refused.
    pub refused: usize,
    /// As they were.
    pub unchanged: usize,
}

impl RegionPlan {
    /// How many there are of each.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unchanged: self.unchanged, ..Counts::default() };
        for step in &self.steps {
            match step.change {
                Change::Created => counts.created += 1,
                Change::Changed(_) => counts.changed += 1,
                Change::Pruned => counts.pruned += 1,
                Change::Refused(_) => counts.refused += 1,
            }
        }
        counts
    }
}

impl Counts {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.created + self.changed + self.pruned == 0
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            created: sum.created + one.created,
            changed: sum.changed + one.changed,
            pruned: sum.pruned + one.pruned,
            refused: sum.refused + one.refused,
            unchanged: sum.unchanged + one.unchanged,
        })
    }
}

impl fmt::Display for Counts {
    /// `2 created, 1 changed, 3 pruned, 58 unchanged`; refusals only when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, changed, pruned, refused, unchanged } = self;
        write!(f, "{created} created, {changed} changed, {pruned} pruned")?;
        if *refused > 0 {
            write!(f, ", {refused} refused")?;
        }
        write!(f, ", {unchanged} unchanged")
    }
}
