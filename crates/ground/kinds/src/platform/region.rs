//! A region of a platform, its role and its cluster.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ClusterConfig;

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {
    /// Its name; its kubectl context is called after it.
    pub name: String,
    /// What it is for. Without, the first region is the primary unless another is, and the others
    /// are secondary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Its cluster; without, the ClusterConfig of this region or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

/// What a region is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It gets what is placed nowhere else; there is one.
    Primary,
    /// It serves beside the primary.
    Secondary,
    /// It stands by for a disaster.
    Dr,
    /// Changes are tried there first.
    Staging,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Primary, Self::Secondary, Self::Dr, Self::Staging];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Dr => "dr",
            Self::Staging => "staging",
        }
    }
}

/// The cluster of a region: which one, or itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cluster {
    /// The name of a ClusterConfig of the Source, or its file relative to the Platform's.
    Named(String),
    /// The whole ClusterConfig.
    Inline(Box<ClusterConfig>),
}

impl<'de> Deserialize<'de> for Cluster {
    /// By hand, so that what is wrong with an inline ClusterConfig is told at its place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Cluster;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a ClusterConfig, or the name or file of one")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cluster, E> {
                Ok(Cluster::Named(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cluster, A::Error> {
                ClusterConfig::deserialize(MapAccessDeserializer::new(map))
                    .map(|config| Cluster::Inline(Box::new(config)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
