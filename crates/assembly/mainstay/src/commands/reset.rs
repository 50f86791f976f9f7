//! `mainstay reset`: removes a platform's state and its kubectl contexts.

use std::io::{BufRead as _, IsTerminal as _};

use mainstay_platform::{kubeconfig, state};

use crate::cli::Reset;
use crate::exit::{self, Failure, Outcome};
use crate::paths;
use crate::printer::Printer;

pub(crate) fn run(arguments: &Reset, printer: Printer) -> Outcome {
    let folder = paths::target(arguments.target.state.as_deref())?;
    let config = arguments.kubeconfig.clone().unwrap_or_else(paths::kubeconfig);
    let authorities = state::authorities(&folder);
    let contexts = kubeconfig::ours(&config, &authorities).map_err(Failure::unavailable)?;
    let entries = if contexts.is_empty() {
        "no context".to_owned()
    } else {
        format!("context {}", contexts.join(", "))
    };
    let plan = format!("state folder {} and {entries} of {}", folder.display(), config.display());
    if arguments.dry_run {
        printer.data(&format!("would remove {plan}"));
        return Ok(exit::DONE);
    }
    if !arguments.yes && std::io::stdin().is_terminal() {
        printer.rendered(&format!("Remove {plan}? [y/N] "));
        let mut answer = String::new();
        let _end_of_input = std::io::stdin().lock().read_line(&mut answer);
        if !answer.trim().eq_ignore_ascii_case("y") {
            return Ok(exit::NO);
        }
    }
    state::remove(&folder).map_err(Failure::unavailable)?;
    kubeconfig::remove(&config, &authorities).map_err(Failure::unavailable)?;
    printer.say(&format!("Removed {plan}."));
    Ok(exit::DONE)
}
