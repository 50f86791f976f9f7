//! The rules of the house, as a test: edges, unused dependencies, sizes, headers, words, error pages.
//!
//! Each rule returns the sentences it objects to; no objection means tidy. `tidy-allow.txt` holds
//! the sizes that are over the wall today; it may only shrink.

use std::path::{Path, PathBuf};

mod edges;
mod pages;
mod sizes;
mod unused;
mod words;

/// Every objection of every rule to the workspace at `root`.
pub(crate) fn objections(root: &Path) -> anyhow::Result<Vec<String>> {
    let files = rust_files(root)?;
    let mut found = edges::check(root)?;
    for file in &files {
        found.extend(sizes::check(file)?);
        found.extend(words::check(file));
    }
    found.extend(unused::check(root, &files)?);
    found.extend(pages::check(root, &files)?);
    let allowed = std::fs::read_to_string(root.join("xtask/tidy-allow.txt")).unwrap_or_default();
    Ok(ratchet(found, &allowed))
}

/// Removes what the allow-list names, and objects to lines of it that nothing needs any more.
fn ratchet(found: Vec<String>, allowed: &str) -> Vec<String> {
    let allowed: Vec<&str> =
        allowed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let stale = allowed
        .iter()
        .filter(|line| !found.iter().any(|objection| objection == *line))
        .map(|line| format!("xtask/tidy-allow.txt allows what is tidy now, remove it: {line}"))
        .collect::<Vec<_>>();
    let mut left: Vec<String> =
        found.into_iter().filter(|objection| !allowed.contains(&objection.as_str())).collect();
    left.extend(stale);
    left
}

/// A Rust file of ours.
pub(crate) struct RustFile {
    /// Its path from the root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl RustFile {
    /// Whether the whole file is test or benchmark code.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "tests.rs"
            || self
                .path
                .iter()
                .any(|part| part == "tests" || part == "benches" || part == "examples" || part == "fuzz")
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// All Rust files below `crates`, `xtask` and `fuzz`, in order.
fn rust_files(root: &Path) -> anyhow::Result<Vec<RustFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask"), root.join("fuzz")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path)?;
                files.push(RustFile { path: path.strip_prefix(root)?.to_owned(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_workspace_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root");
        let objections = super::objections(root).expect("the workspace can be read");
        assert!(objections.is_empty(), "{} objections:\n{}", objections.len(), objections.join("\n"));
    }

    #[test]
    fn the_allow_list_can_only_shrink() {
        let found = vec!["a is long".to_owned(), "b is long".to_owned()];
        let left = super::ratchet(found, "# why\na is long\nc is long\n");
        assert_eq!(left.len(), 2);
        assert_eq!(left[0], "b is long");
        assert!(left[1].contains("c is long"));
    }
}
