//! The generator of the embedded Kubernetes schemas: `cargo xtask schemas PATH [--check]`.
//!
//! PATH is `_definitions.json` of the package named in `crates/ground/resource/data/README.md`.
//! Two files come of it: the definitions as OpenAPI v3 components, compressed, and the merge-schema
//! table, which is derived from the components by `mainstay_resource::schema::table`.
//!
//! The package made JSON schemas of the published swagger: every optional type became nullable,
//! every kind an enum, defaults went. What matters of that is undone here.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use mainstay_resource::schema::table;
use serde_json::{Map, Value, json};

const DEFINITIONS: &str = "definitions-v1.33.json.gz";
const TABLE: &str = "merge-schema-v1.33.txt";
const PREFIX: &str = "#/components/schemas/";

/// Writes both files, or with `check` compares them with what is there.
pub(crate) fn run(source: &Path, check: bool) -> Result<()> {
    let text =
        std::fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
    let components = components(serde_json::from_str(&text).context("the definitions are not JSON")?)?;
    let definitions = serde_json::to_string(&components)?;
    let table = table::render(&components);
    let data = data_folder();
    if check {
        let mut stored = String::new();
        GzDecoder::new(std::fs::File::open(data.join(DEFINITIONS))?).read_to_string(&mut stored)?;
        ensure!(stored == definitions, "{DEFINITIONS} differs from what {} gives", source.display());
        ensure!(std::fs::read_to_string(data.join(TABLE))? == table, "{TABLE} differs");
        return Ok(());
    }
    std::fs::write(data.join(DEFINITIONS), compress(definitions.as_bytes())?)?;
    std::fs::write(data.join(TABLE), table)?;
    Ok(())
}

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ground/resource/data")
}

/// Always the same bytes: no name, no time.
fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn components(mut document: Value) -> Result<Value> {
    let Some(Value::Object(definitions)) = document.get_mut("$defs").map(Value::take) else {
        bail!("no `$defs` in the definitions");
    };
    let mut components: Map<String, Value> =
        definitions.into_iter().map(|(name, schema)| (name, schema_of(schema))).collect();
    add_what_the_swagger_has(&mut components)?;
    Ok(Value::Object(components))
}

/// Types without fields whose Go types say more than the package kept, and the two defaults that
/// are part of a list's keys.
fn add_what_the_swagger_has(components: &mut Map<String, Value>) -> Result<()> {
    let int_or_string = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    let quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
    for (name, other, description) in [
        (
            int_or_string,
            "integer",
            "IntOrString is an integer or a string, for example a port's number or name.",
        ),
        (quantity, "number", "Quantity is a fixed-point number with a unit, for example 500m or 2Gi."),
    ] {
        let component = components.get_mut(name).with_context(|| format!("no {name}"))?;
        *component = json!({"description": description, "oneOf": [{"type": other}, {"type": "string"}]});
        if name == int_or_string {
            component["format"] = json!("int-or-string");
        }
    }
    for name in ["io.k8s.api.core.v1.ContainerPort", "io.k8s.api.core.v1.ServicePort"] {
        let protocol =
            components.get_mut(name).and_then(|component| component.pointer_mut("/properties/protocol"));
        protocol.with_context(|| format!("no protocol in {name}"))?["default"] = json!("TCP");
    }
    Ok(())
}

/// One schema, its subschemas first.
fn schema_of(value: Value) -> Value {
    let Value::Object(schema) = value else { return value };
    let mut out = Map::new();
    for (key, value) in schema {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties_of(properties),
            ("type", types) => one_type(types),
            ("$ref", Value::String(reference)) => json!(reference.replace("#/$defs/", PREFIX)),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.into_iter().map(schema_of).collect(),
            ("items" | "additionalProperties", value) => schema_of(value),
            (_, value) => value,
        };
        out.insert(key, value);
    }
    wrap_reference(out)
}

/// OpenAPI v3 ignores what stands beside a `$ref`, so upstream wraps it.
fn wrap_reference(mut schema: Map<String, Value>) -> Value {
    if schema.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
    Value::Object(schema)
}

fn properties_of(properties: Map<String, Value>) -> Value {
    let named = |(name, value): (String, Value)| {
        let mut schema = schema_of(value);
        if let ("apiVersion" | "kind", Some(schema)) = (name.as_str(), schema.as_object_mut()) {
            schema.remove("enum");
        }
        (name, schema)
    };
    Value::Object(properties.into_iter().map(named).collect())
}

/// `["string", "null"]` is how the package says that a field is optional.
fn one_type(types: Value) -> Value {
    let Value::Array(types) = types else { return types };
    let mut types = types.into_iter().filter(|kind| kind != "null");
    match (types.next(), types.next()) {
        (Some(only), None) => only,
        (first, second) => first.into_iter().chain(second).chain(types).collect(),
    }
}
