//! `mainstay drill FILE`: a scenario in virtual time, and what it found.

use std::path::Path;

use mainstay_base::{Diagnostic, Seed, World};
use mainstay_drill::{Finding, Report, Sink, StepResult, Told, Violation, codes};

use crate::cli::{Drill, Output};
use crate::exit::{self, Failure, Outcome};
use crate::printer::Printer;

pub(crate) fn run(arguments: &Drill, printer: Printer) -> Outcome {
    let loaded = mainstay_drill::load(&arguments.file)
        .map_err(|diagnostics| Failure { code: exit::USAGE, diagnostics })?;
    let seed = arguments.seed.or(loaded.drill.spec.seed).map_or_else(|| World::real().seed(), Seed);
    printer.say(&format!("Drill {} with seed {seed} …", loaded.drill.metadata.name));
    let shows_steps = arguments.output == Output::Table;
    let tell = move |told: Told<'_>| match told {
        _ if !shows_steps => {}
        Told::Step(step) => say_step(printer, step),
        Told::Violation(violation) => say_violation(printer, violation),
    };
    let timeline = arguments.timeline.as_deref().map(create).transpose()?;
    let ran = mainstay_drill::run(loaded, seed, timeline, tell).map_err(Failure::unavailable)?;
    let report = &ran.report;
    if let Some(path) = &arguments.report {
        std::fs::write(path, mainstay_drill::html(&ran)).map_err(|error| cannot_write(path, &error))?;
    }
    match arguments.output {
        Output::Json => {
            printer.data(&serde_json::to_string_pretty(report).expect("invariant: a Report is JSON"));
        }
        Output::Table => printer.data(&verdict(report)),
    }
    Ok(if report.passed { exit::DONE } else { exit::NO })
}

/// The file a timeline goes to.
fn create(path: &Path) -> Result<Sink, Failure> {
    let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
    Ok(Box::new(std::io::BufWriter::new(file)))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(
        Diagnostic::error(codes::TIMELINE, format!("{} cannot be written", path.display()))
            .cause(error.to_string())
            .help("name a file you may write to"),
    )
}

/// A step's line, and what was found where it failed.
fn say_step(printer: Printer, step: &StepResult) {
    let verdict = if step.passed { "ok  " } else { "FAIL" };
    let detail = step.detail.as_deref().filter(|_| step.finding.is_none());
    let detail = detail.map(|detail| format!("  ({detail})")).unwrap_or_default();
    printer.data(&format!("  {verdict} {:>9}  {}{detail}", clock(step.at_seconds), step.name));
    if let Some(finding) = &step.finding {
        say_finding(printer, finding);
    }
}

/// An invariant that does not hold, and what was found.
fn say_violation(printer: Printer, violation: &Violation) {
    let Violation { name, region, .. } = violation;
    printer.data(&format!("  FAIL {:>9}  always: {name}  ({region})", clock(violation.at_seconds)));
    say_finding(printer, &violation.finding);
}

/// When, what was expected, what was seen, and what led there.
fn say_finding(printer: Printer, finding: &Finding) {
    let margin = " ".repeat(18);
    printer.data(&format!("{margin}{} at {}", finding.about, clock(finding.at_seconds)));
    printer.data(&format!("{margin}  expected  {}", finding.expected));
    printer.data(&format!("{margin}  seen      {}", finding.seen));
    if !finding.chain.is_empty() {
        printer.data(&format!("{margin}what led there:"));
    }
    for link in &finding.chain {
        printer.data(&format!("{margin}  {:>10}  {}: {}", clock(link.at_seconds), link.object, link.what));
    }
}

/// The last line: whether it passed, and what it took.
fn verdict(report: &Report) -> String {
    let per_second = |amount: f64| if report.real_seconds > 0.0 { amount / report.real_seconds } else { 0.0 };
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let commits_per_second = per_second(report.commits as f64);
    format!(
        "Drill {} {}: {} of virtual time in {:.1}s ({:.0}x), {} commits ({commits_per_second:.0}/s), seed {}",
        report.name,
        if report.passed { "passed" } else { "failed" },
        clock(report.virtual_seconds),
        report.real_seconds,
        per_second(report.virtual_seconds),
        report.commits,
        report.seed
    )
}

/// Seconds as `1h30m`, `90s`, `1.5s`.
fn clock(seconds: f64) -> String {
    let seconds = (seconds * 1000.0).round() / 1000.0;
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    mainstay_kinds::duration::format(duration)
}
