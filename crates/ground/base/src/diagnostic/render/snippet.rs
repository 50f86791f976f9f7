//! The part of a source line that is shown, and what is underlined in it.

use super::visible::{push, width};

/// Columns of a source line that are shown at most.
const MOST_COLUMNS: usize = 100;
/// Columns shown before what is meant when the line is longer.
const LEAD_COLUMNS: usize = 40;
/// Stands for what is left out.
const LEFT_OUT: &str = "...";

/// A source line as it is shown.
pub(super) struct Snippet {
    /// The line, or a window of it.
    pub(super) text: String,
    /// Columns before the underline.
    pub(super) indent: usize,
    /// Columns of the underline, at least one.
    pub(super) width: usize,
}

/// Cuts the window of `source` that shows `length` characters at `column` (from 1).
pub(super) fn cut(source: &str, column: u32, length: u32) -> Snippet {
    let source = source.lines().next().unwrap_or("");
    let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let meant = source.char_indices().nth(skipped).map_or(source.len(), |(index, _)| index);
    let start = window_start(source, meant);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let meant_end =
        source[meant..].char_indices().nth(length).map_or(source.len(), |(index, _)| meant + index);

    let mut snippet = Snippet { text: String::new(), indent: 0, width: 0 };
    let mut columns = 0;
    if start > 0 {
        snippet.text.push_str(LEFT_OUT);
        columns = LEFT_OUT.len();
        snippet.indent = columns;
    }
    for (index, character) in source[start..].char_indices() {
        columns += width(character);
        if columns > MOST_COLUMNS {
            snippet.text.push_str(LEFT_OUT);
            break;
        }
        push(&mut snippet.text, character);
        match start + index {
            index if index < meant => snippet.indent += width(character),
            index if index < meant_end => snippet.width += width(character),
            _ => {}
        }
    }
    snippet.width = snippet.width.max(1);
    snippet
}

/// Where the window begins, in bytes: at the line's start if all fits, else shortly before `meant`.
fn window_start(source: &str, meant: usize) -> usize {
    let fits = |text: &str, most: usize| {
        text.chars().try_fold(0, |sum, character| Some(sum + width(character)).filter(|sum| *sum <= most))
    };
    if fits(source, MOST_COLUMNS).is_some() {
        return 0;
    }
    let mut lead = 0;
    for (index, character) in source[..meant].char_indices().rev() {
        lead += width(character);
        if lead > LEAD_COLUMNS {
            return index + character.len_utf8();
        }
    }
    0
}
