//! An Event's row: when, what kind, about what, by whom.

use jiff::Timestamp;
use serde_json::Value;

use super::age;
use super::cell;
use super::printer::{Column, Layout, column, wide};
use crate::fields::{number, text};

const EVENT: &[Column] = &[
    column("Last Seen"),
    column("Type"),
    column("Reason"),
    column("Object"),
    wide("Subobject"),
    wide("Source"),
    column("Message"),
    wide("First Seen"),
    wide("Count"),
    wide("Name"),
];

/// The layout of an Event: its two APIs name the same things differently.
pub(super) fn layout(group: &str) -> Layout {
    let cells: fn(&Value, Timestamp) -> Vec<Value> = if group.is_empty() {
        |event, now| event_cells(event, now, &CORE)
    } else {
        |event, now| event_cells(event, now, &EVENTS)
    };
    Layout { columns: EVENT, cells }
}

/// What an API calls the parts of an Event.
struct Names {
    object: &'static str,
    message: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    source: &'static str,
    reporter: &'static str,
}

const CORE: Names = Names {
    object: "involvedObject",
    message: "message",
    first: "firstTimestamp",
    last: "lastTimestamp",
    count: "count",
    source: "source",
    reporter: "reportingComponent",
};
const EVENTS: Names = Names {
    object: "regarding",
    message: "note",
    first: "deprecatedFirstTimestamp",
    last: "deprecatedLastTimestamp",
    count: "deprecatedCount",
    source: "deprecatedSource",
    reporter: "reportingController",
};

fn event_cells(event: &Value, now: Timestamp, names: &Names) -> Vec<Value> {
    let first = match text(event, &[names.first]) {
        "" => text(event, &["eventTime"]),
        stamp => stamp,
    };
    let last = match (text(event, &["series", "lastObservedTime"]), text(event, &[names.last])) {
        ("", "") => first,
        ("", stamp) => stamp,
        (stamp, _) => stamp,
    };
    let seen = number(event, &["series", "count"]);
    let seen = seen.or_else(|| number(event, &[names.count]));
    let about = |field: &str| text(event, &[names.object, field]);
    let (kind, name) = (about("kind").to_lowercase(), about("name"));
    vec![
        age::since(last, now).into(),
        cell::text_or(event, &["type"], ""),
        cell::text_or(event, &["reason"], ""),
        if name.is_empty() { kind.into() } else { format!("{kind}/{name}").into() },
        about("fieldPath").into(),
        source(event, names).into(),
        text(event, &[names.message]).trim().into(),
        age::since(first, now).into(),
        seen.filter(|count| *count > 0).unwrap_or(1).to_string().into(),
        cell::name(event),
    ]
}

fn source(event: &Value, names: &Names) -> String {
    let component = match text(event, &[names.source, "component"]) {
        "" => text(event, &[names.reporter]),
        component => component,
    };
    let host = match text(event, &[names.source, "host"]) {
        "" => text(event, &["reportingInstance"]),
        host => host,
    };
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}
