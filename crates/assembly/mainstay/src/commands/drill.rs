//! `mainstay drill FILE`: a scenario in virtual time, and what it found.

use mainstay_base::{Seed, World};
use mainstay_drill::{Report, StepResult};

use crate::cli::{Drill, Output};
use crate::exit::{self, Failure, Outcome};
use crate::printer::Printer;

pub(crate) fn run(arguments: &Drill, printer: Printer) -> Outcome {
    let loaded = mainstay_drill::load(&arguments.file)
        .map_err(|diagnostics| Failure { code: exit::USAGE, diagnostics })?;
    let seed = arguments.seed.or(loaded.drill.spec.seed).map_or_else(|| World::real().seed(), Seed);
    printer.say(&format!("Drill {} with seed {seed} …", loaded.drill.metadata.name));
    let shows_steps = arguments.output == Output::Table;
    let on_step = move |step: &StepResult| {
        if shows_steps {
            printer.data(&line(step));
        }
    };
    let report = mainstay_drill::run(loaded, seed, on_step).map_err(Failure::unavailable)?;
    if let Some(path) = &arguments.timeline {
        std::fs::write(path, &report.timeline).map_err(|error| {
            Failure::unavailable(
                mainstay_base::Diagnostic::error(TIMELINE, format!("{} cannot be written", path.display()))
                    .cause(error.to_string())
                    .help("name a file you may write to"),
            )
        })?;
    }
    match arguments.output {
        Output::Json => {
            printer.data(&serde_json::to_string_pretty(&report).expect("invariant: a Report is JSON"));
        }
        Output::Table => printer.data(&verdict(&report)),
    }
    Ok(if report.passed { exit::DONE } else { exit::NO })
}

/// The timeline cannot be written.
const TIMELINE: &str = "M0404";

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

fn line(step: &StepResult) -> String {
    let verdict = if step.passed { "ok  " } else { "FAIL" };
    let detail = step.detail.as_deref().map(|detail| format!("  ({detail})")).unwrap_or_default();
    format!("  {verdict} {:>9}  {}{detail}", clock(step.at_seconds), step.name)
}

/// Seconds as `1h30m`, `90s`, `1.5s`.
fn clock(seconds: f64) -> String {
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    mainstay_kinds::duration::format(duration)
}
