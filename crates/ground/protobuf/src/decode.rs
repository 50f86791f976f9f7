//! Protobuf to JSON.
//!
//! A message is read twice, once to find its fields and once field by field: they may come in any
//! order, the values of one list with others between them, and a message in pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_base::limits;
use serde_json::{Map, Value};

use crate::envelope;
use crate::error::{Fault, ProtobufError};
use crate::special;
use crate::table::{Field, Kind, Message, Numbers, Place, Presence, Shape};
use crate::wire::{self, Payload};

/// The object in a body, as upstream's typed encoding would write it.
pub fn decode(body: &[u8]) -> Result<Value, ProtobufError> {
    let mut decoder = Decoder { found: Vec::new(), values: limits::PROTOBUF_VALUES };
    decoder.enveloped(body, 0)
}

/// A field found in a message.
#[derive(Clone, Copy)]
struct Found<'b> {
    field: usize,
    payload: Payload<'b>,
}

struct Decoder<'b> {
    /// The fields of the messages that are being read, the innermost one's last.
    found: Vec<Found<'b>>,
    /// How many more values there may be.
    values: usize,
}

impl<'b> Decoder<'b> {
    fn enveloped(&mut self, body: &'b [u8], depth: usize) -> Result<Value, ProtobufError> {
        let content = envelope::open(body)?;
        let mut object = self.message(content.message, content.raw, depth)?;
        object.insert("apiVersion".to_owned(), Value::from(content.api_version));
        object.insert("kind".to_owned(), Value::from(content.kind));
        Ok(Value::Object(object))
    }

    /// An object of all fields of a message.
    fn message(
        &mut self,
        message: &'static Message,
        bytes: &'b [u8],
        depth: usize,
    ) -> Result<Map<String, Value>, ProtobufError> {
        let depth = deeper(depth).map_err(|fault| fault.at(message.name, 0))?;
        let start = self.found.len();
        self.find(message, &message.numbers, bytes)?;
        let found = &mut self.found[start..];
        if !found.is_sorted_by_key(|found| found.field) {
            found.sort_by_key(|found| found.field);
        }
        let end = self.found.len();
        let mut object = Map::new();
        let mut at = start;
        while at < end {
            let index = self.found[at].field;
            let count = self.found[at..end].iter().take_while(|found| found.field == index).count();
            let field = &message.fields[index];
            if let Some(value) = self.field(message, field, at..at + count, depth)? {
                object.insert(field.name.to_owned(), value);
            }
            at += count;
        }
        self.found.truncate(start);
        for field in message.always.iter().map(|index| &message.fields[*index]) {
            if !object.contains_key(field.name) {
                let empty = self.empty(message, field, depth)?;
                object.insert(field.name.to_owned(), empty);
            }
        }
        Ok(object)
    }

    /// Finds the known fields of a message.
    fn find(
        &mut self,
        message: &'static Message,
        numbers: &'static Numbers,
        mut bytes: &'b [u8],
    ) -> Result<(), ProtobufError> {
        loop {
            match wire::next(&mut bytes) {
                Ok(None) => return Ok(()),
                Err((number, fault)) => return Err(fault.at(message.name, number)),
                Ok(Some((number, payload))) => match numbers.get(number) {
                    Some(Place::Field(field)) => self.found.push(Found { field: *field, payload }),
                    Some(Place::Inside(numbers)) => {
                        let inside = payload.bytes().map_err(|fault| fault.at(message.name, number))?;
                        self.find(message, numbers, inside)?;
                    }
                    None => {}
                },
            }
        }
    }

    /// The value of a field that was found at these places; `None` when it is left out.
    fn field(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        at: std::ops::Range<usize>,
        depth: usize,
    ) -> Result<Option<Value>, ProtobufError> {
        let here = |fault: Fault| fault.at(message.name, field.number);
        match field.shape {
            Shape::List => {
                let depth = deeper(depth).map_err(here)?;
                let mut list = Vec::with_capacity(at.len());
                for index in at {
                    match (field.kind, self.found[index].payload) {
                        (Kind::Bool | Kind::Int32 | Kind::Int64, Payload::Bytes(mut packed)) => {
                            while !packed.is_empty() {
                                let number = wire::varint(&mut packed).map_err(here)?;
                                list.push(self.value(message, field, Payload::Varint(number), depth)?);
                            }
                        }
                        (_, payload) => list.push(self.value(message, field, payload, depth)?),
                    }
                }
                let is_shown = !list.is_empty() || field.presence == Presence::Always;
                Ok(is_shown.then_some(Value::Array(list)))
            }
            Shape::Map => self.map(message, field, at, deeper(depth).map_err(here)?).map(Some),
            Shape::One => {
                let last = self.found[at.end - 1].payload;
                let value = match (field.kind, last) {
                    (Kind::Message(_), _) if at.len() > 1 => self.in_pieces(message, field, at, depth)?,
                    _ => self.value(message, field, last, depth)?,
                };
                let is_shown = field.presence != Presence::Filled || !is_empty(&value);
                Ok(is_shown.then_some(value))
            }
        }
    }

    /// A message that comes in several pieces, which together are one.
    fn in_pieces(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        at: std::ops::Range<usize>,
        depth: usize,
    ) -> Result<Value, ProtobufError> {
        let mut whole = Vec::new();
        for found in &self.found[at] {
            let piece = found.payload.bytes().map_err(|fault| fault.at(message.name, field.number))?;
            whole.extend_from_slice(piece);
        }
        let mut decoder = Decoder { found: Vec::new(), values: self.values };
        let value = decoder.value(message, field, Payload::Bytes(&whole), depth)?;
        self.values = decoder.values;
        Ok(value)
    }

    fn map(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        at: std::ops::Range<usize>,
        depth: usize,
    ) -> Result<Value, ProtobufError> {
        let here = |fault: Fault| fault.at(message.name, field.number);
        let mut map = Map::new();
        for index in at {
            let mut entry = self.found[index].payload.bytes().map_err(here)?;
            let (mut key, mut value) = ("", None);
            while let Some((number, payload)) = wire::next(&mut entry).map_err(|(_, fault)| here(fault))? {
                match number {
                    1 => key = payload.text().map_err(here)?,
                    2 => value = Some(payload),
                    _ => {}
                }
            }
            let value = self.value(message, field, value.unwrap_or(Payload::Bytes(&[])), depth)?;
            map.insert(key.to_owned(), value);
        }
        Ok(Value::Object(map))
    }

    /// One value of a field.
    fn value(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        payload: Payload<'b>,
        depth: usize,
    ) -> Result<Value, ProtobufError> {
        let here = |fault: Fault| fault.at(message.name, field.number);
        self.values = self.values.checked_sub(1).ok_or(Fault::Values).map_err(here)?;
        match field.kind {
            Kind::Message(part) => {
                let bytes = payload.bytes().map_err(here)?;
                Ok(Value::Object(self.message(Message::at(part), bytes, depth)?))
            }
            Kind::Json => self.json(payload.bytes().map_err(here)?, depth).map_err(|error| match error {
                Embedded::Fault(fault) => here(fault),
                Embedded::Error(error) => error,
            }),
            Kind::Texts => self.texts(payload.bytes().map_err(here)?, 1, depth).map_err(here),
            Kind::SchemaOrList | Kind::SchemaOrBool | Kind::SchemaOrTexts => {
                self.schema_or(message, field, payload.bytes().map_err(here)?, depth)
            }
            _ => scalar(field.kind, payload).map_err(here),
        }
    }

    /// JSON that comes as text, or another enveloped object.
    fn json(&mut self, mut bytes: &'b [u8], depth: usize) -> Result<Value, Embedded> {
        let mut text: &[u8] = &[];
        while let Some((number, payload)) =
            wire::next(&mut bytes).map_err(|(_, fault)| Embedded::Fault(fault))?
        {
            if number == 1 {
                text = payload.bytes().map_err(Embedded::Fault)?;
            }
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        if envelope::is_enveloped(text) {
            return self.enveloped(text, depth).map_err(Embedded::Error);
        }
        if special::depth_of(text) + depth > limits::OBJECT_DEPTH {
            return Err(Embedded::Fault(Fault::Depth));
        }
        serde_json::from_slice(text).map_err(|error| Embedded::Fault(Fault::Json(error.to_string())))
    }

    /// The texts of a field of a message that has nothing else to say; none is null.
    fn texts(&mut self, mut bytes: &'b [u8], wanted: u32, depth: usize) -> Result<Value, Fault> {
        deeper(depth)?;
        let mut list = Vec::new();
        while let Some((number, payload)) = wire::next(&mut bytes).map_err(|(_, fault)| fault)? {
            if number == wanted {
                self.values = self.values.checked_sub(1).ok_or(Fault::Values)?;
                list.push(Value::from(payload.text()?));
            }
        }
        Ok(if list.is_empty() { Value::Null } else { Value::Array(list) })
    }

    /// A schema, or what stands in its place.
    fn schema_or(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        bytes: &'b [u8],
        depth: usize,
    ) -> Result<Value, ProtobufError> {
        let here = |fault: Fault| fault.at(message.name, field.number);
        let schema_number = if field.kind == Kind::SchemaOrBool { 2 } else { 1 };
        let (mut schema, mut allows, mut list) = (None, false, Vec::new());
        let mut rest = bytes;
        while let Some((number, payload)) = wire::next(&mut rest).map_err(|(_, fault)| here(fault))? {
            match (number, field.kind) {
                (number, _) if number == schema_number => schema = Some(payload.bytes().map_err(here)?),
                (1, Kind::SchemaOrBool) => allows = payload.varint().map_err(here)? != 0,
                (2, Kind::SchemaOrList) => {
                    self.values = self.values.checked_sub(1).ok_or(Fault::Values).map_err(here)?;
                    let depth = deeper(depth).map_err(here)?;
                    let item = payload.bytes().map_err(here)?;
                    list.push(Value::Object(self.message(Message::schema(), item, depth)?));
                }
                _ => {}
            }
        }
        if field.kind == Kind::SchemaOrTexts
            && let texts @ Value::Array(_) = self.texts(bytes, 2, depth).map_err(here)?
        {
            return Ok(texts);
        }
        match schema {
            _ if !list.is_empty() => Ok(Value::Array(list)),
            Some(schema) => Ok(Value::Object(self.message(Message::schema(), schema, depth)?)),
            None if field.kind == Kind::SchemaOrBool => Ok(Value::Bool(allows)),
            None => Ok(Value::Null),
        }
    }

    /// What upstream writes for a field that is never left out and was not given.
    fn empty(
        &mut self,
        message: &'static Message,
        field: &'static Field,
        depth: usize,
    ) -> Result<Value, ProtobufError> {
        let nothing = match (field.shape, field.kind) {
            (Shape::List | Shape::Map, _) | (_, Kind::Bytes) => return Ok(Value::Null),
            (_, Kind::Bool | Kind::Int32 | Kind::Int64) => Payload::Varint(0),
            (_, Kind::Double) => Payload::Fixed64(0),
            _ => Payload::Bytes(&[]),
        };
        self.value(message, field, nothing, depth)
    }
}

/// What can be wrong with JSON that comes as text.
enum Embedded {
    Fault(Fault),
    Error(ProtobufError),
}

/// The depth of what is in a value at this depth.
fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth < limits::OBJECT_DEPTH { Ok(depth + 1) } else { Err(Fault::Depth) }
}

/// A value that has no fields in JSON.
fn scalar(kind: Kind, payload: Payload<'_>) -> Result<Value, Fault> {
    Ok(match kind {
        Kind::Bool => Value::Bool(payload.varint()? != 0),
        Kind::Int32 => Value::from(payload.int32()?),
        Kind::Int64 => Value::from(payload.int64()?),
        Kind::Double => special::double(payload.double()?)?,
        Kind::Text => Value::from(payload.text()?),
        Kind::Bytes => Value::from(STANDARD.encode(payload.bytes()?)),
        Kind::Quantity => {
            let Parts { text, .. } = Parts::of(payload.bytes()?, 1)?;
            Value::from(if text.is_empty() { "0" } else { text })
        }
        Kind::IntOrText => {
            let Parts { numbers, text } = Parts::of(payload.bytes()?, 3)?;
            match numbers[0].int64()? {
                0 => Value::from(numbers[1].int32()?),
                _ => Value::from(text),
            }
        }
        Kind::Time | Kind::MicroTime => {
            let bytes = payload.bytes()?;
            if bytes.is_empty() {
                return Ok(Value::Null);
            }
            let Parts { numbers, .. } = Parts::of(bytes, 0)?;
            special::time(numbers[0].int64()?, numbers[1].int32()?, kind == Kind::MicroTime)?
        }
        Kind::Json
        | Kind::Texts
        | Kind::SchemaOrList
        | Kind::SchemaOrBool
        | Kind::SchemaOrTexts
        | Kind::Message(_) => Value::Null,
    })
}

/// A message of at most two numbers, its fields 1 and 2, and a text.
struct Parts<'b> {
    numbers: [Payload<'b>; 2],
    text: &'b str,
}

impl<'b> Parts<'b> {
    fn of(mut bytes: &'b [u8], text_number: u32) -> Result<Self, Fault> {
        let mut parts = Self { numbers: [Payload::Varint(0); 2], text: "" };
        while let Some((number, payload)) = wire::next(&mut bytes).map_err(|(_, fault)| fault)? {
            match number {
                number if number == text_number => parts.text = payload.text()?,
                1 => parts.numbers[0] = payload,
                2 => parts.numbers[1] = payload,
                _ => {}
            }
        }
        Ok(parts)
    }
}

/// Whether upstream leaves a scalar out that need not be there.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}
