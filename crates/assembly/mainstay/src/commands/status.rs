//! `mainstay status`: how a running platform stands.

use mainstay_base::Diagnostic;
use mainstay_platform::codes;
use mainstay_platform::control::{Answer, Request};
use mainstay_platform::status::{DocumentStatus, Status};

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

/// One row per document and diagram: where it is written, what it is, where it goes, what became of
/// it.
fn documents(documents: &[DocumentStatus], printer: Printer) {
    let cells = documents.iter().map(|document| {
        let fate = document.fate.word();
        let why = match (&document.code, &document.reason) {
            (Some(code), Some(reason)) => format!("{code}: {reason}"),
            (Some(code), None) => code.clone(),
            (None, reason) => reason.clone().unwrap_or_default(),
        };
        let regions = if document.regions.is_empty() { "-".to_owned() } else { document.regions.join(",") };
        let at = format!("{}:{}", document.file, document.line);
        [at, document.what.clone(), regions, fate.to_owned(), why]
    });
    let mut rows = vec![["AT", "DOCUMENT", "REGIONS", "FATE", "WHY"].map(str::to_owned)];
    rows.extend(cells);
    for line in columns(&rows) {
        printer.data(&line);
    }
    printer.data(&format!("\n{}", summary(documents)));
}

/// `47 documents: 30 applied, 12 stored, 5 not run yet`.
fn summary(documents: &[DocumentStatus]) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for document in documents {
        *counts.entry(document.fate).or_insert(0_usize) += 1;
    }
    let parts: Vec<String> =
        counts.into_iter().map(|(fate, count)| format!("{count} {}", fate.word())).collect();
    format!("{} in all: {}", documents.len(), parts.join(", "))
}

/// Rows as lines whose columns stand below each other.
fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
