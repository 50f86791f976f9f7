//! `mainstay up`: the platform of a Source, in the foreground or detached.
//!
//! Detached, this process starts itself again with `--report`, shows what the child reports as JSON
//! lines on its stdout, and returns when it is ready. Both forms run the same code in [`serve`].

use std::path::PathBuf;

use mainstay_platform::config::{expanded, platform_name};
use mainstay_platform::{Config, State, control, everything, state};
use mainstay_source::Source;

use crate::cli::Up;
use crate::exit::{DONE, Failure, Outcome, USAGE};
use crate::paths;
use crate::printer::Printer;

mod detach;
mod log;
mod report;
mod running;
mod serve;

use report::Reporter;

pub(crate) fn run(arguments: &Up, printer: Printer) -> Outcome {
    if arguments.detach && !arguments.report {
        return detach::run(arguments, printer);
    }
    let reporter = if arguments.report { Reporter::pipe() } else { Reporter::terminal(printer) };
    let outcome = start(arguments, &reporter);
    match outcome {
        Err(failure) if arguments.report => {
            reporter.failed(&failure);
            Ok(failure.code)
        }
        other => other,
    }
}

/// Reads the Source, takes the state folder and serves until told to end. Where the platform runs
/// already, it is handed the Source instead.
fn start(arguments: &Up, reporter: &Reporter) -> Outcome {
    let path = arguments.source.clone().unwrap_or_else(default_source);
    let (source, phase) = report::timed("Platform", || expanded(Source::load(&path)));
    let mut diagnostics = source.diagnostics.clone();
    let config = Config::plan(platform_name(&path), &source);
    diagnostics.extend(config.diagnostics.clone());
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.into_iter().partition(|diagnostic| diagnostic.severity == mainstay_base::Severity::Error);
    for warning in &warnings {
        reporter.diagnostic(warning);
    }
    if !errors.is_empty() {
        return Err(Failure { code: USAGE, diagnostics: errors });
    }
    reporter.phase(&phase.with_detail(format!(
        "{} in {}, {}",
        report::count(source.documents.len(), "document"),
        report::count(source.files.len(), "file"),
        report::count(config.regions.len(), "region"),
    )));
    let folder = arguments.state.clone().unwrap_or_else(|| paths::states().join(&config.name));
    state::check(&folder, &config.name).map_err(Failure::unavailable)?;
    if state::is_running(&folder) {
        let up = control::Up { name: platform_name(&path), dry_run: arguments.dry_run };
        return running::hand_over(&folder, &up, &source, reporter);
    }
    if arguments.dry_run {
        reporter.plan(&everything(&config));
        return Ok(DONE);
    }
    let state = State::take(&folder, &config.name).map_err(Failure::unavailable)?;
    if arguments.report {
        log::detach_from_terminal(&state).map_err(Failure::unavailable)?;
    }
    log::begin(&state, arguments.log_format).map_err(Failure::unavailable)?;
    serve::run(arguments, config, state, reporter)
}

/// `examples/enterprise` in a checkout, else the current folder.
fn default_source() -> PathBuf {
    let example = PathBuf::from("examples/enterprise");
    if example.is_dir() { example } else { PathBuf::from(".") }
}
