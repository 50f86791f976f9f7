//! Texts: plain, in single or double quotes, or as a block.

use super::Writer;
use crate::scalar;

/// Beyond this column a line is folded at the next space.
const WIDTH: usize = 80;

/// What forms a text may be written in.
#[derive(Clone, Copy, Debug, Default)]
struct Forms {
    plain: bool,
    single: bool,
    block: bool,
}

impl Writer<'_> {
    /// A text; of a key, on one line.
    pub(super) fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        let forms = forms(text);
        if text.contains('\n') {
            if forms.block && !is_key {
                self.block(text, indent);
            } else {
                self.double(text, indent, is_key);
            }
        } else if scalar::must_be_quoted(text) {
            self.double(text, indent, is_key);
        } else if forms.plain {
            self.plain(text, indent, is_key);
        } else if forms.single {
            self.single(text, indent, is_key);
        } else {
            self.double(text, indent, is_key);
        }
    }

    fn fold(&mut self, indent: usize) {
        self.break_line();
        self.indent(indent);
    }

    fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn plain(&mut self, text: &str, indent: usize, is_key: bool) {
        let mut spaces = false;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let next_is_space = rest.peek() == Some(&' ');
            if c == ' ' && !is_key && !spaces && self.column > WIDTH && !next_is_space {
                self.fold(indent);
            } else {
                self.put_char(c);
            }
            spaces = c == ' ';
        }
    }

    fn single(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put("'");
        let mut spaces = false;
        let mut rest = text.chars().enumerate().peekable();
        while let Some((index, c)) = rest.next() {
            let next = rest.peek().map(|(_, next)| *next);
            let is_inside = index > 0 && next.is_some() && next != Some(' ');
            if c == ' ' && !is_key && !spaces && self.column > WIDTH && is_inside {
                self.fold(indent);
            } else {
                self.put_char(c);
                if c == '\'' {
                    self.put_char(c);
                }
            }
            spaces = c == ' ';
        }
        self.put("'");
    }

    fn double(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put("\"");
        // An emitter's oddity: after such a start everything is written by number.
        let by_number = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut rest = text.chars().enumerate().peekable();
        while let Some((index, c)) = rest.next() {
            let next = rest.peek().map(|(_, next)| *next);
            if by_number || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.put(&escaped(c));
                spaces = false;
            } else if c == ' ' {
                if !is_key && !spaces && self.column > WIDTH && index > 0 && next.is_some() {
                    self.fold(indent);
                    if next == Some(' ') {
                        self.put("\\");
                    }
                } else {
                    self.put_char(c);
                }
                spaces = true;
            } else {
                self.put_char(c);
                spaces = false;
            }
        }
        self.put("\"");
    }

    /// A literal block. The line after it is not begun.
    fn block(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.break_line();
            if !line.is_empty() {
                self.indent(indent);
                self.put(line);
            }
        }
    }
}

/// A character that double quotes cannot hold as it is.
fn escaped(c: char) -> String {
    let short = match c {
        '\0' => "0",
        '\u{7}' => "a",
        '\u{8}' => "b",
        '\t' => "t",
        '\n' => "n",
        '\u{b}' => "v",
        '\u{c}' => "f",
        '\r' => "r",
        '\u{1b}' => "e",
        '"' => "\"",
        '\\' => "\\",
        '\u{85}' => "N",
        '\u{a0}' => "_",
        '\u{2028}' => "L",
        '\u{2029}' => "P",
        _ => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What a text may be written in, looked at character by character.
fn forms(text: &str) -> Forms {
    if text.is_empty() {
        return Forms { plain: true, single: true, block: false };
    }
    let mut forms = Forms { plain: true, single: true, block: true };
    if text.starts_with("---") || text.starts_with("...") {
        forms.plain = false;
    }
    let (mut after_space, mut after_break, mut preceded) = (false, false, true);
    let mut rest = text.chars().enumerate().peekable();
    while let Some((index, c)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        let is_edge = index == 0 || next.is_none();
        let followed = next.is_none_or(is_blank);
        if is_indicator(index == 0, c, preceded, followed) {
            forms.plain = false;
        }
        if !is_printable(c) {
            forms = Forms::default();
        }
        let (is_space, breaks) = (c == ' ', is_break(c));
        if is_space || breaks {
            forms.plain &= !(is_edge || breaks || after_break);
            forms.block &= !(is_space && next.is_none());
            forms.single &= !(is_space && after_break);
            if breaks && after_space {
                forms = Forms::default();
            }
        }
        (after_space, after_break) = (is_space, breaks);
        preceded = is_blank(c);
    }
    forms
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_break(c)
}

/// Whether a character means something of its own where it stands.
fn is_indicator(is_first: bool, c: char, preceded: bool, followed: bool) -> bool {
    match c {
        '#' => is_first || preceded,
        ':' => followed,
        '?' | '-' => is_first && followed,
        ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => is_first,
        _ => false,
    }
}
