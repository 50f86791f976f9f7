//! Mainstay's own log, and leaving the terminal behind.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Mutex;

use mainstay_base::Diagnostic;
use mainstay_platform::{State, codes, state};
use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Sends log lines to the state folder's log from now on.
pub(super) fn begin(state: &State, format: LogFormat) -> Result<(), Diagnostic> {
    let file = Mutex::new(open(state)?);
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube=warn,hyper=warn,rustls=error"));
    // On a full disk a line is lost; complaining about it to stderr, which is the same file, would panic.
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(file);
    let outcome = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    outcome.map_err(|error| {
        Diagnostic::error(codes::STATE_FOLDER, "the log cannot begin").cause(error.to_string())
    })
}

/// Leaves the session of the terminal; what would reach stderr (a panic) reaches the log.
pub(super) fn detach_from_terminal(state: &State) -> Result<(), Diagnostic> {
    let file = open(state)?;
    // Fails only where this process leads a session already, which is what we want.
    let _already_leads = rustix::process::setsid();
    rustix::stdio::dup2_stderr(&file).map_err(|error| {
        Diagnostic::error(codes::STATE_FOLDER, "stderr cannot be redirected").cause(error.to_string())
    })
}

fn open(state: &State) -> Result<File, Diagnostic> {
    let path = state::log(state.folder());
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(|error| {
        Diagnostic::error(codes::STATE_FOLDER, format!("{} cannot be written", path.display()))
            .cause(error.to_string())
            .help("name a folder you may write to with `--state DIR`")
    })
}
