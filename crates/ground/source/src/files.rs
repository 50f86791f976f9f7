//! Reading files: the only part that touches the disk.
//!
//! A folder is read whole, in the order of names. Hidden folders but `.github` are not entered.
//! Links are followed as long as they stay inside the Source; each file is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mainstay_base::{Diagnostic, limits};

use crate::problem;

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    /// Names and texts.
    pub texts: Vec<(String, String)>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Folders of templates that were left alone.
    pub templates: Vec<String>,
}

/// Whether a file of this name is Markdown.
pub(crate) fn is_markdown(name: &str) -> bool {
    matches!(extension(name).as_str(), "md" | "markdown")
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// Reads a folder or a file.
pub(crate) fn collect(path: &Path) -> Found {
    let mut found = Found::default();
    let root = match path.canonicalize() {
        Ok(root) => root,
        Err(error) => {
            found.unreadable(path, &error);
            return found;
        }
    };
    let mut walk = Walk { found, root, seen: BTreeSet::new(), bytes: 0, full: false };
    if walk.root.is_dir() {
        walk.folder(path);
    } else {
        walk.file(path);
    }
    walk.found
}

impl Found {
    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = format!("cannot read `{}`", path.display());
        let diagnostic = Diagnostic::error(problem::UNREADABLE, message).cause(error.to_string());
        self.diagnostics.push(diagnostic.help(problem::UNREADABLE_HELP));
    }
}

struct Walk {
    found: Found,
    /// The Source itself, with all links resolved.
    root: PathBuf,
    /// What was read already, likewise.
    seen: BTreeSet<PathBuf>,
    bytes: u64,
    full: bool,
}

impl Walk {
    fn folder(&mut self, path: &Path) {
        let listed = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.found.unreadable(path, &error),
        };
        let mut names: Vec<_> = entries.iter().map(fs::DirEntry::file_name).collect();
        names.sort();
        let is_chart = names.iter().any(|name| name == "Chart.yaml");
        for name in names {
            let child = path.join(&name);
            if is_chart && name == "templates" {
                self.found.templates.push(shown(&child));
                continue;
            }
            if self.full {
                return;
            }
            self.entry(&child, &name.to_string_lossy());
        }
    }

    fn entry(&mut self, path: &Path, name: &str) {
        let resolved = match path.canonicalize() {
            Ok(resolved) => resolved,
            Err(error) if is_wanted(name) => return self.found.unreadable(path, &error),
            // A dangling link to something that would not be read anyway.
            Err(_) => return,
        };
        let is_folder = resolved.is_dir();
        if (is_folder && is_hidden(name)) || (!is_folder && !is_wanted(name)) {
            return;
        }
        if !resolved.starts_with(&self.root) {
            return self.leads_out(path, &resolved);
        }
        if !self.seen.insert(resolved) {
            return;
        }
        if is_folder {
            self.folder(path);
        } else {
            self.file(path);
        }
    }

    fn leads_out(&mut self, path: &Path, target: &Path) {
        let message = format!("the link `{}` leads out of the Source", path.display());
        let diagnostic = Diagnostic::error(problem::LINK_OUT, message)
            .cause(format!("it points to `{}`", target.display()))
            .help("copy the file into the Source, or make the folder that holds both the Source");
        self.found.diagnostics.push(diagnostic);
    }

    fn file(&mut self, path: &Path) {
        if self.found.texts.len() >= limits::SOURCE_FILES {
            return self.too_large(format!("the Source has more than {} files", limits::SOURCE_FILES));
        }
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.found.unreadable(path, &error),
        };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > limits::SOURCE_FILE_BYTES {
            let limit = limits::SOURCE_FILE_BYTES / (1024 * 1024);
            let message = format!("`{}` is larger than {limit} MiB", path.display());
            let help = "split the file, or keep it out of the Source";
            self.found.diagnostics.push(Diagnostic::error(problem::TOO_LARGE, message).help(help));
            return;
        }
        self.bytes += size;
        if self.bytes > limits::SOURCE_BYTES {
            let limit = limits::SOURCE_BYTES / (1024 * 1024);
            return self.too_large(format!("the Source is larger than {limit} MiB"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.found.texts.push((shown(path), text)),
            Err(error) => self.not_text(path, error.utf8_error().valid_up_to()),
        }
    }

    fn too_large(&mut self, message: String) {
        self.full = true;
        let help = "name the folder of the platform's files, not one above it";
        self.found.diagnostics.push(Diagnostic::error(problem::TOO_LARGE, message).help(help));
    }

    fn not_text(&mut self, path: &Path, byte: usize) {
        let message = format!("`{}` is not UTF-8 text", path.display());
        let diagnostic = Diagnostic::error(problem::NOT_TEXT, message)
            .cause(format!("byte {byte} does not belong to any character"))
            .help("save it as UTF-8, or keep it out of the Source");
        self.found.diagnostics.push(diagnostic);
    }
}

/// A file's bytes, but no more than one beyond the limit.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is neither a file nor a folder"));
    }
    let mut bytes = Vec::new();
    file.take(limits::SOURCE_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".github"
}

fn is_wanted(name: &str) -> bool {
    name == "Kustomization" || matches!(extension(name).as_str(), "yaml" | "yml" | "json" | "md")
}

/// Reads files by name that hold no documents: what is there of them, and what may not be read.
pub(crate) fn named(
    source: &Path,
    names: BTreeSet<String>,
) -> (BTreeMap<String, Arc<[u8]>>, Vec<Diagnostic>) {
    let mut files = BTreeMap::new();
    let Some(folder) = source.canonicalize().ok().filter(|path| path.is_dir()) else {
        return (files, Vec::new());
    };
    let mut left = limits::SOURCE_BYTES;
    let mut walk =
        Walk { found: Found::default(), root: folder, seen: BTreeSet::new(), bytes: 0, full: false };
    for name in names.into_iter().take(limits::SOURCE_FILES) {
        let path = Path::new(&name);
        let Ok(resolved) = path.canonicalize() else { continue };
        if !resolved.starts_with(&walk.root) {
            walk.leads_out(path, &resolved);
            continue;
        }
        let Ok(bytes) = read(&resolved) else { continue };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > limits::SOURCE_FILE_BYTES || size > left {
            let message = format!("`{name}` is too large to be taken in");
            let help = "split the file, or keep it out of the Source";
            walk.found.diagnostics.push(Diagnostic::error(problem::TOO_LARGE, message).help(help));
            continue;
        }
        left -= size;
        files.insert(name, bytes.into());
    }
    (files, walk.found.diagnostics)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests;
