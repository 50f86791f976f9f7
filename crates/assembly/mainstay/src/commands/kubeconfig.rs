//! `mainstay kubeconfig`: the kubeconfig of a platform, to stdout.

use mainstay_base::Diagnostic;
use mainstay_platform::{codes, state};

use crate::cli::Target;
use crate::exit::{self, Failure, Outcome};
use crate::paths;
use crate::printer::Printer;

pub(crate) fn run(arguments: &Target, printer: Printer) -> Outcome {
    let folder = paths::target(arguments.state.as_deref())?;
    let path = state::kubeconfig(&folder);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::unavailable(
            Diagnostic::error(codes::NOT_RUNNING, "this platform has no kubeconfig yet")
                .cause(format!("{}: {error}", path.display()))
                .help("start it with `mainstay up [SOURCE]`"),
        )
    })?;
    printer.data(text.trim_end());
    Ok(exit::DONE)
}
