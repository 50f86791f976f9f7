//! Objects for tests, made from the table: random ones, and ones that have every field. They are
//! what decoding gives: nothing is empty that would be left out.

use serde_json::{Map, Value, json};

use crate::table::{Field, Kind, Message, Presence, Shape};

/// Where random choices come from.
pub(crate) enum Draws<'b> {
    /// Bytes; once they are used up every choice is the least one.
    Bytes(std::slice::Iter<'b, u8>),
    /// Everything, but no message within itself.
    All(Vec<&'static str>),
}

impl<'b> Draws<'b> {
    pub(crate) fn random(bytes: &'b [u8]) -> Self {
        Self::Bytes(bytes.iter())
    }

    pub(crate) fn all() -> Self {
        Self::All(Vec::new())
    }

    fn byte(&mut self) -> u8 {
        match self {
            Self::Bytes(bytes) => bytes.next().copied().unwrap_or(0),
            Self::All(_) => 77,
        }
    }

    fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    /// Whether something that need not be there is.
    fn wants(&mut self, field: &Field) -> bool {
        match self {
            Self::Bytes(_) => self.byte() % 3 == 1,
            Self::All(open) => match field.kind {
                Kind::Message(part) => !open.contains(&Message::at(part).name),
                Kind::SchemaOrBool | Kind::SchemaOrList | Kind::SchemaOrTexts => {
                    open.iter().filter(|name| **name == Message::schema().name).count() < 2
                }
                _ => true,
            },
        }
    }

    fn count(&mut self) -> u8 {
        1 + self.below(3)
    }
}

/// An object of a kind.
pub(crate) fn whole(
    api_version: &str,
    kind: &str,
    message: &'static Message,
    draws: &mut Draws<'_>,
) -> Value {
    let mut whole = object(message, draws);
    whole["apiVersion"] = Value::from(if api_version == "*" { "v1" } else { api_version });
    whole["kind"] = Value::from(kind);
    whole
}

fn object(message: &'static Message, draws: &mut Draws<'_>) -> Value {
    if let Draws::All(open) = draws {
        open.push(message.name);
    }
    let mut object = Map::new();
    for field in &message.fields {
        let is_wanted = draws.wants(field);
        let value = match field.presence {
            Presence::Always if !is_wanted => empty(field, draws),
            Presence::Filled | Presence::Optional if !is_wanted => continue,
            _ => filled(field, draws),
        };
        object.insert(field.name.to_owned(), value);
    }
    if let Draws::All(open) = draws {
        open.pop();
    }
    Value::Object(object)
}

fn filled(field: &Field, draws: &mut Draws<'_>) -> Value {
    match field.shape {
        Shape::One => value(field.kind, draws),
        Shape::List => (0..draws.count()).map(|_| value(field.kind, draws)).collect(),
        Shape::Map => {
            let entries =
                (0..draws.count()).map(|at| (format!("{}.{at}", text(draws)), value(field.kind, draws)));
            Value::Object(entries.collect())
        }
    }
}

/// What a field that is always there has when it has nothing.
fn empty(field: &Field, draws: &mut Draws<'_>) -> Value {
    match (field.shape, field.kind) {
        (Shape::One, Kind::Message(part)) => object(Message::at(part), draws),
        (Shape::One, Kind::Text) => json!(""),
        (Shape::One, Kind::Bool) => json!(false),
        (Shape::One, Kind::Int32 | Kind::Int64 | Kind::Double | Kind::IntOrText) => json!(0),
        (Shape::One, Kind::Quantity) => json!("0"),
        _ => Value::Null,
    }
}

/// A value that is not empty.
fn value(kind: Kind, draws: &mut Draws<'_>) -> Value {
    let sign = if draws.below(4) == 0 { -1 } else { 1 };
    let number = sign * ((1 + i64::from(draws.byte())) << draws.below(23));
    match kind {
        Kind::Bool => json!(true),
        Kind::Bytes => json!(["AA==", "aGVsbG8=", "/+8="][usize::from(draws.below(3))]),
        Kind::Double if draws.below(2) == 0 => json!(i64::from(draws.byte()) + 1),
        Kind::Double => json!(f64::from(draws.byte()) + 0.5),
        Kind::Int32 => json!(number),
        Kind::Int64 => json!(number << draws.below(31)),
        Kind::Text => json!(text(draws)),
        Kind::Quantity => json!(format!("{}m", draws.byte())),
        Kind::IntOrText if draws.below(2) == 0 => json!(text(draws)),
        Kind::IntOrText => json!(number),
        Kind::Time => json!(format!("20{:02}-02-28T13:{:02}:01Z", draws.below(100), draws.below(60))),
        Kind::MicroTime => json!(format!("1999-12-31T13:14:15.{:06}Z", i64::from(draws.byte()) << 11)),
        Kind::Json => json!({"f:metadata": {".": {}}, "n": [1, null, 0.5], "t": text(draws)}),
        Kind::Texts => json!([text(draws), ""]),
        Kind::SchemaOrBool if draws.below(2) == 0 => json!(draws.below(2) == 0),
        Kind::SchemaOrTexts if draws.below(2) == 0 => json!([text(draws)]),
        Kind::SchemaOrList if draws.below(2) == 0 => json!([object(Message::schema(), draws)]),
        Kind::SchemaOrBool | Kind::SchemaOrTexts | Kind::SchemaOrList => object(Message::schema(), draws),
        Kind::Message(part) => object(Message::at(part), draws),
    }
}

fn text(draws: &mut Draws<'_>) -> String {
    ["a", "web", "ü\"\\\n", "kubernetes.io/a-long-name-that-takes-a-length-of-two-bytes", "0"]
        [usize::from(draws.below(5))]
    .repeat(usize::from(draws.count()))
}
