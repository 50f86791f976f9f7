//! What upstream's Go types say of a value's place in an object: for those who check JSON before it
//! is stored, so that all that is stored can be encoded.
//!
//! LIMIT: named text types and named lists and maps (`Protocol`, `ResourceList`) go by what they are
//! made of.

use crate::table::{Field, Kind, Message, Shape};

/// The place of a value in an object of a built-in kind.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    owner: &'static Message,
    shape: Shape,
    kind: Kind,
}

/// What a scalar has to be, where its type in JSON does not say it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number is an integer of 32 bits; there may be texts as well.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// Base64.
    Bytes,
    /// A time to the second.
    Time,
    /// A time to the microsecond.
    MicroTime,
    /// Anything of its type.
    Any,
}

impl Message {
    /// The place of a field's value.
    pub fn spot(&'static self, field: &str) -> Option<Spot> {
        let Field { shape, kind, .. } = self.fields[self.field(field, 0)?];
        Some(Spot { owner: self, shape, kind })
    }
}

impl Spot {
    /// The Go type the field belongs to, without its package.
    pub fn owner(self) -> &'static str {
        last_words(self.owner.name, 1)
    }

    /// Whether the values in it have names that its type gives, not the user.
    pub fn is_struct(self) -> bool {
        matches!((self.shape, self.kind), (Shape::One, Kind::Message(_)))
    }

    /// The place of a value in it.
    pub fn part(self, name: &str) -> Option<Self> {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Message(index)) => Message::at(index).spot(name),
            (Shape::One, _) => None,
            (Shape::List | Shape::Map, _) => Some(Self { shape: Shape::One, ..self }),
        }
    }

    /// What its value has to be.
    pub fn form(self) -> Form {
        match (self.shape, self.kind) {
            (Shape::One, Kind::Int32 | Kind::IntOrText) => Form::Int32,
            (Shape::One, Kind::Int64) => Form::Int64,
            (Shape::One, Kind::Bytes) => Form::Bytes,
            (Shape::One, Kind::Time) => Form::Time,
            (Shape::One, Kind::MicroTime) => Form::MicroTime,
            _ => Form::Any,
        }
    }

    /// Its Go type, as errors name it.
    pub fn go_type(self) -> String {
        let one = match self.kind {
            Kind::Bool => "bool",
            Kind::Bytes => "[]uint8",
            Kind::Double => "float64",
            Kind::Int32 | Kind::IntOrText => "int32",
            Kind::Int64 => "int64",
            Kind::Text => "string",
            Kind::Time | Kind::MicroTime if self.shape == Shape::One => "string",
            Kind::Time => "v1.Time",
            Kind::MicroTime => "v1.MicroTime",
            Kind::Quantity => "resource.Quantity",
            Kind::Json => "runtime.RawExtension",
            Kind::Texts => "[]string",
            Kind::SchemaOrList => "v1.JSONSchemaPropsOrArray",
            Kind::SchemaOrBool => "v1.JSONSchemaPropsOrBool",
            Kind::SchemaOrTexts => "v1.JSONSchemaPropsOrStringArray",
            Kind::Message(index) => last_words(Message::at(index).name, 2),
        };
        match self.shape {
            Shape::One => one.to_owned(),
            Shape::List => format!("[]{one}"),
            Shape::Map => format!("map[string]{one}"),
        }
    }
}

/// The last words of a name whose words have dots between them.
fn last_words(name: &'static str, count: usize) -> &'static str {
    let start = name.rmatch_indices('.').nth(count - 1).map_or(0, |(at, _)| at + 1);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_as_upstreams_types_are() {
        let deployment = Message::of("apps/v1", "Deployment").unwrap();
        for (path, owner, go_type, form) in [
            ("spec", "Deployment", "v1.DeploymentSpec", Form::Any),
            ("spec/replicas", "DeploymentSpec", "int32", Form::Int32),
            ("spec/strategy/rollingUpdate/maxSurge", "RollingUpdateDeployment", "int32", Form::Int32),
            ("metadata/labels", "ObjectMeta", "map[string]string", Form::Any),
            ("metadata/labels/a", "ObjectMeta", "string", Form::Any),
            ("metadata/generation", "ObjectMeta", "int64", Form::Int64),
            ("metadata/creationTimestamp", "ObjectMeta", "string", Form::Time),
            ("spec/template/spec/containers", "PodSpec", "[]v1.Container", Form::Any),
            ("spec/template/spec/containers/0/env/0/value", "EnvVar", "string", Form::Any),
        ] {
            let mut words = path.split('/');
            let first = deployment.spot(words.next().unwrap()).unwrap();
            let spot = words.fold(first, |spot, word| spot.part(word).unwrap());
            assert_eq!((spot.owner(), &*spot.go_type(), spot.form()), (owner, go_type, form), "{path}");
        }
        assert!(deployment.spot("specs").is_none());
        let secret = Message::of("v1", "Secret").unwrap().spot("data").unwrap();
        assert_eq!((secret.form(), secret.part("x").unwrap().form()), (Form::Any, Form::Bytes));
    }
}
