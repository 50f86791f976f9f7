//! An Event's row: when, what kind, about what, by whom.

use jiff::Timestamp;
use serde_json::Value;

use super::age;
use super::cell;
use super::printer::{Column, Layout, column, wide};
use crate::fields::{at, number, text};

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

/// The layout of an Event, whichever of its two APIs it is read in.
pub(super) const LAYOUT: Layout = Layout { columns: EVENT, cells: event_cells };

fn event_cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let first = match text(event, &["firstTimestamp"]) {
        "" => text(event, &["eventTime"]),
        stamp => stamp,
    };
    let series = at(event, &["series"]);
    let last = match (series, text(event, &["lastTimestamp"])) {
        (Some(series), _) => text(series, &["lastObservedTime"]),
        (None, "") => first,
        (None, stamp) => stamp,
    };
    let counted = number(event, &["count"]).filter(|count| *count != 0);
    let seen = series.map(|series| number(series, &["count"]).unwrap_or(0)).or(counted);
    let about = |field: &str| text(event, &["involvedObject", field]);
    let (kind, name) = (about("kind").to_lowercase(), about("name"));
    vec![
        age::since(last, now).into(),
        cell::text_or(event, &["type"], ""),
        cell::text_or(event, &["reason"], ""),
        if name.is_empty() { kind.into() } else { format!("{kind}/{name}").into() },
        about("fieldPath").into(),
        source(event).into(),
        text(event, &["message"]).trim().into(),
        age::since(first, now).into(),
        seen.unwrap_or(1).into(),
        cell::name(event),
    ]
}

fn source(event: &Value) -> String {
    let component = match text(event, &["source", "component"]) {
        "" => text(event, &["reportingComponent"]),
        component => component,
    };
    let host = match text(event, &["source", "host"]) {
        "" => text(event, &["reportingInstance"]),
        host => host,
    };
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}
