//! The state folder: who owns it, in which format, and where things lie in it.
//!
//! `format` · `platform.json` · `lock` · `control.sock` · `kubeconfig` (0600) · `mainstay.log` ·
//! `regions/<name>/` (store and keys). The folder is 0700.
//!
//! **Invariants:** one process at a time holds the lock. A folder of another platform or of an
//! unknown format is never written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use mainstay_base::Diagnostic;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::codes;

/// The format this version reads and writes.
const FORMAT: &str = "1";

/// A state folder this process owns; dropping it gives the folder back.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    _lock: File,
}

/// Who the folder belongs to.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    name: String,
}

impl State {
    /// Takes the folder for the platform called `name`, making it where it does not exist.
    ///
    /// # Errors
    /// A Diagnostic where the folder is another platform's, of another format, in use, or not
    /// writable.
    pub fn take(folder: &Path, name: &str) -> Result<Self, Diagnostic> {
        let unusable = |error: io::Error| folder_error(folder, &error);
        make_private_folder(folder).map_err(unusable)?;
        check(folder, name)?;
        let lock = private_file(&folder.join("lock")).map_err(unusable)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Diagnostic::error(
                codes::ALREADY_RUNNING,
                format!("platform \"{name}\" is running already"),
            )
            .cause(format!("another process holds {}", folder.join("lock").display()))
            .help("stop it with `mainstay down`, or use another folder with `--state DIR`"));
        }
        write_private(&folder.join("format"), format!("{FORMAT}\n").as_bytes()).map_err(unusable)?;
        let owner = serde_json::json!(Owner { name: name.to_owned() }).to_string();
        write_private(&folder.join("platform.json"), owner.as_bytes()).map_err(unusable)?;
        let state = Self { folder: folder.to_owned(), _lock: lock };
        // A socket left by a killed process would refuse the bind.
        let _absent = fs::remove_file(state.control_socket());
        Ok(state)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one region's store and keys, made where it does not exist.
    pub fn region(&self, name: &str) -> Result<PathBuf, Diagnostic> {
        let folder = self.folder.join("regions").join(name);
        make_private_folder(&folder).map_err(|error| folder_error(&folder, &error))?;
        Ok(folder)
    }

    /// The socket a running platform answers on.
    pub fn control_socket(&self) -> PathBuf {
        control_socket(&self.folder)
    }
}

/// The socket of the platform in `folder`.
pub fn control_socket(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// The kubeconfig of the platform in `folder`.
pub fn kubeconfig(folder: &Path) -> PathBuf {
    folder.join("kubeconfig")
}

/// The certificates (PEM) of the authorities of all regions that have state in `folder`.
pub fn authorities(folder: &Path) -> Vec<String> {
    let Ok(regions) = fs::read_dir(folder.join("regions")) else { return Vec::new() };
    regions.flatten().filter_map(|region| fs::read_to_string(region.path().join("ca.crt")).ok()).collect()
}

/// The log of a detached platform in `folder`.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("mainstay.log")
}

/// The platform `folder` belongs to; `None` where it is no state folder.
pub fn owner(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("platform.json")).ok()?;
    serde_json::from_str::<Owner>(&text).ok().map(|owner| owner.name)
}

/// Whether a process holds the folder's lock.
pub fn is_running(folder: &Path) -> bool {
    File::open(folder.join("lock"))
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

/// Removes a state folder that nobody uses.
///
/// # Errors
/// A Diagnostic where it is in use, is no state folder, or cannot be removed.
pub fn remove(folder: &Path) -> Result<(), Diagnostic> {
    if owner(folder).is_none() {
        return Err(Diagnostic::error(
            codes::STATE_FOLDER,
            format!("{} is not a state folder of mainstay", folder.display()),
        )
        .help("name the folder that `mainstay up` was given"));
    }
    if is_running(folder) {
        return Err(Diagnostic::error(codes::ALREADY_RUNNING, "the platform is still running")
            .help("stop it first with `mainstay down`"));
    }
    fs::remove_dir_all(folder).map_err(|error| folder_error(folder, &error))
}

/// Refuses a folder of another platform or format, and one that holds something else.
///
/// # Errors
/// A Diagnostic that says which.
pub fn check(folder: &Path, name: &str) -> Result<(), Diagnostic> {
    let format = fs::read_to_string(folder.join("format")).unwrap_or_default();
    if folder.join("platform.json").exists() && format.trim() != FORMAT {
        return Err(Diagnostic::error(
            codes::STATE_FORMAT,
            format!("state folder {} has format {}", folder.display(), format.trim()),
        )
        .cause(format!("this version reads format {FORMAT}"))
        .help("use the version that wrote it, or another folder with `--state DIR`"));
    }
    match owner(folder) {
        Some(owner) if owner != name => Err(Diagnostic::error(
            codes::FOREIGN_STATE,
            format!("state folder {} belongs to platform \"{owner}\"", folder.display()),
        )
        .cause(format!("this Source makes platform \"{name}\""))
        .help("use another folder with `--state DIR`, or remove this one with `mainstay reset`")),
        Some(_) => Ok(()),
        None if is_foreign(folder) => Err(Diagnostic::error(
            codes::STATE_FOLDER,
            format!("{} holds files that mainstay did not write", folder.display()),
        )
        .help("name an empty or a new folder with `--state DIR`")),
        None => Ok(()),
    }
}

/// Whether the folder has files but was never a state folder.
fn is_foreign(folder: &Path) -> bool {
    let ours = ["format", "platform.json", "lock", "mainstay.log"];
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| !ours.iter().any(|name| entry.file_name() == *name))
    })
}

fn folder_error(folder: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(codes::STATE_FOLDER, format!("state folder {} cannot be used", folder.display()))
        .cause(error.to_string())
        .help("name a folder you may write to with `--state DIR`")
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Writes a file of mode 0600 so that a reader sees the old or the new content, never a part.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let _absent = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests;
