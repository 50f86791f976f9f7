//! Every error code has a page, and every page a code.

use std::collections::BTreeSet;
use std::path::Path;

use super::RustFile;

/// Objections to the codes in the sources against `docs/errors`.
pub(super) fn check(root: &Path, files: &[RustFile]) -> anyhow::Result<Vec<String>> {
    let used: BTreeSet<String> = files
        .iter()
        .filter(|file| !file.is_test() && !file.path.starts_with("xtask"))
        .flat_map(codes)
        .collect();
    let mut pages = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("docs/errors"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(code) = name.strip_suffix(".md") {
            pages.insert(code.to_owned());
        }
    }
    let mut found: Vec<String> =
        used.difference(&pages).map(|code| format!("{code} has no page docs/errors/{code}.md")).collect();
    found.extend(
        pages.difference(&used).map(|code| format!("docs/errors/{code}.md explains a code nobody uses")),
    );
    for code in &pages {
        let text = std::fs::read_to_string(root.join("docs/errors").join(format!("{code}.md")))?;
        if !text.starts_with(&format!("# {code}: ")) {
            found.push(format!("docs/errors/{code}.md does not start with \"# {code}: \""));
        }
    }
    Ok(found)
}

/// The codes that stand in a file as string literals, its test modules aside.
fn codes(file: &RustFile) -> Vec<String> {
    let text = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    text.split('"')
        .filter(|part| {
            part.len() == 5 && part.starts_with('M') && part[1..].bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}
