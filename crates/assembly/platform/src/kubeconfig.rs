//! kubectl's configuration: our entries merged in, and taken out again.
//!
//! An entry is ours where it is named `mainstay-…` and its certificate authority is one of our state
//! folder: another platform may have a region of the same name.
//!
//! **Invariants:** the user's file is replaced atomically under kubectl's own lock file; its
//! `current-context`, everything that is not named `mainstay-…`, and the entries of another platform
//! that runs stay as they are.

use std::io;
use std::path::{Path, PathBuf};

use mainstay_base::Diagnostic;
use serde_json::{Map, Value, json};

use crate::codes;
use crate::state::{self, write_private};

/// How the names of our entries begin.
const PREFIX: &str = "mainstay-";

/// The extension of a cluster's entry that says whose it is.
const EXTENSION: &str = "mainstay";

/// What kubectl needs to reach one region.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Context, cluster and user name: `mainstay-<region>`.
    pub name: String,
    /// `https://127.0.0.1:6443`.
    pub server: String,
    /// The region's CA certificate, PEM.
    pub authority_pem: String,
    /// The administrator's certificate, PEM.
    pub certificate_pem: String,
    /// Its key, PEM.
    pub key_pem: String,
}

/// Whose entries they are; it is written beside them, so that another platform sees it.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The platform's name.
    pub platform: &'a str,
    /// Its state folder.
    pub folder: &'a Path,
}

/// How a merge went.
#[derive(Debug, Default)]
pub struct Merged {
    /// The contexts that are set, in the order of the entries.
    pub contexts: Vec<String>,
    /// What could not be called as usual.
    pub warnings: Vec<Diagnostic>,
}

/// The context of a region.
pub fn context(region: &str) -> String {
    format!("{PREFIX}{region}")
}

/// A whole kubeconfig of these entries, the first one current.
pub fn render(entries: &[Entry]) -> String {
    let mut config = empty();
    for entry in entries {
        insert(&mut config, entry, None);
    }
    if let (Some(first), Some(map)) = (entries.first(), config.as_object_mut()) {
        map.insert("current-context".to_owned(), json!(first.name));
    }
    to_yaml(&config)
}

/// Writes a kubeconfig of these entries alone (0600).
///
/// # Errors
/// A Diagnostic where the file cannot be written.
pub fn write(path: &Path, entries: &[Entry]) -> Result<(), Diagnostic> {
    write_private(path, render(entries).as_bytes()).map_err(|error| unusable(path, &error.to_string()))
}

/// Puts the entries into the file at `path`, making it where it does not exist; older ones of the
/// same state folder go. Where another platform that runs has an entry of that name, ours is called
/// `mainstay-<platform>-<region>`.
///
/// # Errors
/// A Diagnostic where the file is not a kubeconfig, is locked, or cannot be written.
pub fn merge(path: &Path, owner: &Owner<'_>, entries: &[Entry]) -> Result<Merged, Diagnostic> {
    let folder = owner.folder.canonicalize().unwrap_or_else(|_| owner.folder.to_owned());
    let owner = Owner { folder: &folder, ..*owner };
    let authorities = state::authorities(owner.folder);
    let mut merged = Merged::default();
    edit(path, |config| {
        for name in names(config, &authorities) {
            take_out(config, &name);
        }
        for entry in entries {
            place(config, &owner, entry, &mut merged);
        }
    })?;
    Ok(merged)
}

/// The entries of the file at `path` that these authorities (PEM) signed for.
///
/// # Errors
/// As [`merge`].
pub fn ours(path: &Path, authorities: &[String]) -> Result<Vec<String>, Diagnostic> {
    Ok(names(&read(path)?, authorities))
}

/// Takes the entries that these authorities (PEM) signed for out of the file at `path`.
///
/// # Errors
/// As [`merge`].
pub fn remove(path: &Path, authorities: &[String]) -> Result<(), Diagnostic> {
    if ours(path, authorities)?.is_empty() {
        return Ok(());
    }
    edit(path, |config| names(config, authorities).iter().for_each(|name| take_out(config, name)))
}

/// Inserts an entry under the first name that no other platform holds.
fn place(config: &mut Value, owner: &Owner<'_>, entry: &Entry, merged: &mut Merged) {
    let Some(holder) = holder(config, owner, &entry.name) else {
        insert(config, entry, Some(owner));
        merged.contexts.push(entry.name.clone());
        return;
    };
    let region = entry.name.trim_start_matches(PREFIX);
    let other = Entry { name: format!("{PREFIX}{}-{region}", owner.platform), ..entry.clone() };
    let problem = Diagnostic::warning(
        codes::CONTEXT_TAKEN,
        format!("the kubectl context {} belongs to platform \"{holder}\", which runs", entry.name),
    );
    merged.warnings.push(if self::holder(config, owner, &other.name).is_some() {
        problem
            .cause(format!("{} is taken as well: {region} gets no context", other.name))
            .help("name another file with `--kubeconfig FILE`, or use the one of `mainstay kubeconfig`")
    } else {
        insert(config, &other, Some(owner));
        merged.contexts.push(other.name.clone());
        problem
            .cause(format!("{region} of this platform is {} instead", other.name))
            .help("name another file with `--kubeconfig FILE` to have the usual name there")
    });
}

/// The platform that runs and has an entry of this name, if that is not `owner`.
fn holder(config: &Value, owner: &Owner<'_>, name: &str) -> Option<String> {
    let cluster = &clusters(config).find(|item| item["name"] == name)?["cluster"];
    let extensions = cluster.get("extensions")?.as_array()?;
    let note = &extensions.iter().find(|one| one["name"] == EXTENSION)?["extension"];
    let folder = Path::new(note["state"].as_str()?);
    let is_other = folder != owner.folder && state::is_running(folder);
    is_other.then(|| note["platform"].as_str().unwrap_or_default().to_owned())
}

/// The names of the entries that these authorities (PEM) signed for.
fn names(config: &Value, authorities: &[String]) -> Vec<String> {
    let authorities: Vec<String> = authorities.iter().map(|pem| base64(pem)).collect();
    let is_ours = |item: &&Value| {
        let authority = item["cluster"]["certificate-authority-data"].as_str();
        authority.is_some_and(|authority| authorities.iter().any(|one| one == authority))
    };
    let names = clusters(config).filter(is_ours).filter_map(|item| item["name"].as_str());
    names.filter(|name| name.starts_with(PREFIX)).map(str::to_owned).collect()
}

fn clusters(config: &Value) -> impl Iterator<Item = &Value> {
    config.get("clusters").and_then(Value::as_array).into_iter().flatten()
}

/// Reads, edits and replaces the file under kubectl's lock.
fn edit(path: &Path, change: impl FnOnce(&mut Value)) -> Result<(), Diagnostic> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unusable(path, &error.to_string()))?;
    }
    let _lock = Lock::take(path)?;
    let mut config = read(path)?;
    change(&mut config);
    write_private(path, to_yaml(&config).as_bytes()).map_err(|error| unusable(path, &error.to_string()))
}

fn read(path: &Path) -> Result<Value, Diagnostic> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty()),
        Err(error) => return Err(unusable(path, &error.to_string())),
    };
    if text.trim().is_empty() {
        return Ok(empty());
    }
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(config) if config.is_object() => Ok(config),
        Ok(_) => Err(unusable(path, "it is not a kubeconfig")),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

fn empty() -> Value {
    json!({"apiVersion": "v1", "kind": "Config", "preferences": {}, "clusters": [], "contexts": [], "users": []})
}

fn base64(pem: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem)
}

fn insert(config: &mut Value, entry: &Entry, owner: Option<&Owner<'_>>) {
    take_out(config, &entry.name);
    let mut cluster = json!({
        "server": entry.server,
        "certificate-authority-data": base64(&entry.authority_pem),
    });
    if let Some(owner) = owner {
        let note = json!({"platform": owner.platform, "state": owner.folder});
        cluster["extensions"] = json!([{"name": EXTENSION, "extension": note}]);
    }
    let user = json!({
        "client-certificate-data": base64(&entry.certificate_pem),
        "client-key-data": base64(&entry.key_pem),
    });
    let context = json!({"cluster": entry.name, "user": entry.name});
    for (list, field, value) in
        [("clusters", "cluster", cluster), ("users", "user", user), ("contexts", "context", context)]
    {
        let mut item = Map::new();
        item.insert("name".to_owned(), json!(entry.name));
        item.insert(field.to_owned(), value);
        match config.get_mut(list).and_then(Value::as_array_mut) {
            Some(items) => items.push(Value::Object(item)),
            None => config[list] = json!([item]),
        }
    }
}

fn take_out(config: &mut Value, name: &str) {
    for list in ["clusters", "users", "contexts"] {
        if let Some(items) = config.get_mut(list).and_then(Value::as_array_mut) {
            items.retain(|item| item.get("name").and_then(Value::as_str) != Some(name));
        }
    }
}

/// In block style, each value on one line, as kubectl writes it.
fn to_yaml(config: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(config, options).unwrap_or_else(|_| config.to_string())
}

fn unusable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(codes::KUBECONFIG, format!("kubeconfig {} cannot be used", path.display()))
        .cause(why.to_owned())
        .help("name another file with `--kubeconfig FILE`")
}

/// kubectl's own lock: `<file>.lock`, made exclusively, removed after.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> Result<Self, Diagnostic> {
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&lock) {
            Ok(_) => Ok(Self(lock)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(unusable(path, "another program is writing it")
                    .help(format!("try again; remove {} if no kubectl is running", lock.display())))
            }
            Err(error) => Err(unusable(path, &error.to_string())),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _already_gone = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests;
