//! Quoted text that goes on at less indentation than the parser takes.
//!
//! Kubernetes' own reader takes it at any indentation. White space that a further line starts with is
//! folded away, so spaces put before it change nothing of the value, and every line stays where it is.
//!
//! **Invariant:** each step mends a later line than the one before, and all of them together copy no
//! more than a few files may have bytes.

use std::collections::BTreeMap;

use mainstay_base::limits;

use crate::file::count;
use crate::tree::Place;

/// What the parser says of such text.
const COMPLAINT: &str = "invalid indentation in quoted scalar";

/// What was mended in a text.
pub(super) struct Mended {
    /// How many spaces were put before a line of the text, from 0.
    padding: BTreeMap<u32, u32>,
    /// How many bytes may still be copied.
    room: u64,
    last: Option<Last>,
}

/// The scalar that was mended last.
struct Last {
    start: u32,
    end: u32,
    /// What was said of it, and where.
    complaint: (String, Place),
}

impl Default for Mended {
    fn default() -> Self {
        Self { padding: BTreeMap::new(), room: 4 * limits::SOURCE_FILE_BYTES, last: None }
    }
}

impl Mended {
    /// Where a column of a line of the mended text, both from 0, was before.
    pub(crate) fn column(&self, line: u32, column: u32) -> u32 {
        column.saturating_sub(self.padding.get(&line).copied().unwrap_or(0))
    }

    /// The text that is left, from its line `first` of the whole on, with more room for the quoted
    /// text at a line and column; nothing when that is not what is wrong, or does not help.
    pub(crate) fn mend(
        &mut self,
        text: &str,
        first: u32,
        (line, column): (u32, u32),
        complaint: (&str, Place),
    ) -> Option<String> {
        let start = first.saturating_add(line);
        let is_later = self.last.as_ref().is_none_or(|last| start > last.start);
        if complaint.0 != COMPLAINT || !is_later {
            return None;
        }
        self.room = self.room.checked_sub(text.len() as u64)?;
        let (before, quoted, after) = split(text, line, column)?;
        let width = column.saturating_add(1);
        let mut mended = before.to_owned();
        let mut end = start;
        for (number, piece) in (start..).zip(quoted.split_inclusive('\n')) {
            if number > start && !piece.trim().is_empty() && !is_marker(piece) {
                *self.padding.entry(number).or_default() += width;
                mended.extend(std::iter::repeat_n(' ', width as usize));
            }
            mended.push_str(piece);
            end = number;
        }
        mended.push_str(after);
        self.last = Some(Last { start, end, complaint: (complaint.0.to_owned(), complaint.1) });
        Some(mended)
    }

    /// What is to be said when the YAML is broken at a line: when what was mended last did not help,
    /// what was said of that.
    pub(crate) fn instead(&mut self, line: u32) -> Option<(String, Place)> {
        self.last.take_if(|last| line <= last.end).map(|last| last.complaint)
    }
}

/// The text before, of, and after the quoted text that starts at a line and column, from 0.
fn split(text: &str, line: u32, column: u32) -> Option<(&str, &str, &str)> {
    let rest = text.split_inclusive('\n').nth(line as usize)?;
    let (at, _) = rest.char_indices().nth(column as usize)?;
    let start = text.split_inclusive('\n').take(line as usize).map(str::len).sum::<usize>() + at;
    let (before, quoted) = text.split_at(start);
    let (quoted, after) = quoted.split_at(length(quoted)?);
    Some((before, quoted, after))
}

/// How long the quoted text is that a text starts with.
fn length(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().peekable();
    let (_, quote) = bytes.next().filter(|(_, byte)| matches!(byte, b'\'' | b'"'))?;
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && quote == b'"' {
            bytes.next();
        } else if byte == quote && (quote == b'"' || bytes.next_if(|(_, next)| *next == quote).is_none()) {
            return Some(at + 1);
        }
    }
    None
}

/// Whether a line separates documents. Quoted text must not hold one.
fn is_marker(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// Where a span starts, line and column from 0.
pub(super) fn position(marker: saphyr_parser::Marker) -> (u32, u32) {
    (count(marker.line().saturating_sub(1)), count(marker.col()))
}
