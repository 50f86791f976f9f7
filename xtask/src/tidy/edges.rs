//! Dependencies go down the floors only, and each heavy dependency has its owners.
//!
//! Both tables are read from ARCHITECTURE.md, so the page cannot drift from the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Objections to the workspace's dependency edges.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let floors = table(&page, "| floor |");
    let owners = table(&page, "| dependency |");
    anyhow::ensure!(!floors.is_empty() && !owners.is_empty(), "ARCHITECTURE.md has no tables of edges");
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let rooms: BTreeMap<String, (String, String)> = metadata
        .workspace_packages()
        .into_iter()
        .filter_map(|package| Some((package.name.to_string(), place(root, package)?)))
        .collect();
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        let Some((own_floor, own_room)) = rooms.get(package.name.as_str()) else { continue };
        let allowed = floors.get(own_floor).cloned().unwrap_or_default();
        for dependency in &package.dependencies {
            // Tests of a room may use any floor below the assembly's.
            let is_test = dependency.kind == DependencyKind::Development;
            if let Some((target_floor, target_room)) = rooms.get(&dependency.name) {
                let edge = allowed.contains(target_floor)
                    || allowed.contains(&format!("{own_room} → {target_room}"))
                    || own_floor == target_floor && own_floor == "assembly"
                    || is_test && target_floor != "assembly";
                if !edge {
                    found.push(format!(
                        "{own_floor}/{own_room} may not depend on {target_floor}/{target_room}"
                    ));
                }
            } else if let Some(owning) = owners.get(&dependency.name)
                && !is_test
                && !owning.contains(own_room)
            {
                found.push(format!(
                    "{own_floor}/{own_room} may not use {}: it belongs to {owning:?}",
                    dependency.name
                ));
            }
        }
    }
    Ok(found)
}

/// The floor and room of a package, from its folder `crates/<floor>/<room>`.
fn place(root: &Path, package: &Package) -> Option<(String, String)> {
    let folder = package.manifest_path.parent()?;
    let path = folder.as_std_path().strip_prefix(root.join("crates")).ok()?;
    let mut parts = path.iter().filter_map(|part| part.to_str());
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

/// The Markdown table whose head starts with `head`: first cell → the backticked or comma-separated
/// words of the second.
pub(super) fn table(page: &str, head: &str) -> BTreeMap<String, BTreeSet<String>> {
    page.lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
            let name = cells.next()?;
            let words = cells.next()?.split(',').map(|word| word.trim().to_owned()).collect();
            Some((name, words))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_is_read_up_to_its_end() {
        let page = "text\n| floor | may depend on |\n|---|---|\n| ground | ground |\n| servers | ground, `a → b` |\n\n| floor |";
        let rows = table(page, "| floor |");
        assert_eq!(rows.len(), 2);
        assert!(rows["servers"].contains("a → b"));
    }
}
