//! The process that waits: starts the platform in the background and shows what it reports.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use mainstay_base::Diagnostic;
use mainstay_platform::codes;

use super::report::{Report, show};
use crate::cli::Up;
use crate::exit::{self, Failure, Outcome};
use crate::printer::Printer;

pub(super) fn run(_arguments: &Up, printer: Printer) -> Outcome {
    let unavailable = |error: std::io::Error| {
        Failure::unavailable(
            Diagnostic::error(codes::REGION_START, "the platform cannot be started in the background")
                .cause(error.to_string()),
        )
    };
    let program = std::env::current_exe().map_err(unavailable)?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--report")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(unavailable)?;
    let reports = BufReader::new(child.stdout.take().expect("invariant: stdout is piped"));
    for line in reports.lines() {
        let line = line.map_err(unavailable)?;
        let Ok(report) = serde_json::from_str::<Report>(&line) else { continue };
        show(&report, printer);
        match report {
            Report::Ready(ready) if ready.is_incomplete() => return Ok(exit::NO),
            Report::Ready(_) => return Ok(exit::DONE),
            Report::Failed { code, .. } | Report::Changed(code, _) => return Ok(code),
            Report::Phase(_) | Report::Notice(_) | Report::Plan(_) => {}
        }
    }
    let status = child.wait().map_err(unavailable)?;
    Err(Failure::unavailable(
        Diagnostic::error(codes::REGION_START, "the platform ended before it was ready")
            .cause(format!("its process ended with {status}"))
            .help("its log is mainstay.log in the state folder"),
    ))
}
