//! The macro that adds to a struct the fields that are kept as they were written.

/// Defines a struct that refuses unknown fields, with optional `Value` fields for those keys of the
/// schema nothing acts on; each is given with the key it has in the file.
macro_rules! with_kept {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($typed:tt)* }
        kept { $($kept:ident = $key:literal),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $($typed)*
            $(
                #[doc = concat!("`", $key, "`, kept as written.")]
                #[serde(default, rename = $key, skip_serializing_if = "Option::is_none")]
                pub $kept: Option<serde_json::Value>,
            )*
        }
    };
}

pub(super) use with_kept;
