//! Taints of node groups, in both forms eksctl takes: a list of objects, or a map of
//! `key: value:Effect`.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Keeps pods off a Node that do not tolerate it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// Reads both forms.
pub(super) fn list_or_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Taint>, D::Error> {
    struct Either;
    impl<'de> Visitor<'de> for Either {
        type Value = Vec<Taint>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of {key, value, effect} or a map of key: \"value:Effect\"")
        }
        fn visit_unit<E: Error>(self) -> Result<Vec<Taint>, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Taint>, A::Error> {
            let mut taints = Vec::new();
            while let Some(taint) = list.next_element()? {
                taints.push(taint);
            }
            Ok(taints)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Taint>, A::Error> {
            let mut taints = Vec::new();
            while let Some((key, text)) = map.next_entry::<String, String>()? {
                let (value, effect) = text.split_once(':').unwrap_or(("", &text));
                taints.push(Taint { key, value: value.to_owned(), effect: effect.to_owned() });
            }
            taints.sort();
            Ok(taints)
        }
    }
    deserializer.deserialize_any(Either)
}
