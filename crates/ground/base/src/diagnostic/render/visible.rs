//! Text as a terminal may be given it: nothing in it moves the cursor or reorders what is shown.

use std::fmt::Write as _;

/// How far a tab moves.
const TAB: &str = "    ";

/// `text` with everything invisible written out, as `\u{1b}`; tabs become spaces.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut shown, character);
    }
    shown
}

/// As [`visible`], with line breaks as spaces.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| visible(line.trim_end())).collect();
    lines.join(" ")
}

/// Appends `character` as it is shown.
pub(super) fn push(shown: &mut String, character: char) {
    match character {
        '\t' => shown.push_str(TAB),
        _ if is_invisible(character) => {
            write!(shown, "\\u{{{:x}}}", u32::from(character))
                .expect("invariant: writing to a String does not fail");
        }
        _ => shown.push(character),
    }
}

/// How many columns `character` takes as it is shown.
pub(super) fn width(character: char) -> usize {
    if character == '\t' || is_invisible(character) {
        let mut shown = String::new();
        push(&mut shown, character);
        return shown.len();
    }
    match u32::from(character) {
        0..0x0300 => 1,
        code if in_ranges(&COMBINING, code) => 0,
        code if in_ranges(&WIDE, code) => 2,
        _ => 1,
    }
}

/// Control characters, and those that change direction, break lines or show nothing.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn in_ranges(ranges: &[(u32, u32)], code: u32) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Marks drawn over the character before.
const COMBINING: [(u32, u32); 6] = [
    (0x0300, 0x036f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
];

/// East Asian and pictorial blocks that terminals draw two columns wide.
const WIDE: [(u32, u32); 14] = [
    (0x1100, 0x115f),
    (0x2e80, 0x303e),
    (0x3041, 0x4dbf),
    (0x4e00, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f900, 0x1faff),
    (0x20000, 0x3fffd),
];
