//! Generated ConfigMaps and Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_source::{Place, joined};

use crate::files::Files;
use crate::kustomization::{Generator, GeneratorOptions, Texts};
use crate::node::{Content, Node};
use crate::resource::{Behaviour, Resource};
use crate::scalar::Tag;

/// Bytes of base64 in one line.
const LINE: usize = 70;

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    ConfigMap,
    Secret,
}

/// A key, its bytes, and where they are told of.
type Pair = (String, Vec<u8>, Place);

/// Where the parts of a generator are written.
pub(crate) struct Places<'p> {
    /// Of the part at a path of the generator.
    pub of: &'p dyn Fn(&str) -> Place,
}

/// The options of a generator, with those of the whole kustomization where it says nothing.
pub(crate) fn options(own: Option<&GeneratorOptions>, all: Option<&GeneratorOptions>) -> GeneratorOptions {
    let (mut own, all) = (own.cloned().unwrap_or_default(), all.cloned().unwrap_or_default());
    for (name, text) in all.labels {
        own.labels.entry(name).or_insert(text);
    }
    for (name, text) in all.annotations {
        own.annotations.entry(name).or_insert(text);
    }
    own.disable_name_suffix_hash |= all.disable_name_suffix_hash;
    own.immutable |= all.immutable;
    own
}

/// Generates an object.
pub(crate) fn generate(
    sort: Sort,
    generator: &Generator,
    options: &GeneratorOptions,
    files: &Files<'_>,
    folder: &str,
    places: &Places<'_>,
) -> Result<Resource, String> {
    if generator.name.is_empty() {
        return Err("a generator must have a name".to_owned());
    }
    let at = (places.of)("");
    let kind = if sort == Sort::Secret { "Secret" } else { "ConfigMap" };
    let mut node = Node::map(at);
    put(&mut node, "apiVersion", Node::text("v1", at));
    put(&mut node, "kind", Node::text(kind, at));
    let mut metadata = Node::map(at);
    put(&mut metadata, "name", Node::text(generator.name.clone(), (places.of)("/name")));
    if !generator.namespace.is_empty() {
        put(&mut metadata, "namespace", Node::text(generator.namespace.clone(), (places.of)("/namespace")));
    }
    for (field, texts) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !texts.is_empty() {
            put(&mut metadata, field, map_of(texts, at));
        }
    }
    put(&mut node, "metadata", metadata);
    if sort == Sort::Secret {
        let sort = if generator.r#type.is_empty() { "Opaque" } else { &generator.r#type };
        put(&mut node, "type", Node::text(sort, at));
        put(&mut node, "data", Node::map(at));
    }
    for (key, bytes, at) in pairs(generator, files, folder, places)? {
        let (field, text) = match (sort, String::from_utf8(bytes)) {
            (Sort::ConfigMap, Ok(text)) => ("data", text),
            (Sort::ConfigMap, Err(error)) => ("binaryData", base64(error.as_bytes())),
            (Sort::Secret, Ok(text)) => ("data", base64(text.as_bytes())),
            (Sort::Secret, Err(error)) => ("data", base64(error.as_bytes())),
        };
        let Some(data) = node.map_at(field, at) else { continue };
        if data.get(&key).is_some() {
            return Err(format!("the key `{key}` is there twice"));
        }
        data.set(&key, Node::text(text, at));
    }
    if options.immutable {
        put(&mut node, "immutable", Node { content: Content::Scalar(Tag::Bool, "true".to_owned()), at });
    }
    let mut resource = Resource::new(node);
    resource.needs_hash = !options.disable_name_suffix_hash;
    resource.behaviour = match generator.behavior.as_str() {
        "replace" => Behaviour::Replace,
        "merge" => Behaviour::Merge,
        _ => Behaviour::Create,
    };
    Ok(resource)
}

fn put(node: &mut Node, name: &str, value: Node) {
    if let Some(fields) = node.fields_mut() {
        fields.set(name, value);
    }
}

fn map_of(texts: &Texts, at: Place) -> Node {
    let mut map = Node::map(at);
    for (name, text) in texts {
        put(&mut map, name, Node::text(text.clone(), at));
    }
    map
}

fn pairs(
    generator: &Generator,
    files: &Files<'_>,
    folder: &str,
    places: &Places<'_>,
) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    let read = |name: &str| {
        joined(folder, name)
            .and_then(|name| files.bytes(&name))
            .ok_or_else(|| format!("the file `{name}` is not in the Source"))
    };
    for (name, path) in indexed(&generator.envs, "envs").chain(named(&generator.env, "/env")) {
        let text =
            String::from_utf8(read(name)?.to_vec()).map_err(|_| format!("`{name}` is not UTF-8 text"))?;
        environment(&text, (places.of)(&path), &mut pairs)?;
    }
    for (literal, path) in indexed(&generator.literals, "literals") {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!("invalid literal source {literal}, expected key=value"));
        };
        pairs.push((key.to_owned(), unquoted(value).as_bytes().to_vec(), (places.of)(&path)));
    }
    for (file, path) in indexed(&generator.files, "files") {
        let (key, name) = match file.split_once('=') {
            None => (file.rsplit('/').next().unwrap_or(file), file.as_str()),
            Some((key, name)) if !key.is_empty() && !name.is_empty() && !name.contains('=') => (key, name),
            Some(_) => return Err(format!("`{file}` is not a file, nor a key and a file")),
        };
        pairs.push((key.to_owned(), read(name)?.to_vec(), (places.of)(&path)));
    }
    Ok(pairs)
}

fn indexed<'t>(list: &'t [String], field: &'static str) -> impl Iterator<Item = (&'t String, String)> {
    list.iter().enumerate().map(move |(index, text)| (text, format!("/{field}/{index}")))
}

fn named<'t>(text: &'t String, path: &'static str) -> impl Iterator<Item = (&'t String, String)> {
    (!text.is_empty()).then(|| (text, path.to_owned())).into_iter()
}

/// `KEY=value` lines; comments and empty lines do not count.
fn environment(text: &str, at: Place, pairs: &mut Vec<Pair>) -> Result<(), String> {
    for line in text.lines() {
        let line = line.trim_start_matches('\u{feff}').trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.chars().all(is_part) {
            return Err(format!("`{key}` is no name of an environment variable"));
        }
        pairs.push((key.to_owned(), value.as_bytes().to_vec(), at));
    }
    Ok(())
}

fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if text.len() < 2 { text } else { inner('"').or_else(|| inner('\'')).unwrap_or(text) }
}

/// Base64 in lines, if it is longer than one.
fn base64(bytes: &[u8]) -> String {
    let whole = STANDARD.encode(bytes);
    if whole.len() < LINE {
        return whole;
    }
    let mut lines = String::with_capacity(whole.len() + whole.len() / LINE + 1);
    for (index, c) in whole.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}
