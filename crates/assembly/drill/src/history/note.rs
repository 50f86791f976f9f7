//! An Event as a drill remembers it.

use std::fmt;

use serde_json::Value;

use super::Subject;

/// One Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventNote {
    pub(crate) about: Subject,
    pub(crate) type_: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// How often it was recorded.
    pub(crate) count: u64,
}

impl EventNote {
    /// Reads a stored Event.
    pub(super) fn of(region: &str, bytes: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(bytes).ok()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = &event["involvedObject"];
        let part = |field: &str| about[field].as_str().unwrap_or_default();
        let count = event["series"]["count"].as_u64().or_else(|| event["count"].as_u64());
        Some(Self {
            about: Subject::new(region, part("kind"), part("namespace"), part("name")),
            type_: text(&event["type"]),
            reason: text(&event["reason"]),
            message: text(&event["message"]),
            count: count.unwrap_or(1).max(1),
        })
    }
}

impl fmt::Display for EventNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.type_ == "Warning" { "Warning " } else { "" };
        write!(f, "{mark}{}: {}", self.reason, self.message.lines().next().unwrap_or_default())?;
        if self.count > 1 {
            write!(f, " (x{})", self.count)?;
        }
        Ok(())
    }
}
