//! serde over nodes of the tree.
//!
//! A type that wants text gets a number's or boolean's text as written: `version: 1.30` is `"1.30"`.

use std::collections::BTreeSet;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::error::ReadError;
use crate::scalar::Scalar;
use crate::tree::{Node, NodeId};

#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: Node<'a>,
    /// Keys and values that do not fit and are passed over.
    left_out: &'a BTreeSet<NodeId>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: Node<'a>, left_out: &'a BTreeSet<NodeId>) -> Self {
        Self { node, left_out }
    }

    fn inner(self, node: Node<'a>) -> Self {
        Self { node, ..self }
    }

    fn is_left_out(self, node: Node<'_>) -> bool {
        self.left_out.contains(&node.id())
    }

    fn entries(self) -> Entries<'a, impl Iterator<Item = (Node<'a>, Node<'a>)> + use<'a>> {
        let kept =
            move |(key, value): &(Node<'a>, Node<'a>)| !self.is_left_out(*key) && !self.is_left_out(*value);
        Entries { reader: self, pairs: self.node.entries().filter(kept), value: None }
    }

    fn items(self) -> Items<'a, impl Iterator<Item = Node<'a>> + use<'a>> {
        Items { reader: self, items: self.node.items().filter(move |item| !self.is_left_out(*item)) }
    }

    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match (self.node.text(), self.node.scalar()) {
            (Some(text), Some(scalar)) if scalar != Scalar::Null => visitor.visit_str(text),
            _ => self.deserialize_any(visitor),
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let result = match self.node.scalar() {
            Some(Scalar::Null) => visitor.visit_unit(),
            Some(Scalar::Bool(value)) => visitor.visit_bool(value),
            Some(Scalar::Integer(value)) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Some(Scalar::Unsigned(value)) => visitor.visit_u64(value),
            Some(Scalar::Float(value)) => visitor.visit_f64(value),
            Some(Scalar::Text(text)) => visitor.visit_str(text),
            None if self.node.is_sequence() => visitor.visit_seq(self.items()),
            None => visitor.visit_map(self.entries()),
        };
        result.map_err(|error| error.or_at(self.node))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit_text(visitor).map_err(|error| error.or_at(self.node))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self).map_err(|error| error.or_at(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let result = match (self.node.text(), self.node.entries().next()) {
            (Some(text), _) => visitor.visit_enum(text.into_deserializer()),
            (None, Some((key, value))) if self.node.entries().len() == 1 => {
                visitor.visit_enum(Variant { key, value: self.inner(value) })
            }
            _ if self.node.is_sequence() => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => Err(de::Error::invalid_type(Unexpected::Map, &visitor)),
        };
        result.map_err(|error: ReadError| error.or_at(self.node))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier
    }
}

struct Entries<'a, I> {
    reader: Reader<'a>,
    pairs: I,
    value: Option<Node<'a>>,
}

impl<'de, 'a, I: Iterator<Item = (Node<'a>, Node<'a>)>> de::MapAccess<'de> for Entries<'a, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, value)) = self.pairs.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some).map_err(|error| error.or_at(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let value = self.value.take().expect("invariant: a key was asked for first");
        seed.deserialize(self.reader.inner(value)).map_err(|error| error.or_at(value))
    }
}

struct Items<'a, I> {
    reader: Reader<'a>,
    items: I,
}

impl<'de, 'a, I: Iterator<Item = Node<'a>>> de::SeqAccess<'de> for Items<'a, I> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.reader.inner(item)).map(Some).map_err(|error| error.or_at(item))
    }
}

/// A key: its text, or a number when the type asks for one.
struct Key<'a>(Node<'a>);

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.0.text().unwrap_or_default())
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.scalar() {
            Some(Scalar::Integer(value)) => visitor.visit_i64(value),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_enum(self.0.text().unwrap_or_default().into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i128 u8 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// `variant: value`.
struct Variant<'a> {
    key: Node<'a>,
    value: Reader<'a>,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = ReadError;
    type Variant = Reader<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader<'a>), ReadError> {
        let variant = seed.deserialize(Key(self.key)).map_err(|error| error.or_at(self.key))?;
        Ok((variant, self.value))
    }
}

impl<'de> de::VariantAccess<'de> for Reader<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        if self.node.is_null() {
            return Ok(());
        }
        Err(<ReadError as de::Error>::custom("nothing is expected here").or_at(self.node))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ReadError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_any(visitor)
    }
}
