//! Why a pod fits nowhere, in upstream's sentence.
//!
//! **Spec:** upstream's `framework.FitError`: reasons with the number of nodes they hold for, sorted
//! as texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::filter::{Plugin, Reason, Rejection};
use crate::preemption::Displacement;

/// A pod fits nowhere. Worth another try once a node or a pod on one changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unschedulable {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many nodes each reason of each rule holds for.
    pub reasons: BTreeMap<(Plugin, Reason), usize>,
    /// What preemption would do.
    pub preemption: Preemption,
}

/// What would come of making other pods give way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preemption {
    /// The pod never wants others to give way.
    Declined,
    /// It would help nowhere, for these reasons.
    Futile(BTreeMap<Reason, usize>),
    /// Pods are on their way out for it already.
    UnderWay,
    /// It makes room on a node.
    Possible(Displacement),
}

impl Unschedulable {
    /// Among this many nodes, none of which has said why so far.
    pub(crate) fn among(nodes: usize) -> Self {
        Self { nodes, reasons: BTreeMap::new(), preemption: Preemption::Futile(BTreeMap::new()) }
    }

    /// The rules that objected.
    pub(crate) fn plugins(&self) -> BTreeSet<Plugin> {
        self.reasons.keys().map(|(plugin, _)| *plugin).collect()
    }

    /// Counts what was said of each node.
    pub(crate) fn count(&mut self, rejection: &Rejection, nodes: usize) {
        for reason in &rejection.reasons {
            *self.reasons.entry((rejection.plugin, reason.clone())).or_default() += nodes;
        }
    }
}

impl fmt::Display for Unschedulable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes == 0 {
            return f.write_str("no nodes available to schedule pods");
        }
        let reasons = self.reasons.iter().map(|((_, reason), count)| (reason, *count));
        sentence(f, self.nodes, reasons)?;
        match &self.preemption {
            Preemption::Declined => f.write_str(" preemption: not eligible due to preemptionPolicy=Never."),
            Preemption::UnderWay => {
                f.write_str(" preemption: not eligible due to a terminating pod on the nominated node.")
            }
            Preemption::Futile(reasons) => {
                f.write_str(" preemption: ")?;
                sentence(f, self.nodes, reasons.iter().map(|(reason, count)| (reason, *count)))
            }
            Preemption::Possible(_) => Ok(()),
        }
    }
}

fn sentence<'a>(
    f: &mut fmt::Formatter<'_>,
    nodes: usize,
    reasons: impl Iterator<Item = (&'a Reason, usize)>,
) -> fmt::Result {
    let text = |(reason, count): (&Reason, usize)| match reason {
        // Said before any node was looked at.
        Reason::Conflict | Reason::Claim(_) => reason.to_string(),
        reason => format!("{count} {reason}"),
    };
    let mut texts: Vec<String> = reasons.map(text).collect();
    texts.sort();
    write!(f, "0/{nodes} nodes are available: {}.", texts.join(", "))
}
