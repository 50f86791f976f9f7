//! What objects are wrapped in: four bytes, then a message of the kind's name and the object.

use crate::error::ProtobufError;
use crate::table::Message;
use crate::wire;

const MAGIC: &[u8; 4] = b"k8s\0";
const ENVELOPE: &str = "apimachinery.pkg.runtime.Unknown";

/// What was in an envelope.
pub(crate) struct Content<'b> {
    pub(crate) api_version: &'b str,
    pub(crate) kind: &'b str,
    pub(crate) message: &'static Message,
    pub(crate) raw: &'b [u8],
}

pub(crate) fn is_enveloped(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Takes an object out of its envelope.
pub(crate) fn open(body: &[u8]) -> Result<Content<'_>, ProtobufError> {
    let mut rest = body.strip_prefix(MAGIC).ok_or(ProtobufError::NoEnvelope)?;
    let (mut api_version, mut kind, mut raw) = ("", "", &[][..]);
    let here = |(number, fault): (u32, crate::Fault)| fault.at(ENVELOPE, number);
    while let Some((number, payload)) = wire::next(&mut rest).map_err(here)? {
        let bytes = payload.bytes().map_err(|fault| here((number, fault)));
        match number {
            1 => {
                let mut names = bytes?;
                while let Some((name, payload)) = wire::next(&mut names).map_err(here)? {
                    match name {
                        1 => api_version = payload.text().map_err(|fault| here((1, fault)))?,
                        2 => kind = payload.text().map_err(|fault| here((1, fault)))?,
                        _ => {}
                    }
                }
            }
            2 => raw = bytes?,
            _ => {}
        }
    }
    let message = Message::of(api_version, kind).ok_or_else(|| ProtobufError::UnknownKind {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
    })?;
    Ok(Content { api_version, kind, message, raw })
}

/// Writes an envelope up to the object, whose length follows from what is written next.
pub(crate) fn begin(out: &mut Vec<u8>, api_version: &str, kind: &str) {
    out.extend_from_slice(MAGIC);
    let start = wire::open(out, 1);
    wire::put_bytes(out, 1, api_version.as_bytes());
    wire::put_bytes(out, 2, kind.as_bytes());
    wire::close(out, start);
}

/// The number of the object in its envelope.
pub(crate) const RAW: u32 = 2;

/// Adds a frame of a watch: four bytes of length, then the kind of the event (`ADDED`) and an
/// enveloped object.
pub fn frame(out: &mut Vec<u8>, event: &str, object: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    wire::put_bytes(out, 1, event.as_bytes());
    let raw = wire::open(out, 2);
    wire::put_bytes(out, 1, object);
    wire::close(out, raw);
    let length = u32::try_from(out.len() - start - 4).expect("invariant: objects are far below 4 GiB");
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
