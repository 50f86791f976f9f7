//! `mainstay explain CODE`: the page behind an error code.

use mainstay_base::Diagnostic;

use crate::cli::Explain;
use crate::exit::{self, Failure, Outcome};
use crate::pages;
use crate::printer::Printer;

/// A code that has no page.
const UNKNOWN_CODE: &str = "M0001";

pub(crate) fn run(arguments: &Explain, printer: Printer) -> Outcome {
    let Some(code) = &arguments.code else {
        pages::titles().for_each(|(code, title)| printer.data(&format!("{code}  {title}")));
        return Ok(exit::DONE);
    };
    let Some(page) = pages::page(code) else {
        return Err(Failure::usage(
            Diagnostic::error(UNKNOWN_CODE, format!("no page explains \"{code}\""))
                .help("`mainstay explain` lists all codes"),
        ));
    };
    printer.data(page.trim_end());
    Ok(exit::DONE)
}
