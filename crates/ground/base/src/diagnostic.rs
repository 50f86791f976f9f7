//! What a user is told when something is wrong: a code, where, what, why, and how to fix it.
//!
//! **Not here:** printing (only the binary prints), the pages behind the codes (`docs/errors`).

use std::fmt;
use std::sync::Arc;

mod render;

pub use render::{Style, render};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works, but not as its author thinks.
    Warning,
    /// Stops what was asked for.
    Error,
}

/// A stretch of one source file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Location {
    /// The file's path as the user knows it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters of that line it covers; 0 when only the point is known.
    pub length: u32,
}

/// One problem, as every output form shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// `M` and four digits; `mainstay explain` has a page for it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one lower-case line without a full stop.
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// The text of the line at `at`, for the snippet.
    #[serde(skip)]
    pub source_line: Option<String>,
    /// Why, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Other places that belong to it, each with what it has to do with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<(Location, String)>,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with this code and message.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning with this code and message.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            at: None,
            source_line: None,
            causes: Vec::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// Says where, and shows that line.
    #[must_use]
    pub fn at(mut self, location: Location, source_line: impl Into<String>) -> Self {
        self.at = Some(location);
        self.source_line = Some(source_line.into());
        self
    }

    /// Says why; called again, says why that.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Says how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points to another place that belongs to it.
    #[must_use]
    pub fn related(mut self, location: Location, note: impl Into<String>) -> Self {
        self.related.push((location, note.into()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self, Style::PLAIN))
    }
}

impl std::error::Error for Diagnostic {}
