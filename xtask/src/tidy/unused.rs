//! A crate names no dependency that its code does not, tests name theirs apart, and neither table of
//! dependencies (the workspace's, ARCHITECTURE.md's owners) has a line that nobody needs.
//!
//! The code is searched as text: a dependency that only a macro's output names needs a `use … as _`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use super::RustFile;

/// Objections to the dependencies of all crates.
pub(super) fn check(root: &Path, files: &[RustFile]) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut found = Vec::new();
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().context("a manifest has a folder")?.as_std_path();
        let own: Vec<&RustFile> =
            files.iter().filter(|file| root.join(&file.path).starts_with(folder)).collect();
        found.extend(unused(package, &own));
        let last = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        for dependency in &package.dependencies {
            let rooms = users.entry(dependency.name.clone()).or_default();
            if dependency.kind != DependencyKind::Development {
                rooms.insert(last.to_owned());
            }
        }
    }
    let manifest = std::fs::read_to_string(root.join("Cargo.toml"))?;
    found.extend(
        section(&manifest, "[workspace.dependencies]")
            .filter(|name| !users.contains_key(*name))
            .map(|name| format!("Cargo.toml: no crate uses {name}, remove it")),
    );
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    for (name, owners) in super::edges::table(&page, "| dependency |") {
        let rooms = users.get(&name).cloned().unwrap_or_default();
        found.extend(
            owners
                .difference(&rooms)
                .map(|room| format!("ARCHITECTURE.md: {room} owns {name} and does not use it, remove it")),
        );
    }
    Ok(found)
}

/// Objections to one crate, whose files are `own`.
fn unused(package: &Package, own: &[&RustFile]) -> Vec<String> {
    let mut found = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
        let is_test = dependency.kind == DependencyKind::Development;
        let outside_tests = own.iter().any(|file| !file.is_test() && names(shipped(&file.text), &name));
        let anywhere = outside_tests || own.iter().any(|file| names(&file.text, &name));
        let (package, dependency) = (&package.name, &dependency.name);
        if !anywhere {
            found.push(format!("{package} does not use {dependency}, remove it"));
        } else if !is_test && !outside_tests {
            found.push(format!("{package} uses {dependency} in tests only: it belongs to dev-dependencies"));
        }
    }
    found
}

/// What stands before the inline test module.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// Whether a line of code, comments aside, has `name` as a whole word.
fn names(text: &str, name: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name))
}

/// The keys of one section of a manifest.
fn section<'a>(manifest: &'a str, head: &'a str) -> impl Iterator<Item = &'a str> {
    manifest
        .lines()
        .skip_while(move |line| *line != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
}

#[cfg(test)]
mod tests {
    use super::{names, section, shipped};

    #[test]
    fn a_name_counts_as_a_whole_word_outside_comments() {
        assert!(names("use serde_json::Value;", "serde_json"));
        assert!(names("    #[derive(serde::Serialize)]", "serde"));
        assert!(!names("use serde_json::Value;", "serde"));
        assert!(!names("//! Uses serde.\n    // serde\n", "serde"));
    }

    #[test]
    fn what_a_test_module_names_does_not_count_for_the_shipped() {
        let text = "use bytes::Bytes;\n#[cfg(test)]\nmod tests {\n    use tempfile::tempdir;\n}\n";
        assert!(names(shipped(text), "bytes"));
        assert!(!names(shipped(text), "tempfile"));
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let manifest = "[a]\nx = 1\n[b]\n# Ours.\ny = { path = \"y\" }\nz-z = \"2\"\n\n[c]\nw = 3\n";
        assert_eq!(section(manifest, "[b]").collect::<Vec<_>>(), ["y", "z-z"]);
    }
}
