//! Text as a page shows it.

use std::time::Duration;

/// A text that stands for itself, in an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() && letter != '\n' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Seconds as `1h30m0s`, to the millisecond.
pub(super) fn clock(seconds: f64) -> String {
    let rounded = (seconds * 1000.0).round() / 1000.0;
    mainstay_kinds::duration::format(Duration::try_from_secs_f64(rounded).unwrap_or_default())
}
