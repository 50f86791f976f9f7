//! `mainstay status`: how a running platform stands.

use mainstay_base::Diagnostic;
use mainstay_platform::codes;
use mainstay_platform::control::{Answer, Request};
use mainstay_platform::status::{DocumentStatus, Fate, Status};

use super::ask_platform;
use crate::cli::{self, Output};
use crate::exit::{self, Failure, Outcome};
use crate::paths;
use crate::printer::Printer;

pub(crate) fn run(arguments: &cli::Status, printer: Printer) -> Outcome {
    let folder = paths::target(arguments.target.state.as_deref())?;
    let Answer::Status(status) = ask_platform(&folder, &Request::Status)? else {
        return Err(Failure::unavailable(Diagnostic::error(
            codes::NOT_RUNNING,
            "an answer of another version",
        )));
    };
    match arguments.output {
        Output::Json => {
            printer.data(&serde_json::to_string_pretty(&status).expect("invariant: a Status is JSON"));
        }
        Output::Table if arguments.documents => documents(&status.documents, printer),
        Output::Table => table(&status, printer),
    }
    Ok(if status.ready { exit::DONE } else { exit::NO })
}

fn table(status: &Status, printer: Printer) {
    printer.data(&format!(
        "{:<14} {:<10} {:<6} {:<7} {:<26} {}",
        "REGION", "ROLE", "READY", "NODES", "API", "REASON"
    ));
    for region in &status.regions {
        let nodes = format!("{}/{}", region.nodes, region.nodes_wanted);
        let ready = if region.ready { "yes" } else { "no" };
        let reason = region.reason.as_deref().unwrap_or_default();
        let line = format!(
            "{:<14} {:<10} {ready:<6} {nodes:<7} {:<26} {reason}",
            region.name, region.role, region.endpoints.api
        );
        printer.data(line.trim_end());
    }
    for component in status.components.iter().filter(|component| component.state != "running") {
        let failure = component.failure.as_deref().unwrap_or_default();
        printer.data(&format!("{}/{} is {}: {failure}", component.region, component.name, component.state));
    }
}

fn documents(documents: &[DocumentStatus], printer: Printer) {
    printer.data(&format!("{:<12} {:<58} {}", "FATE", "DOCUMENT", "AT"));
    for document in documents {
        let at = format!("{}:{}", document.file, document.line);
        printer.data(&format!("{:<12} {:<58} {at}", fate(document.fate), document.what));
        if let Some(reason) = &document.reason {
            printer.data(&format!("{:<12} {reason}", ""));
        }
    }
}

/// The word for what became of a document.
pub(crate) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Applied => "applied",
        Fate::Stored => "stored",
        Fate::NotRunYet => "not run yet",
        Fate::Refused => "refused",
    }
}
