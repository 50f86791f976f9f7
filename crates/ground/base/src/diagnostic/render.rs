//! The one text form of a [`Diagnostic`]: `error[M0301]: …`, where, the line, causes, help.

use super::{Diagnostic, Severity};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
}

impl Style {
    /// No colour.
    pub const PLAIN: Self = Self { colour: false };
}

/// The diagnostic as text, ending in a newline.
pub fn render(diagnostic: &Diagnostic, _style: Style) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    format!("{severity}[{}]: {}\n", diagnostic.code, diagnostic.message)
}
