//! kubectl's configuration: our entries merged in, and taken out again.
//!
//! **Invariants:** the user's file is replaced atomically under kubectl's own lock file; its
//! `current-context` and everything that is not named `mainstay-…` of ours stay as they are.

use std::io;
use std::path::{Path, PathBuf};

use mainstay_base::Diagnostic;
use serde_json::{Map, Value, json};

use crate::codes;
use crate::state::write_private;

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

/// The context of a region.
pub fn context(region: &str) -> String {
    format!("mainstay-{region}")
}

/// A whole kubeconfig of these entries, the first one current.
pub fn render(entries: &[Entry]) -> String {
    let mut config = empty();
    for entry in entries {
        insert(&mut config, entry);
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

/// Puts the entries into the file at `path`, making it where it does not exist.
///
/// # Errors
/// A Diagnostic where the file is not a kubeconfig, is locked, or cannot be written.
pub fn merge(path: &Path, entries: &[Entry]) -> Result<(), Diagnostic> {
    edit(path, |config| entries.iter().for_each(|entry| insert(config, entry)))
}

/// Takes the entries of these names out of the file at `path`.
///
/// # Errors
/// As [`merge`].
pub fn remove(path: &Path, names: &[String]) -> Result<(), Diagnostic> {
    if !path.exists() {
        return Ok(());
    }
    edit(path, |config| names.iter().for_each(|name| take_out(config, name)))
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

fn insert(config: &mut Value, entry: &Entry) {
    take_out(config, &entry.name);
    let base64 = |pem: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
    let cluster = json!({
        "server": entry.server,
        "certificate-authority-data": base64(&entry.authority_pem),
    });
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
