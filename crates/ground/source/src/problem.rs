//! What can be wrong with a Source, by code.
//!
//! Each code has a page in `docs/errors`.

use mainstay_base::Diagnostic;
use mainstay_base::diagnostic::Location;

use crate::file::File;

/// The Source, or a file in it, cannot be read.
pub(crate) const UNREADABLE: &str = "M0101";
/// A link leads out of the Source.
pub(crate) const LINK_OUT: &str = "M0102";
/// A file, or the whole Source, is larger than a limit.
pub(crate) const TOO_LARGE: &str = "M0103";
/// A file is not text.
pub(crate) const NOT_TEXT: &str = "M0104";
/// The YAML is broken.
pub(crate) const SYNTAX: &str = "M0105";
/// A key stands twice in a mapping.
pub(crate) const DUPLICATE_KEY: &str = "M0106";
/// A key is not text.
pub(crate) const KEY: &str = "M0107";
/// An alias names nothing or itself, a merge is of no mapping, or a document is too large written out.
pub(crate) const ALIAS: &str = "M0108";
/// A field that the type does not have.
pub(crate) const UNKNOWN_FIELD: &str = "M0109";
/// A value that the field cannot have.
pub(crate) const WRONG_VALUE: &str = "M0110";
/// There is no document in the Source.
pub(crate) const EMPTY: &str = "M0111";

/// What helps when nothing more is known about broken YAML.
pub(crate) const SYNTAX_HELP: &str =
    "look for a bracket, a quote or an indent that is missing on this line or above it";
/// What helps when a Source cannot be read.
pub(crate) const UNREADABLE_HELP: &str = "name a folder or a file that exists and that you may read";

/// What helps with an alias or a merge.
pub(crate) const ALIAS_HELP: &str =
    "write the value out; an anchor holds within one document, from where it stands on";
/// What helps with a document that is too deep or too large once its aliases are written out.
pub(crate) const EXTENT_HELP: &str = "split the document, or use fewer aliases and merges";

/// A longer line is not shown whole.
const LINE_BYTES: usize = 2000;

/// An error at a place of a file, with its line.
pub(crate) fn at(
    code: &'static str,
    message: impl Into<String>,
    file: &File,
    location: Location,
) -> Diagnostic {
    let shown = shown(file.line(location.line));
    Diagnostic::error(code, message).at(location, shown)
}

/// What helps when a line is a template's.
pub(crate) fn template_help(line: &str) -> Option<&'static str> {
    shown(line)
        .contains("{{")
        .then_some("templates are not rendered: keep them out of the Source, or quote the value")
}

fn shown(line: &str) -> &str {
    &line[..line.floor_char_boundary(LINE_BYTES)]
}
