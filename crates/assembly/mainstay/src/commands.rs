//! A file per subcommand; each returns its exit code or a failure with Diagnostics.

pub(crate) mod down;
pub(crate) mod drill;
pub(crate) mod explain;
pub(crate) mod kubeconfig;
pub(crate) mod reset;
pub(crate) mod status;
pub(crate) mod up;

use std::path::Path;

use mainstay_base::{Diagnostic, World};
use mainstay_platform::control::{Answer, Request, ask};
use mainstay_platform::{codes, state};

use crate::exit::Failure;

/// A runtime for a command that talks to a running platform.
pub(crate) fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::unavailable(Diagnostic::error(codes::REGION_START, "no runtime").cause(error.to_string()))
    })
}

/// Asks the platform whose state lies in `folder`.
pub(crate) fn ask_platform(folder: &Path, request: &Request) -> Result<Answer, Failure> {
    let socket = state::control_socket(folder);
    small_runtime()?.block_on(async {
        ask(World::real().net(), &socket, request).await.map_err(|error| {
            Failure::unavailable(
                Diagnostic::error(codes::NOT_RUNNING, "the platform does not answer")
                    .cause(format!("{}: {error}", socket.display()))
                    .help("start it with `mainstay up [SOURCE]`"),
            )
        })
    })
}
