//! Lists, put together from objects that are encoded one by one.

use crate::encode::object;
use crate::envelope;
use crate::error::ProtobufError;
use crate::table::{Message, Shape};
use crate::wire;

/// A list of one kind.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    api_version: &'a str,
    kind: &'a str,
    item: &'static Message,
}

const ITEMS: u32 = 2;

impl<'a> List<'a> {
    /// The list of this kind, `PodList`; `None` when it has no message.
    pub fn of(api_version: &'a str, kind: &'a str) -> Option<Self> {
        let list = Message::of(api_version, kind)?;
        let items = list.fields.iter().find(|field| field.name == "items" && field.shape == Shape::List)?;
        match items.kind {
            crate::table::Kind::Message(item) => Some(Self { api_version, kind, item: Message::at(item) }),
            _ => None,
        }
    }

    /// Adds an object, given as JSON, the way it stands in a list.
    pub fn item(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
        let start = wire::open(out, ITEMS);
        object(self.item, json, out)?;
        wire::close(out, start);
        Ok(())
    }

    /// What comes before the objects, which have this many bytes; `metadata` is JSON.
    pub fn head(&self, metadata: &[u8], item_bytes: usize) -> Result<Vec<u8>, ProtobufError> {
        let message = Message::of("meta.k8s.io/v1", "PartialObjectMetadataList")
            .expect("invariant: the table has the metadata of lists");
        let mut own = Vec::with_capacity(64);
        let wrapped = [b"{\"metadata\":", metadata, b"}"].concat();
        object(message, &wrapped, &mut own)?;
        let mut out = Vec::with_capacity(128);
        envelope::begin(&mut out, self.api_version, self.kind);
        wire::put_length(&mut out, envelope::RAW, own.len() + item_bytes);
        out.extend_from_slice(&own);
        Ok(out)
    }
}
