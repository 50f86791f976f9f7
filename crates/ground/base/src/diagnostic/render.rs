//! The one text form of a [`Diagnostic`]: `error[M0301]: …`, where, the line, causes, help.
//!
//! ```text
//! error[M0104]: unknown field 'replica'
//!   --> apps/web.yaml:12:3
//!    |
//! 12 |   replica: 3
//!    |   ^^^^^^^
//!    = apps/base.yaml:3:1: the Deployment begins here
//!   caused by: a Deployment has no such field
//!
//! help: did you mean 'replicas'?
//! ```
//!
//! **Invariants:** whatever a diagnostic quotes, the only control characters in the text are the
//! line breaks and colours written here.

use std::fmt::Write as _;

use super::{Diagnostic, Location, Severity};

mod snippet;
mod visible;

use visible::{one_line, visible};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
}

impl Style {
    /// No colour.
    pub const PLAIN: Self = Self { colour: false };

    fn paint(self, paint: Paint, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Severity(Severity::Error) => "1;31",
            Paint::Severity(Severity::Warning) => "1;33",
            Paint::Severity(Severity::Info) => "1;36",
            Paint::Message => "1",
            Paint::Frame => "34",
            Paint::Help => "1;32",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// What a stretch of text is.
#[derive(Clone, Copy)]
enum Paint {
    Severity(Severity),
    Message,
    Frame,
    Help,
}

/// The diagnostic as text, ending in a newline.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let mut text = String::new();
    title(&mut text, diagnostic, style);
    if let Some(at) = &diagnostic.at {
        place(&mut text, at, diagnostic, style);
    }
    let gutter = gutter(diagnostic);
    for (location, note) in &diagnostic.related {
        let frame = style.paint(Paint::Frame, &format!("{:gutter$} =", ""));
        line(&mut text, &format!("{frame} {}: {}", position(location), one_line(note)));
    }
    for cause in &diagnostic.causes {
        line(&mut text, &format!("  caused by: {}", indented(cause, 13)));
    }
    if let Some(help) = &diagnostic.help {
        let label = style.paint(Paint::Help, "help:");
        line(&mut text, &format!("\n{label} {}", indented(help, 6)));
    }
    text
}

/// `error[M0301]: message`.
fn title(text: &mut String, diagnostic: &Diagnostic, style: Style) {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let label =
        style.paint(Paint::Severity(diagnostic.severity), &format!("{severity}[{}]", diagnostic.code));
    let message = style.paint(Paint::Message, &one_line(&diagnostic.message));
    line(text, &format!("{label}: {message}"));
}

/// The place, and its line with what is meant underlined.
fn place(text: &mut String, at: &Location, diagnostic: &Diagnostic, style: Style) {
    let gutter = gutter(diagnostic);
    let arrow = style.paint(Paint::Frame, &format!("{:gutter$}-->", ""));
    line(text, &format!("{arrow} {}", position(at)));
    let Some(source) = diagnostic.source_line.as_deref().filter(|source| !source.trim().is_empty()) else {
        return;
    };
    let snippet = snippet::cut(source, at.column, at.length);
    let bar = style.paint(Paint::Frame, &format!("{:gutter$} |", ""));
    let numbered = style.paint(Paint::Frame, &format!("{:>gutter$} |", at.line));
    let underline = format!("{:indent$}{}", "", "^".repeat(snippet.width), indent = snippet.indent);
    let underline = underline.trim_end();
    let underline = style.paint(Paint::Severity(diagnostic.severity), underline);
    line(text, &bar);
    line(text, &format!("{numbered} {}", snippet.text));
    line(text, &format!("{bar} {underline}"));
}

/// How wide line numbers are.
fn gutter(diagnostic: &Diagnostic) -> usize {
    diagnostic.at.as_ref().map_or(1, |at| at.line.to_string().len())
}

/// `file:line:column`, as far as it is known.
fn position(location: &Location) -> String {
    let mut text = one_line(&location.file);
    for number in [location.line, location.column] {
        if number == 0 {
            break;
        }
        write!(text, ":{number}").expect("invariant: writing to a String does not fail");
    }
    text
}

/// Text of several lines, the further ones under the first.
fn indented(text: &str, indent: usize) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(visible).collect();
    let mut joined = lines.join(&format!("\n{:indent$}", ""));
    if lines.iter().any(String::is_empty) {
        joined = joined.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    }
    joined
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end_matches(' '));
    text.push('\n');
}

#[cfg(test)]
mod tests;
