//! How an object looks at a moment, for the timeline of a report.

use super::glance::Glance;

/// How well an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Good,
    /// On its way, or partly there.
    Partly,
    /// Not as it should be.
    Bad,
    /// It came to its end as it should.
    Done,
    /// It is not there any more.
    Gone,
}

/// A look: how well, and in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) level: Level,
    pub(crate) text: String,
}

impl Look {
    /// Of an object that was removed.
    pub(crate) fn gone() -> Self {
        Self { level: Level::Gone, text: String::new() }
    }

    /// Of an object whose kind the timeline shows.
    pub(super) fn of(glance: &Glance) -> Option<Self> {
        let (level, text) = match glance.kind.as_str() {
            "Node" => node(glance),
            "Pod" => pod(glance),
            "Deployment" | "StatefulSet" | "DaemonSet" => workload(glance),
            _ => return None,
        };
        Some(Self { level, text })
    }
}

fn status<'g>(glance: &'g Glance, type_: &str) -> &'g str {
    glance.conditions.get(type_).map_or("", |(status, _, _)| status)
}

fn node(glance: &Glance) -> (Level, String) {
    match status(glance, "Ready") {
        "True" => (Level::Good, "Ready".to_owned()),
        "Unknown" => (Level::Bad, "Unknown".to_owned()),
        "False" => (Level::Bad, "NotReady".to_owned()),
        _ => (Level::Partly, "new".to_owned()),
    }
}

fn pod(glance: &Glance) -> (Level, String) {
    let is_ready = status(glance, "Ready") == "True";
    let level = match glance.phase.as_str() {
        _ if glance.is_ending => return (Level::Partly, "Terminating".to_owned()),
        "Running" if is_ready => return (Level::Good, "Ready".to_owned()),
        "Running" => return (Level::Bad, "not ready".to_owned()),
        "Succeeded" => Level::Done,
        "Failed" => Level::Bad,
        _ => Level::Partly,
    };
    let phase = if glance.phase.is_empty() { "Pending" } else { &glance.phase };
    (level, phase.to_owned())
}

fn workload(glance: &Glance) -> (Level, String) {
    let (wanted, available) = (glance.wanted.unwrap_or(1), glance.available);
    let level = match available {
        available if available >= wanted => Level::Good,
        0 => Level::Bad,
        _ => Level::Partly,
    };
    (level, format!("{available}/{wanted}"))
}
