//! The text form, byte for byte.

use proptest::prelude::*;

use super::*;

fn location(file: &str, line: u32, column: u32, length: u32) -> Location {
    Location { file: file.into(), line, column, length }
}

/// An error about `length` characters at `column` of `source`, as plain text.
fn shown(source: &str, column: u32, length: u32) -> String {
    let diagnostic = Diagnostic::error("M0104", "m").at(location("f", 1, column, length), source);
    render(&diagnostic, Style::PLAIN)
}

fn full() -> Diagnostic {
    Diagnostic::error("M0104", "unknown field 'replica'")
        .at(location("apps/web.yaml", 12, 3, 7), "  replica: 3")
        .related(location("apps/base.yaml", 3, 1, 0), "the Deployment begins here")
        .cause("a Deployment has no such field")
        .cause("apps/v1 is strict")
        .help("did you mean 'replicas'?\n\n  replicas: 3")
}

#[test]
fn everything_a_diagnostic_has_is_shown_in_its_order() {
    let expected = "\
error[M0104]: unknown field 'replica'
  --> apps/web.yaml:12:3
   |
12 |   replica: 3
   |   ^^^^^^^
   = apps/base.yaml:3:1: the Deployment begins here
  caused by: a Deployment has no such field
  caused by: apps/v1 is strict

help: did you mean 'replicas'?

        replicas: 3
";
    assert_eq!(render(&full(), Style::PLAIN), expected);
    assert_eq!(full().to_string(), expected);
}

#[test]
fn a_bare_diagnostic_is_one_line() {
    assert_eq!(
        Diagnostic::error("M0301", "port 6443 is in use").to_string(),
        "error[M0301]: port 6443 is in use\n"
    );
    assert_eq!(Diagnostic::warning("M0302", "slow").to_string(), "warning[M0302]: slow\n");
}

#[test]
fn a_place_without_a_line_is_only_named() {
    let whole = Diagnostic::error("M0101", "empty").at(location("a.yaml", 0, 0, 0), "");
    assert_eq!(whole.to_string(), "error[M0101]: empty\n --> a.yaml\n");
    let blank = Diagnostic::error("M0101", "empty").at(location("a.yaml", 7, 1, 0), "   ");
    assert_eq!(blank.to_string(), "error[M0101]: empty\n --> a.yaml:7:1\n");
}

#[test]
fn colour_is_there_only_if_asked_for() {
    assert!(!render(&full(), Style::PLAIN).contains('\x1b'));
    let coloured = render(&full(), Style { colour: true });
    assert!(coloured.starts_with("\x1b[1;31merror[M0104]\x1b[0m: \x1b[1munknown field 'replica'\x1b[0m\n"));
    let mut plain = coloured;
    for code in ["1;31", "1;32", "1", "34", "0"] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, render(&full(), Style::PLAIN));
}

#[test]
fn the_underline_stands_below_what_is_meant() {
    for (source, column, length, line, underline) in [
        ("key: value", 6, 5, "key: value", "     ^^^^^"),
        ("\tkey: x", 2, 3, "    key: x", "    ^^^"),
        ("a\tb", 2, 1, "a    b", " ^^^^"),
        ("名前: x", 1, 2, "名前: x", "^^^^"),
        ("名前: x", 5, 1, "名前: x", "      ^"),
        ("e\u{301}: x", 4, 1, "e\u{301}: x", "  ^"),
        ("🚀 go", 3, 2, "🚀 go", "   ^^"),
        ("short", 6, 0, "short", "     ^"),
        ("short", 90, 4, "short", "     ^"),
        ("key", 2, 4_000_000_000, "key", " ^^"),
        ("key", 0, 0, "key", "^"),
        ("key: v\r\nnext", 1, 3, "key: v", "^^^"),
    ] {
        let text = shown(source, column, length);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], format!("1 | {line}"), "{source:?}");
        assert_eq!(lines[4], format!("  | {underline}"), "{source:?}");
    }
}

#[test]
fn a_file_cannot_write_to_the_terminal() {
    let text = shown("a: \x1b[2J\u{202e}x\u{9b}31m", 4, 1);
    assert!(text.contains("1 | a: \\u{1b}[2J\\u{202e}x\\u{9b}31m\n"), "{text}");
    assert!(text.contains("  |    ^^^^^^\n"), "{text}");
    let hostile = "\x1b]0;title\x07\u{200f}\r";
    let everywhere = Diagnostic::error("M0101", hostile)
        .at(location(hostile, 1, 1, 1), hostile)
        .related(location(hostile, 1, 1, 1), hostile)
        .cause(hostile)
        .help(hostile);
    let text = render(&everywhere, Style::PLAIN);
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    assert!(!text.contains('\u{200f}'));
}

#[test]
fn line_breaks_in_names_and_messages_start_no_new_lines() {
    let forged = "real\nerror[M0999]: forged";
    let diagnostic = Diagnostic::error("M0101", forged).at(location(forged, 1, 1, 1), "x");
    let text = render(&diagnostic, Style::PLAIN);
    assert_eq!(text.lines().filter(|line| line.starts_with("error")).count(), 1, "{text}");
}

#[test]
fn of_a_long_line_the_window_around_the_column_is_shown() {
    let source = format!("{}needle{}", "a".repeat(500), "b".repeat(500));
    let text = shown(&source, 501, 6);
    let lines: Vec<&str> = text.lines().collect();
    let expected = format!("1 | ...{}needle{}...", "a".repeat(40), "b".repeat(51));
    assert_eq!(lines[3], expected);
    assert_eq!(lines[4], format!("  | {}^^^^^^", " ".repeat(43)));
}

#[test]
fn a_megabyte_on_one_line_is_shown_in_a_hundred_columns() {
    for (column, length) in [(1, 1), (500_000, 1_000_000), (1_000_000, 5)] {
        let text = shown(&"\x1b".repeat(1_000_000), column, length);
        for line in text.lines() {
            assert!(line.len() <= 120, "{line}");
        }
        assert!(text.contains('^'));
    }
}

proptest! {
    #[test]
    fn any_line_and_place_give_safe_text_with_an_underline(
        source in any::<String>(), column: u32, length: u32, line: u32,
    ) {
        let diagnostic =
            Diagnostic::error("M0104", source.as_str()).at(location(&source, line, column, length), source.clone());
        let text = render(&diagnostic, Style::PLAIN);
        prop_assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        prop_assert!(text.ends_with('\n'));
        prop_assert!(text.lines().count() <= 5);
    }
}
