//! `mainstay down`: asks a running platform to end, and waits until it has.

use std::path::Path;
use std::time::Duration;

use mainstay_base::{Diagnostic, limits};
use mainstay_platform::control::Request;
use mainstay_platform::{codes, state};

use super::{ask_platform, small_runtime};
use crate::cli::Target;
use crate::exit::{self, Failure, Outcome};
use crate::paths;
use crate::printer::Printer;

pub(crate) fn run(arguments: &Target, printer: Printer) -> Outcome {
    let folder = paths::target(arguments.state.as_deref())?;
    let Some(name) = state::owner(&folder) else {
        return Err(Failure::unavailable(
            Diagnostic::error(codes::NOT_RUNNING, format!("{} holds no platform", folder.display()))
                .help("name the folder that `mainstay up` was given with `--state DIR`"),
        ));
    };
    if !state::is_running(&folder) {
        printer.say(&format!("Platform \"{name}\" is not running."));
        return Ok(exit::DONE);
    }
    ask_platform(&folder, &Request::Down)?;
    wait_until_free(&folder)?;
    printer.say(&format!("Platform \"{name}\" has ended; its state is kept in {}.", folder.display()));
    Ok(exit::DONE)
}

/// Waits until no process holds the folder.
fn wait_until_free(folder: &Path) -> Result<(), Failure> {
    const STEP: Duration = Duration::from_millis(20);
    let patience = limits::DRAIN * 2;
    small_runtime()?.block_on(async {
        let free = async {
            while state::is_running(folder) {
                tokio::time::sleep(STEP).await;
            }
        };
        tokio::time::timeout(patience, free).await.map_err(|_| {
            Failure::unavailable(
                Diagnostic::error(codes::ALREADY_RUNNING, "the platform has not ended yet")
                    .cause(format!("it still runs after {} s", patience.as_secs()))
                    .help(format!("see {}", state::log(folder).display())),
            )
        })
    })
}
