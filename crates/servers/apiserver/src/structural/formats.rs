//! The formats of texts.
//!
//! LIMIT: numbers of books and credit cards, colours and object ids are accepted whatever they are.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;

/// Formats that are looked at; upstream ignores those it does not know.
const KNOWN: [&str; 16] = [
    "byte",
    "cidr",
    "date",
    "date-time",
    "datetime",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "mac",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// Whether a format means anything.
pub(super) fn is_known(format: &str) -> bool {
    KNOWN.contains(&format)
}

/// Whether a text has a format.
pub(super) fn admits(format: &str, text: &str) -> bool {
    match format {
        "byte" => STANDARD.decode(text).is_ok(),
        "cidr" => is_cidr(text),
        "date" => text.parse::<Date>().is_ok(),
        "date-time" | "datetime" => text.parse::<Timestamp>().is_ok(),
        "duration" => is_duration(text),
        "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        "hostname" => mainstay_resource::name::dns_subdomain(&text.to_lowercase()).is_empty(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "mac" => is_mac(text),
        "uri" => text.starts_with('/') || text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)),
        _ => is_uuid(text, format.strip_prefix("uuid").unwrap_or_default()),
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let Ok(length) = length.parse::<u8>() else { return false };
    (address.parse::<Ipv4Addr>().is_ok() && length <= 32)
        || (address.parse::<Ipv6Addr>().is_ok() && length <= 128)
}

fn is_mac(text: &str) -> bool {
    let separator = if text.contains('-') { '-' } else { ':' };
    let parts: Vec<&str> = text.split(separator).collect();
    let is_hex = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(is_hex)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '+' | '-' | '.'))
}

fn is_uuid(text: &str, version: &str) -> bool {
    let digits: String = text.chars().filter(|one| *one != '-').collect();
    let is_of_version = version.is_empty() || digits.get(12..13) == Some(version);
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_of_version
}

/// `1h30m`, `-1.5s`, `22 ns`, `3 days`: numbers with units.
fn is_duration(text: &str) -> bool {
    let mut rest = text.trim().trim_start_matches(['+', '-']);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|one: char| one.is_ascii_digit() || one == '.');
        if unit.len() == rest.len() {
            return false;
        }
        let unit = unit.trim_start();
        let end = unit.find(|one: char| !one.is_alphabetic()).unwrap_or(unit.len());
        if !is_unit(&unit[..end]) {
            return false;
        }
        rest = unit[end..].trim_start();
    }
    true
}

fn is_unit(text: &str) -> bool {
    let short = ["ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "w"];
    let long = [
        "nano",
        "nanosecond",
        "micro",
        "microsecond",
        "milli",
        "millisecond",
        "sec",
        "second",
        "min",
        "minute",
        "hr",
        "hour",
        "day",
        "week",
        "wk",
    ];
    short.contains(&text) || long.contains(&text.trim_end_matches('s'))
}
