//! Where objects came from, as `buildMetadata` has it told in annotations.

use mainstay_source::joined;

/// An object that was read from a file.
pub(super) fn of_file(path: &str) -> String {
    format!("path: {path}\n")
}

/// An object that a part of a kustomization made.
pub(super) fn of_builtin(folder: &str, file: &str, field: &str) -> String {
    let path = joined(folder, file).unwrap_or_default();
    let kind = match field {
        "configMapGenerator" => "ConfigMapGenerator",
        "secretGenerator" => "SecretGenerator",
        other => other,
    };
    format!("configuredIn: {path}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n")
}

/// The same as an item of a list of changes.
pub(super) fn item(origin: &str) -> String {
    let mut item = String::new();
    for (index, line) in origin.lines().enumerate() {
        item.push_str(if index == 0 { "- " } else { "  " });
        item.push_str(line);
        item.push('\n');
    }
    item
}
