//! What start-up tells: to the terminal, or as JSON lines to the process that waits.

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::{Style, render};
use mainstay_platform::plan::{Change, Counts, RegionPlan};
use mainstay_platform::progress::Phase;
use mainstay_platform::status::{DocumentStatus, Fate};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::exit::{self, Failure};
use crate::printer::Printer;

/// More documents than this are not listed one by one.
const WAITING_SHOWN: usize = 10;

/// One JSON line of a child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    /// A phase is done.
    Phase(Phase),
    /// A problem that stops nothing, rendered.
    Notice(String),
    /// Everything is ready.
    Ready(Ready),
    /// What is done, or would be.
    Plan(Vec<RegionPlan>),
    /// A running platform has taken the Source; nothing where it was only asked. The exit code.
    Changed(u8, Option<Changed>),
    /// It did not work; the problems, rendered, and the exit code.
    Failed { code: u8, problems: Vec<String> },
}

/// What a running platform made of a Source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Changed {
    pub(super) counts: Counts,
    pub(super) seconds: f64,
}

/// What there is once everything is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) seconds: f64,
    pub(super) contexts: Vec<String>,
    pub(super) documents: Vec<DocumentStatus>,
    pub(super) detached: bool,
}

impl Ready {
    /// Ready, but not with everything the Source asked for: a document was refused.
    pub(super) fn is_incomplete(&self) -> bool {
        self.documents.iter().any(|document| document.fate == Fate::Refused)
    }
}

/// Where reports go.
#[derive(Debug)]
pub(super) enum Reporter {
    Terminal(Printer),
    Pipe(Printer),
}

impl Reporter {
    /// Shows reports to a person.
    pub(super) fn terminal(printer: Printer) -> Self {
        Self::Terminal(printer)
    }

    /// Hands reports to the process that waits.
    pub(super) fn pipe() -> Self {
        Self::Pipe(Printer::new(false))
    }

    /// Whether a person reads along and may press keys.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    pub(super) fn phase(&self, phase: &Phase) {
        self.tell(|| Report::Phase(phase.clone()));
    }

    pub(super) fn diagnostic(&self, diagnostic: &Diagnostic) {
        let style = match self {
            Self::Terminal(printer) => printer.style(),
            Self::Pipe(_) => Style::PLAIN,
        };
        self.tell(|| Report::Notice(render(diagnostic, style)));
    }

    /// A problem that stops nothing and was rendered elsewhere.
    pub(super) fn notice(&self, text: String) {
        self.tell(|| Report::Notice(text));
    }

    pub(super) fn plan(&self, plans: &[RegionPlan]) {
        self.tell(|| Report::Plan(plans.to_vec()));
    }

    /// Tells what became of a Source that was handed over; the exit code.
    pub(super) fn changed(&self, changed: Option<Changed>) -> u8 {
        let is_refused = changed.as_ref().is_some_and(|changed| changed.counts.refused > 0);
        let code = if is_refused { exit::NO } else { exit::DONE };
        self.tell(|| Report::Changed(code, changed));
        code
    }

    /// Tells problems that were rendered elsewhere; the exit code.
    pub(super) fn failed_with(&self, code: u8, problems: Vec<String>) -> u8 {
        self.tell(|| Report::Failed { code, problems });
        code
    }

    pub(super) fn ready(&self, ready: &Ready) {
        self.tell(|| Report::Ready(ready.clone()));
    }

    pub(super) fn failed(&self, failure: &Failure) {
        let problems =
            failure.diagnostics.iter().map(|diagnostic| render(diagnostic, Style::PLAIN)).collect();
        self.tell(|| Report::Failed { code: failure.code, problems });
    }

    fn tell(&self, report: impl FnOnce() -> Report) {
        match self {
            Self::Terminal(printer) => show(&report(), *printer),
            Self::Pipe(printer) => {
                printer.data(&serde_json::to_string(&report()).expect("invariant: a Report is JSON"));
            }
        }
    }
}

/// Shows one report to a person.
pub(super) fn show(report: &Report, printer: Printer) {
    match report {
        Report::Phase(phase) => printer.phase(phase),
        Report::Notice(text) => printer.rendered(text),
        Report::Ready(ready) => show_ready(ready, printer),
        Report::Plan(plans) => plan_lines(plans).iter().for_each(|line| printer.data(line)),
        Report::Changed(_, None) => printer.say("Nothing was changed (--dry-run)."),
        Report::Changed(_, Some(changed)) => printer.say(&outcome(changed)),
        Report::Failed { problems, .. } => problems.iter().for_each(|problem| printer.rendered(problem)),
    }
}

fn show_ready(ready: &Ready, printer: Printer) {
    let contexts: Vec<String> = ready.contexts.iter().map(|context| printer.literal(context)).collect();
    let set = match contexts.as_slice() {
        [] => String::new(),
        [one] => format!(" kubectl context {one} is set."),
        several => format!(" kubectl contexts {} are set.", several.join(", ")),
    };
    printer.say(&format!("Ready in {:.1}s.{set}", ready.seconds));
    show_waiting(&ready.documents, printer);
    if let Some(context) = ready.contexts.first() {
        let command = printer.literal(&format!("kubectl --context {context} get pods -A"));
        let end = if ready.detached { "mainstay down  ends it" } else { "Ctrl-C  ends it" };
        printer.say(&format!("\n  Try   {command}        {end}"));
    }
}

/// The documents that nothing acts on yet: each, or where to see them when they are many.
fn show_waiting(documents: &[DocumentStatus], printer: Printer) {
    let is_waiting = |document: &&DocumentStatus| matches!(document.fate, Fate::NotRunYet | Fate::Stored);
    let waiting: Vec<&DocumentStatus> = documents.iter().filter(is_waiting).collect();
    if waiting.is_empty() {
        return;
    }
    let many = count(waiting.len(), "document");
    if waiting.len() > WAITING_SHOWN {
        printer.say(&format!(
            "\n  Not run yet: {many}; nothing acts on them in this version. `mainstay status --documents` lists them."
        ));
        return;
    }
    printer.say(&format!("\n  Not run yet ({many}; nothing acts on them in this version)"));
    for document in waiting {
        let stored = if document.fate == Fate::Stored { " (stored)" } else { "" };
        let what = format!("{}{stored}", document.what);
        printer.say(&format!("    {what:<58} {}:{}", document.file, document.line));
    }
}

/// `Created 1, changed 2, pruned 0 objects in 0.3s; 58 are unchanged.`
fn outcome(changed: &Changed) -> String {
    let Counts { created, changed: edited, pruned, refused, unchanged } = changed.counts;
    if changed.counts.is_nothing() && refused == 0 {
        return format!("Nothing to do: {} as the Source has them.", count(unchanged, "object"));
    }
    let refused =
        if refused > 0 { format!("; {} refused", count(refused, "document")) } else { String::new() };
    format!("Created {created}, changed {edited} and pruned {pruned} in {:.1}s{refused}.", changed.seconds)
}

/// A plan, region by region.
fn plan_lines(plans: &[RegionPlan]) -> Vec<String> {
    let mut lines = Vec::new();
    for plan in plans {
        lines.push(format!("{}: {}", plan.region, plan.counts()));
        for step in &plan.steps {
            let (mark, detail) = match &step.change {
                Change::Created => ("+", String::new()),
                Change::Changed(paths) => ("~", shortened(paths)),
                Change::Pruned if step.what.starts_with("Namespace ") => {
                    ("-", "with everything in it".to_owned())
                }
                Change::Pruned => ("-", String::new()),
                Change::Refused(reason) => ("!", reason.clone()),
            };
            let at = step.at.as_deref().unwrap_or_default();
            lines.push(format!("  {mark} {:<52} {at:<28} {detail}", step.what).trim_end().to_owned());
        }
    }
    lines
}

/// The first paths, and how many more there are.
fn shortened(paths: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = paths.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 file`, `3 files`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A phase that has been measured and waits for its detail.
pub(super) struct Measured(Phase);

impl Measured {
    pub(super) fn with_detail(mut self, detail: String) -> Phase {
        self.0.detail = detail;
        self.0
    }
}

/// Runs `work` and measures it.
pub(super) fn timed<T>(name: &str, work: impl FnOnce() -> T) -> (T, Measured) {
    let started = Instant::now();
    let value = work();
    let seconds = started.elapsed().as_secs_f64();
    (value, Measured(Phase { name: name.to_owned(), detail: String::new(), done: true, seconds }))
}
