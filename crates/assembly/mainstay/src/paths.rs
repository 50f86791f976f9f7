//! Where things lie by default, and which platform a command without `--state` means.

use std::path::{Path, PathBuf};

use mainstay_base::Diagnostic;
use mainstay_platform::{codes, state};

use crate::exit::Failure;

/// The folder that holds the state folders: `$XDG_STATE_HOME/mainstay` or `~/.local/state/mainstay`.
pub(crate) fn states() -> PathBuf {
    variable("XDG_STATE_HOME").map_or_else(|| home().join(".local/state"), PathBuf::from).join("mainstay")
}

/// The user's kubeconfig: the first file of `$KUBECONFIG`, or `~/.kube/config`.
pub(crate) fn kubeconfig() -> PathBuf {
    variable("KUBECONFIG")
        .and_then(|list| std::env::split_paths(&list).find(|path| !path.as_os_str().is_empty()))
        .unwrap_or_else(|| home().join(".kube/config"))
}

/// The state folder a command means: the one it names, else the one that is running, else the one
/// there is.
pub(crate) fn target(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    let mut found = known_states();
    let running: Vec<PathBuf> = found.iter().filter(|folder| state::is_running(folder)).cloned().collect();
    if !running.is_empty() {
        found = running;
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::unavailable(
            Diagnostic::error(codes::NOT_RUNNING, "there is no platform")
                .help("start one with `mainstay up [SOURCE]`"),
        )),
        several => {
            let folders: Vec<String> = several.iter().map(|folder| folder.display().to_string()).collect();
            Err(Failure::usage(
                Diagnostic::error(
                    codes::AMBIGUOUS_PLATFORM,
                    format!("{} platforms could be meant", several.len()),
                )
                .cause(folders.join(", "))
                .help("name one with `--state DIR`"),
            ))
        }
    }
}

/// All state folders in the default place, in order.
fn known_states() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(states()) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|folder| state::owner(folder).is_some()).collect();
    folders.sort();
    folders
}

fn home() -> PathBuf {
    variable("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

#[allow(clippy::disallowed_methods, reason = "the binary reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
