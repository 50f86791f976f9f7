//! Tables: objects as rows for people, with upstream's columns.
//!
//! Ages are computed here, as upstream does, from the World's time. A row is written straight into
//! the answer; the object beside it is the stored bytes.
//!
//! **Spec:** `meta.k8s.io/v1` Table. Columns of priority 1 show in wide output alone.

mod age;
mod batch;
mod cell;
mod cluster;
mod custom;
mod event;
mod extension;
mod json_path;
mod pod;
mod policy;
mod printer;
mod storage;
#[cfg(test)]
mod tests;
mod traffic;
mod workload;

use bytes::Bytes;
use jiff::Timestamp;
use mainstay_resource::meta;
use mainstay_store::Record;
use serde_json::{Value, json};

use crate::encode::{self, ListMeta};
use crate::registry::ResourceInfo;
use printer::Printer;

/// What is put beside the cells of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing.
    None,
    /// The object's metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

impl Include {
    /// The value of the parameter `includeObject`; `None` for one there is not.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "Metadata") => Some(Self::Metadata),
            Some("None") => Some(Self::None),
            Some("Object") => Some(Self::Object),
            Some(_) => None,
        }
    }
}

/// How a table is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// What is put beside the cells.
    pub include: Include,
    /// What ages are relative to.
    pub now: Timestamp,
}

/// The table of one stored object.
pub(crate) fn of_object(info: &ResourceInfo, stored: &Bytes, options: Options) -> Bytes {
    of_event(info, stored, options, true)
}

/// The table of a list.
pub(crate) fn of_list<'a>(
    info: &ResourceInfo,
    meta: &ListMeta,
    records: impl Iterator<Item = &'a Record>,
    options: Options,
) -> Bytes {
    let printer = Printer::of(info);
    let mut out = head(&meta.to_value(), Some(&printer));
    for (index, record) in records.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        row(&mut out, info, &printer, &record.value, options);
    }
    out.extend_from_slice(b"]}");
    Bytes::from(out)
}

/// The table of one stored object in a watch; only the first one carries the columns.
pub(crate) fn of_event(info: &ResourceInfo, stored: &Bytes, options: Options, with_columns: bool) -> Bytes {
    let printer = Printer::of(info);
    let object = encode::decode(stored);
    let mut out = head(
        &json!({ "resourceVersion": meta::resource_version(&object) }),
        with_columns.then_some(&printer),
    );
    row_of(&mut out, info, &printer, stored, &object, options);
    out.extend_from_slice(b"]}");
    Bytes::from(out)
}

/// The table of a Scale, which is read from an object and not stored.
pub(crate) fn of_scale(info: &ResourceInfo, scale: &Value, options: Options) -> Bytes {
    let printer = Printer::BuiltIn(workload::SCALE);
    let mut out = head(&json!({ "resourceVersion": meta::resource_version(scale) }), Some(&printer));
    row_of(&mut out, info, &printer, &encode::json(scale), scale, options);
    out.extend_from_slice(b"]}");
    Bytes::from(out)
}

fn head(metadata: &Value, printer: Option<&Printer>) -> Vec<u8> {
    let columns = printer.map_or(Value::Null, Printer::definitions);
    let text = format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{metadata},\
         \"columnDefinitions\":{columns},\"rows\":["
    );
    text.into_bytes()
}

fn row(out: &mut Vec<u8>, info: &ResourceInfo, printer: &Printer, stored: &Bytes, options: Options) {
    row_of(out, info, printer, stored, &encode::decode(stored), options);
}

fn row_of(
    out: &mut Vec<u8>,
    info: &ResourceInfo,
    printer: &Printer,
    stored: &Bytes,
    object: &Value,
    options: Options,
) {
    // Cells are made of what is stored: the versions of a kind print alike.
    let cells = printer.cells(object, options.now);
    out.extend_from_slice(b"{\"cells\":");
    out.extend_from_slice(&encode::json(&Value::Array(cells)));
    if let Some(conditions) = printer.conditions(object) {
        out.extend_from_slice(b",\"conditions\":");
        out.extend_from_slice(&encode::json(&conditions));
    }
    let beside = match options.include {
        Include::None => None,
        Include::Metadata => Some(encode::metadata_only(stored)),
        Include::Object => Some(encode::in_version(info, stored)),
    };
    if let Some(beside) = beside {
        out.extend_from_slice(b",\"object\":");
        out.extend_from_slice(&beside);
    }
    out.push(b'}');
}
