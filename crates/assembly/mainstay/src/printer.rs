//! Everything that reaches the terminal: data to stdout, talk to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]
#![allow(clippy::unused_self, reason = "who prints holds a Printer, whatever the form")]

use std::io::{IsTerminal as _, Write as _};

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::{Style, render};
use mainstay_platform::progress::Phase;

/// Writes for a person or for a program, as the terminal allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    quiet: bool,
    colour: bool,
    unicode: bool,
}

impl Printer {
    /// For this process's terminal.
    pub(crate) fn new(quiet: bool) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the binary reads the environment")]
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let colour = std::io::stderr().is_terminal() && variable("NO_COLOR").is_empty();
        let locale = [variable("LC_ALL"), variable("LC_CTYPE"), variable("LANG")];
        let locale =
            locale.iter().find(|value| !value.is_empty()).cloned().unwrap_or_default().to_lowercase();
        // Without a locale a pipe or a container is the likely reader: both take UTF-8.
        let unicode = locale.is_empty() || locale.contains("utf") || locale == "c.utf8";
        Self { quiet, colour, unicode }
    }

    /// Data: one line to stdout.
    pub(crate) fn data(self, line: &str) {
        // A closed pipe (`| head`) is no failure of ours.
        let _closed_pipe = writeln!(std::io::stdout(), "{line}");
    }

    /// Talk: one line to stderr, unless quiet.
    pub(crate) fn say(self, line: &str) {
        if !self.quiet {
            let _closed_pipe = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// A problem, to stderr, always.
    pub(crate) fn diagnostic(self, diagnostic: &Diagnostic) {
        let _closed_pipe = write!(std::io::stderr(), "{}", render(diagnostic, self.style()));
    }

    /// Text that was rendered elsewhere, to stderr, always.
    pub(crate) fn rendered(self, text: &str) {
        let _closed_pipe = write!(std::io::stderr(), "{text}");
    }

    /// What the terminal can show.
    pub(crate) fn style(self) -> Style {
        Style { colour: self.colour }
    }

    /// A finished phase: mark, name, what it made, how long it took.
    pub(crate) fn phase(self, phase: &Phase) {
        let mark = if self.unicode { "✓" } else { "ok" };
        let mark = if self.colour { format!("\u{1b}[32m{mark}\u{1b}[0m") } else { mark.to_owned() };
        let seconds = format!("{:.1}s", phase.seconds);
        self.say(&format!("  {mark} {:<13} {:<58} {seconds:>5}", phase.name, phase.detail));
    }

    /// Marks words that can be typed.
    pub(crate) fn literal(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[36m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
