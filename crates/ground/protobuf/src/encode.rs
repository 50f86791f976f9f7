//! JSON to protobuf, in one pass: each value is written as it is read. A field that stands among
//! those of its owner but belongs to a message of its own is written as a piece of that message;
//! pieces of a message are one message to every reader.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::envelope;
use crate::error::ProtobufError;
use crate::special;
use crate::table::{Field, Kind, Message, Shape};
use crate::wire;

/// Go does not look at the bits of the last letter that say nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// How many messages without a name of their own can be in each other.
const INSIDE: usize = 4;

/// An object, given as JSON, in its envelope. Fields that the kind does not have are left out.
pub fn encode(api_version: &str, kind: &str, json: &[u8]) -> Result<Vec<u8>, ProtobufError> {
    let message = Message::of(api_version, kind).ok_or_else(|| ProtobufError::UnknownKind {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
    })?;
    let mut out = Vec::with_capacity(json.len());
    envelope::begin(&mut out, api_version, kind);
    let start = wire::open(&mut out, envelope::RAW);
    object(message, json, &mut out)?;
    wire::close(&mut out, start);
    Ok(out)
}

/// Adds the fields of an object.
pub(crate) fn object(message: &'static Message, json: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Object { message, out }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| ProtobufError::Unencodable(error.to_string()))
}

/// Reads an object and writes its fields.
struct Object<'o> {
    message: &'static Message,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of message {}", self.message.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut next = 0;
        while let Some(found) = entries.next_key_seed(Name { message: self.message, from: next })? {
            let Some(index) = found else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            next = index + 1;
            let field = &self.message.fields[index];
            let mut starts = [0; INSIDE];
            for (start, number) in starts.iter_mut().zip(&field.inside) {
                *start = wire::open(self.out, *number);
            }
            entries.next_value_seed(Slot::of(self.message, field, self.out))?;
            for start in starts[..field.inside.len()].iter().rev() {
                wire::close(self.out, *start);
            }
        }
        Ok(())
    }
}

/// Reads a key and finds its field.
struct Name {
    message: &'static Message,
    from: usize,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.message.field(name, self.from))
    }
}

/// Reads a map's key and writes it.
struct Key<'o>(&'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        wire::put_bytes(self.0, 1, name.as_bytes());
        Ok(())
    }
}

/// Where a value goes, and what it has to be.
struct Slot<'o> {
    message: &'static str,
    field: &'static Field,
    shape: Shape,
    kind: Kind,
    number: u32,
    /// Whether null is a value: in a list or a map it is an empty one.
    is_item: bool,
    out: &'o mut Vec<u8>,
}

impl<'o> Slot<'o> {
    fn of(message: &'static Message, field: &'static Field, out: &'o mut Vec<u8>) -> Self {
        let (shape, kind, number) = (field.shape, field.kind, field.number);
        Self { message: message.name, field, shape, kind, number, is_item: false, out }
    }

    /// The place of a part of this value.
    fn part(&mut self, kind: Kind, number: u32) -> Slot<'_> {
        let (message, field) = (self.message, self.field);
        Slot { message, field, shape: Shape::One, kind, number, is_item: true, out: self.out }
    }

    fn wrong<E: Error>(&self, what: impl fmt::Display) -> E {
        E::custom(format_args!("message {} field {}: {what}", self.message, self.field.number))
    }

    /// Writes an empty value.
    fn put_empty(self) {
        match self.kind {
            Kind::Bool | Kind::Int32 | Kind::Int64 => wire::put_number(self.out, self.number, 0),
            Kind::Double => wire::put_double(self.out, self.number, 0.0),
            _ => wire::put_bytes(self.out, self.number, &[]),
        }
    }

    fn put_integer<E: Error>(self, number: i64) -> Result<(), E> {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Int64) => wire::put_number(self.out, self.number, number.cast_unsigned()),
            (Shape::One, Kind::Int32) if i32::try_from(number).is_ok() => {
                wire::put_number(self.out, self.number, number.cast_unsigned());
            }
            (Shape::One, Kind::IntOrText) if i32::try_from(number).is_ok() => {
                let start = wire::open(self.out, self.number);
                wire::put_number(self.out, 2, number.cast_unsigned());
                wire::close(self.out, start);
            }
            #[allow(clippy::cast_precision_loss, reason = "that is what the type is")]
            (Shape::One, Kind::Double) => wire::put_double(self.out, self.number, number as f64),
            (Shape::One, Kind::Quantity) => self.put_quantity(&number.to_string()),
            _ => return Err(self.wrong(format_args!("{number} is not {}", Expected(&self)))),
        }
        Ok(())
    }

    fn put_quantity(self, text: &str) {
        let start = wire::open(self.out, self.number);
        wire::put_bytes(self.out, 1, text.as_bytes());
        wire::close(self.out, start);
    }

    fn put_time<E: Error>(self, text: &str) -> Result<(), E> {
        let Some((seconds, nanos)) = special::parse_time(text, self.kind == Kind::MicroTime) else {
            return Err(self.wrong(format_args!("{text:?} is not a time")));
        };
        let start = wire::open(self.out, self.number);
        wire::put_number(self.out, 1, seconds.cast_unsigned());
        if nanos != 0 {
            wire::put_number(self.out, 2, i64::from(nanos).cast_unsigned());
        }
        wire::close(self.out, start);
        Ok(())
    }

    /// Bytes are base64 in JSON; line breaks in it do not count.
    fn put_base64<E: Error>(self, text: &str) -> Result<(), E> {
        let start = wire::open(self.out, self.number);
        let read = if text.contains(['\n', '\r']) {
            BASE64.decode_vec(text.replace(['\n', '\r'], ""), self.out)
        } else {
            BASE64.decode_vec(text, self.out)
        };
        if read.is_err() {
            return Err(self.wrong("it is not base64"));
        }
        wire::close(self.out, start);
        Ok(())
    }

    /// Writes the items of a list that is a message, as its field `number`.
    fn put_items<'de, A: SeqAccess<'de>>(mut self, kind: Kind, mut items: A) -> Result<(), A::Error> {
        let number = if self.kind == Kind::Texts { 1 } else { 2 };
        let start = wire::open(self.out, self.number);
        while items.next_element_seed(self.part(kind, number))?.is_some() {}
        wire::close(self.out, start);
        Ok(())
    }

    /// Writes a schema where something else could stand.
    fn put_schema<'de, A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        let number = if self.kind == Kind::SchemaOrBool { 2 } else { 1 };
        let start = wire::open(self.out, self.number);
        if self.kind == Kind::SchemaOrBool {
            wire::put_number(self.out, 1, 1);
        }
        let schema = wire::open(self.out, number);
        Object { message: Message::schema(), out: self.out }.visit_map(entries)?;
        wire::close(self.out, schema);
        wire::close(self.out, start);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if (self.shape, self.kind) != (Shape::One, Kind::Json) {
            return deserializer.deserialize_any(self);
        }
        let text = <&RawValue as serde::Deserialize>::deserialize(deserializer)?.get();
        if text != "null" {
            let start = wire::open(self.out, self.number);
            wire::put_bytes(self.out, 1, text.as_bytes());
            wire::close(self.out, start);
        } else if self.is_item {
            self.put_empty();
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} field {}: {}", self.message, self.field.number, Expected(self))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.is_item {
            self.put_empty();
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<(), E> {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Bool) => wire::put_number(self.out, self.number, u64::from(yes)),
            (Shape::One, Kind::SchemaOrBool) => {
                let start = wire::open(self.out, self.number);
                wire::put_number(self.out, 1, u64::from(yes));
                wire::close(self.out, start);
            }
            _ => return Err(self.wrong(format_args!("{yes} is not {}", Expected(&self)))),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.put_integer(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.put_integer(number),
            #[allow(clippy::cast_precision_loss, reason = "that is what the type is")]
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Double) => wire::put_double(self.out, self.number, number),
            (Shape::One, Kind::Quantity) => self.put_quantity(&number.to_string()),
            _ => return Err(self.wrong(format_args!("{number} is not {}", Expected(&self)))),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Text) => wire::put_bytes(self.out, self.number, text.as_bytes()),
            (Shape::One, Kind::Bytes) => return self.put_base64(text),
            (Shape::One, Kind::Time | Kind::MicroTime) => return self.put_time(text),
            (Shape::One, Kind::Quantity) => self.put_quantity(text),
            (Shape::One, Kind::IntOrText) => {
                let start = wire::open(self.out, self.number);
                wire::put_number(self.out, 1, 1);
                wire::put_bytes(self.out, 3, text.as_bytes());
                wire::close(self.out, start);
            }
            _ => return Err(self.wrong(format_args!("{text:?} is not {}", Expected(&self)))),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        match (self.shape, self.kind) {
            (Shape::List, kind) => {
                let number = self.number;
                while items.next_element_seed(self.part(kind, number))?.is_some() {}
                Ok(())
            }
            (Shape::One, Kind::Texts | Kind::SchemaOrTexts) => self.put_items(Kind::Text, items),
            (Shape::One, Kind::SchemaOrList) => self.put_items(Message::schema_kind(), items),
            _ => Err(self.wrong(format_args!("a list is not {}", Expected(&self)))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        match (self.shape, self.kind) {
            (Shape::Map, kind) => loop {
                let begin = self.out.len();
                let start = wire::open(self.out, self.number);
                if entries.next_key_seed(Key(self.out))?.is_none() {
                    self.out.truncate(begin);
                    return Ok(());
                }
                entries.next_value_seed(self.part(kind, 2))?;
                wire::close(self.out, start);
            },
            (Shape::One, Kind::Message(part)) => {
                let start = wire::open(self.out, self.number);
                Object { message: Message::at(part), out: self.out }.visit_map(entries)?;
                wire::close(self.out, start);
                Ok(())
            }
            (Shape::One, Kind::SchemaOrList | Kind::SchemaOrBool | Kind::SchemaOrTexts) => {
                self.put_schema(entries)
            }
            _ => Err(self.wrong(format_args!("an object is not {}", Expected(&self)))),
        }
    }
}

/// What a value has to be, in words.
struct Expected<'a, 'o>(&'a Slot<'o>);

impl fmt::Display for Expected<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.shape, self.0.kind) {
            (Shape::List, _) | (_, Kind::Texts) => "a list",
            (Shape::Map, _) | (_, Kind::Message(_)) => "an object",
            (_, Kind::Bool) => "true or false",
            (_, Kind::Int32) => "an integer of 32 bits",
            (_, Kind::Int64) => "an integer of 64 bits",
            (_, Kind::Double) => "a number",
            (_, Kind::Text) => "a text",
            (_, Kind::Bytes) => "a text in base64",
            (_, Kind::Quantity) => "a quantity",
            (_, Kind::IntOrText) => "an integer of 32 bits or a text",
            (_, Kind::Time | Kind::MicroTime) => "a time",
            (_, Kind::Json) => "JSON",
            (_, Kind::SchemaOrList) => "a schema or a list of them",
            (_, Kind::SchemaOrBool) => "a schema, true or false",
            (_, Kind::SchemaOrTexts) => "a schema or a list of texts",
        })
    }
}
