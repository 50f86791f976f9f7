//! The `mainstay` command: a file per subcommand; the only crate that prints.
//!
//! Exit codes: 0 done · 1 the answer is no (a drill failed, the platform is not ready) · 2 usage or
//! input · 3 cannot start or reach · 130 interrupted.

mod cli;
mod commands;
mod exit;
mod pages;
mod paths;
mod printer;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::printer::Printer;

/// Objects are JSON: many small allocations, freed on another thread than made them. The system's
/// allocator takes a quarter of all CPU time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            let code = if refusal.use_stderr() { exit::USAGE } else { exit::DONE };
            let _closed_pipe = refusal.print();
            return ExitCode::from(code);
        }
    };
    let printer = Printer::new(cli.quiet);
    let _provider_is_set = rustls::crypto::ring::default_provider().install_default();
    let outcome = match &cli.command {
        Command::Up(arguments) => commands::up::run(arguments, printer),
        Command::Status(arguments) => commands::status::run(arguments, printer),
        Command::Down(arguments) => commands::down::run(arguments, printer),
        Command::Reset(arguments) => commands::reset::run(arguments, printer),
        Command::Kubeconfig(arguments) => commands::kubeconfig::run(arguments, printer),
        Command::Explain(arguments) => commands::explain::run(arguments, printer),
        Command::Drill(arguments) => commands::drill::run(arguments, printer),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| {
        failure.diagnostics.iter().for_each(|diagnostic| printer.diagnostic(diagnostic));
        failure.code
    }))
}
