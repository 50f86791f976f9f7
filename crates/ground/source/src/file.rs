//! One file's text and its lines.

use std::sync::Arc;

use mainstay_base::diagnostic::Location;

/// A text under the name the user knows it by.
#[derive(Debug)]
pub struct File {
    name: Arc<str>,
    text: String,
    /// Where each line starts, in bytes.
    starts: Vec<usize>,
}

impl File {
    /// This text under this name. A byte order mark at its start is dropped.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { name: name.into(), text, starts }
    }

    /// The name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One line, from 1, without its end; empty when there is none.
    pub fn line(&self, line: u32) -> &str {
        let index = (line as usize).wrapping_sub(1);
        let Some(start) = self.starts.get(index) else { return "" };
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// The line, from 1, and the column in characters, from 0, of a byte.
    pub(crate) fn position(&self, byte: usize) -> (u32, u32) {
        let index = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let before = self.text.get(self.starts[index]..byte).unwrap_or_default();
        (count(index).saturating_add(1), count(before.chars().count()))
    }

    /// A stretch of a line, as diagnostics take it.
    pub(crate) fn location(&self, line: u32, column: u32, length: u32) -> Location {
        Location { file: self.name.clone(), line, column, length }
    }
}

/// A count as the tree holds it; what is beyond is not told apart.
pub(crate) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_positions_count_from_the_start_of_the_text() {
        let file = File::new("a.yaml", "\u{feff}eins\r\nzwö: 3\n");
        assert_eq!(
            (file.line(1), file.line(2), file.line(3), file.line(0), file.line(9)),
            ("eins", "zwö: 3", "", "", "")
        );
        assert_eq!(file.position(0), (1, 0));
        assert_eq!(file.position(file.text().find('3').unwrap()), (2, 5));
        assert_eq!(file.position(file.text().len()), (3, 0));
    }
}
