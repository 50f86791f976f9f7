//! A request's body as a JSON value: from JSON, YAML or protobuf, with the keys that were given twice.
//!
//! **Not here:** unknown fields (`unknown`), what the value means.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::status::Status;

/// The media types objects are accepted in, and custom ones.
pub(crate) const OBJECT_TYPES: &str =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
pub(crate) const CUSTOM_TYPES: &str = "application/json, application/yaml";

/// A decoded body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    /// The value; of keys given twice, the last one's.
    pub(crate) value: Value,
    /// The paths of the keys given twice: `spec.replicas`.
    pub(crate) duplicates: Vec<String>,
}

/// Decodes an object of this media type.
pub(crate) fn object(media_type: &str, body: &[u8]) -> Result<Decoded, Status> {
    let decoded = match media_type {
        "" | "application/json" => json(body)?,
        "application/yaml" | "text/yaml" | "application/x-yaml" => yaml(body)?,
        mainstay_protobuf::MEDIA_TYPE => protobuf(body)?,
        _ => return Err(Status::unsupported_media_type(OBJECT_TYPES)),
    };
    if decoded.value.is_object() {
        Ok(decoded)
    } else {
        Err(Status::bad_request("the body is not an object"))
    }
}

/// Decodes JSON.
pub(crate) fn json(body: &[u8]) -> Result<Decoded, Status> {
    let mut duplicates = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Node { path: None, duplicates: &mut duplicates }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| {
            Status::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
        })?;
    Ok(Decoded { value, duplicates })
}

/// Decodes protobuf, which has no keys to give twice.
fn protobuf(body: &[u8]) -> Result<Decoded, Status> {
    let value = mainstay_protobuf::decode(body)
        .map_err(|error| Status::bad_request(format!("couldn't get version/kind; {error}")))?;
    Ok(Decoded { value, duplicates: Vec::new() })
}

/// Decodes YAML; JSON is YAML too, and is read faster as such.
pub(crate) fn yaml(body: &[u8]) -> Result<Decoded, Status> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
        && let Ok(decoded) = json(body)
    {
        return Ok(decoded);
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| Status::bad_request("error decoding YAML: the body is not UTF-8"))?;
    // Only `true` and `false`: a person called `y` is not a truth.
    let options = serde_saphyr::options! { strict_booleans: true };
    let value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?;
    Ok(Decoded { value, duplicates: Vec::new() })
}

/// Where a value is, as a chain to the root: nothing is allocated until a key is given twice.
#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str, Option<&'p Step<'p>>),
    Index(usize, Option<&'p Step<'p>>),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key, None) => f.write_str(key),
            Self::Key(key, Some(parent)) => write!(f, "{parent}.{key}"),
            Self::Index(index, None) => write!(f, "[{index}]"),
            Self::Index(index, Some(parent)) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Reads one value.
struct Node<'p, 'd> {
    path: Option<&'p Step<'p>>,
    duplicates: &'d mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let step = Step::Index(list.len(), self.path);
            let node = Node { path: Some(&step), duplicates: &mut *self.duplicates };
            match items.next_element_seed(node)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let step = Step::Key(&key, self.path);
            let value =
                entries.next_value_seed(Node { path: Some(&step), duplicates: &mut *self.duplicates })?;
            if map.contains_key(&key) {
                self.duplicates.push(step.to_string());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_given_twice_is_named_by_its_path_and_the_last_one_counts() {
        let text = br#"{"spec":{"a":1,"list":[{"b":1,"b":2}],"a":2},"n":1.5,"m":-3,"t":null}"#;
        let decoded = json(text).expect("it is JSON");
        assert_eq!(decoded.duplicates, ["spec.list[0].b", "spec.a"]);
        assert_eq!(
            decoded.value,
            json!({"spec": {"a": 2, "list": [{"b": 2}]}, "n": 1.5, "m": -3, "t": null})
        );
    }

    #[test]
    fn yaml_and_json_bodies_mean_the_same() {
        let expected = json!({"apiVersion": "v1", "data": {"a": "1", "n": 2}});
        for (media, body) in [
            ("application/yaml", "apiVersion: v1\ndata:\n  a: \"1\"\n  n: 2\n"),
            ("application/yaml", "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"1\",\"n\":2}}"),
            ("application/json", "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"1\",\"n\":2}}"),
        ] {
            assert_eq!(object(media, body.as_bytes()).expect("it decodes").value, expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_object_or_of_an_unknown_type_is_refused() {
        assert_eq!(object("application/json", b"[1]").expect_err("a list").code, 400);
        assert_eq!(object("application/json", b"{\"a\":").expect_err("broken").code, 400);
        assert_eq!(object("application/json", b"{} {}").expect_err("two values").code, 400);
        assert_eq!(object("text/plain", b"{}").expect_err("no such type").code, 415);
    }
}
