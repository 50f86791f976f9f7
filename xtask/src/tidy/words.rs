//! Headers, names and marks: what a file must say and what it must not.

use super::RustFile;

/// Suffixes that name nothing.
const BANNED: [&str; 6] = ["Manager", "Helper", "Util", "Common", "Impl", "Wrapper"];

/// Objections to one file.
pub(super) fn check(file: &RustFile) -> Vec<String> {
    let mut found = Vec::new();
    let name = file.name();
    if !file.text.starts_with("//!") {
        found.push(format!("{name} does not open with a //! header"));
    }
    if file.path.file_name().is_some_and(|last| last == "mod.rs") {
        found.push(format!("{name}: foo.rs beside foo/, never mod.rs"));
    }
    // What a test module holds may be the very thing its rule forbids.
    let text = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        found.extend(banned_name(line).map(|word| format!("{name}:{number}: the name {word} says nothing")));
        if has_mark(line) {
            found.push(format!("{name}:{number}: an unfinished mark"));
        }
        let opens_select = line.trim_end().ends_with(concat!("select", "! {"));
        let next = lines[index + 1..].iter().find(|next| !next.trim().is_empty());
        if opens_select && next.is_none_or(|next| next.trim() != "biased;") {
            found.push(format!("{name}:{number}: select! is not biased"));
        }
    }
    found
}

/// The banned name a line declares, if it declares one.
fn banned_name(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let keyword = words.iter().position(|word| matches!(*word, "struct" | "enum" | "trait"))?;
    if line.trim_start().starts_with("//") {
        return None;
    }
    let name = words.get(keyword + 1)?.split(|c: char| !c.is_alphanumeric()).next()?;
    BANNED.iter().any(|suffix| name.ends_with(suffix)).then_some(name)
}

/// Whether a comment says that something is left to do.
fn has_mark(line: &str) -> bool {
    let Some((_, comment)) = line.split_once("//") else { return false };
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")]
        .iter()
        .any(|mark| comment.split(|c: char| !c.is_alphanumeric()).any(|word| word == *mark))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{RustFile, check};

    fn objections(text: &str) -> usize {
        check(&RustFile { path: PathBuf::from("crates/a/b/src/c.rs"), text: text.to_owned() }).len()
    }

    #[test]
    fn what_must_not_stand_is_found() {
        assert_eq!(objections("//! A room.\npub struct Room;\n"), 0);
        assert_eq!(objections("pub struct Room;\n"), 1);
        assert_eq!(objections("//! A.\npub(crate) struct TaskManager {}\n"), 1);
        assert_eq!(objections("//! A.\n// TODO later\n"), 1);
        assert_eq!(objections("//! A.\n    tokio::select! {\n        x = y => {}\n"), 1);
        assert_eq!(objections("//! A.\n    tokio::select! {\n        biased;\n"), 0);
    }
}
