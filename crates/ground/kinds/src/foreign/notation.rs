//! Schemas as short notes, and the OpenAPI schemas they stand for.
//!
//! The notation is explained in `crds/shared.yaml`. **Invariants:** an object keeps the fields that
//! its note does not name; a map's values are all of one type.

use serde_json::{Map, Value, json};

/// The named types a note can use: its group's, then those that all groups share.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) own: &'a Map<String, Value>,
    pub(super) shared: &'a Map<String, Value>,
}

type Schema = Result<Value, String>;

impl Types<'_> {
    /// The schema of a whole object of a kind.
    pub(super) fn root(self, fields: &Map<String, Value>) -> Schema {
        let mut schema = self.object(fields)?;
        for field in ["apiVersion", "kind"] {
            schema["properties"][field] = json!({ "type": "string" });
        }
        // What metadata looks like is known to every server.
        schema["properties"]["metadata"] = json!({ "type": "object" });
        Ok(schema)
    }

    fn schema(self, note: &Value) -> Schema {
        match note {
            Value::String(text) => self.words(text),
            Value::Array(items) => self.list(items),
            Value::Object(fields) => self.object(fields),
            other => Err(format!("{other} is no type")),
        }
    }

    fn object(self, fields: &Map<String, Value>) -> Schema {
        let mut schema = json!({ "type": "object" });
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (key, note) in fields {
            if let Some(attribute) = key.strip_prefix('$') {
                attribute_of(&mut schema, attribute, note)?;
            } else if key == "*" {
                schema["additionalProperties"] = self.schema(note)?;
            } else {
                let name = key.trim_end_matches(['!', '~']);
                let mut property = self.schema(note).map_err(|error| format!("{name}: {error}"))?;
                if key.ends_with('~') {
                    property["nullable"] = true.into();
                }
                if key.ends_with('!') {
                    required.push(name);
                }
                properties.insert(name.to_owned(), property);
            }
        }
        if !properties.is_empty() {
            schema["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if schema.get("additionalProperties").is_none() {
            schema["x-kubernetes-preserve-unknown-fields"] = true.into();
        }
        Ok(schema)
    }

    fn list(self, items: &[Value]) -> Schema {
        let (item, more) = match items {
            [item] => (item, ""),
            [item, Value::String(more)] => (item, more.as_str()),
            _ => return Err("a list has one type of item".to_owned()),
        };
        let mut schema = json!({ "type": "array", "items": self.schema(item)? });
        for word in more.split_whitespace() {
            constrain(&mut schema, word)?;
        }
        Ok(schema)
    }

    fn words(self, text: &str) -> Schema {
        let mut words = text.split_whitespace().peekable();
        let first = words.next().ok_or("no type")?;
        if words.peek() == Some(&"|") {
            return choice(text);
        }
        let mut schema = match first {
            "string" | "integer" | "number" | "boolean" => json!({ "type": first }),
            "int32" | "int64" => json!({ "type": "integer", "format": first }),
            "double" => json!({ "type": "number", "format": "double" }),
            "time" => json!({ "type": "string", "format": "date-time" }),
            "bytes" => json!({ "type": "string", "format": "byte" }),
            "int-or-string" => json!({ "x-kubernetes-int-or-string": true }),
            "object" => json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
            "only" => json!({ "type": "string", "enum": [words.next()] }),
            name => {
                let note = self.own.get(name).or_else(|| self.shared.get(name));
                self.schema(note.ok_or_else(|| format!("no type {name:?}"))?)?
            }
        };
        if words.next_if_eq(&"in").is_some() {
            let mut numbers = Vec::new();
            while let Some(number) = words.peek().and_then(|word| word.parse::<i64>().ok()) {
                numbers.push(number);
                words.next();
            }
            schema["enum"] = json!(numbers);
        }
        for word in words {
            constrain(&mut schema, word)?;
        }
        Ok(schema)
    }
}

/// `A | B =A`: one of these texts.
fn choice(text: &str) -> Schema {
    let mut schema = json!({ "type": "string" });
    let mut values = Vec::new();
    for word in text.split_whitespace() {
        match word {
            "|" => {}
            "\"\"" => values.push(""),
            _ if word.starts_with('=') => constrain(&mut schema, word)?,
            _ => values.push(word),
        }
    }
    schema["enum"] = json!(values);
    Ok(schema)
}

/// What holds of a value, besides its type.
fn constrain(schema: &mut Value, word: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<i64>().map_err(|_| format!("{word:?}: no number"));
    let limits = [
        ("length>=", "minLength"),
        ("length<=", "maxLength"),
        ("items>=", "minItems"),
        ("items<=", "maxItems"),
        (">=", "minimum"),
        ("<=", "maximum"),
    ];
    if let Some((prefix, field)) = limits.iter().find(|(prefix, _)| word.starts_with(prefix)) {
        schema[*field] = number(&word[prefix.len()..])?.into();
    } else if let Some(pattern) = word.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        schema["pattern"] = pattern.into();
    } else if let Some(json) = word.strip_prefix("default=") {
        schema["default"] = serde_json::from_str(json).map_err(|error| format!("{word:?}: {error}"))?;
    } else if let Some(text) = word.strip_prefix('=') {
        let is_text = schema["type"] == "string" && text != "\"\"";
        schema["default"] = if is_text {
            text.into()
        } else {
            serde_json::from_str(text).map_err(|error| format!("{word:?}: {error}"))?
        };
    } else if let Some(keys) = word.strip_prefix("map(").and_then(|rest| rest.strip_suffix(')')) {
        schema["x-kubernetes-list-type"] = "map".into();
        schema["x-kubernetes-list-map-keys"] = keys.split(',').collect();
    } else if matches!(word, "set" | "atomic") {
        schema["x-kubernetes-list-type"] = word.into();
    } else {
        return Err(format!("{word:?} says nothing"));
    }
    Ok(())
}

/// A `$` key: something of the object itself.
fn attribute_of(schema: &mut Value, name: &str, note: &Value) -> Result<(), String> {
    let fields = note.as_array().map_or(&[][..], Vec::as_slice);
    let has = |field: &Value| json!({ "required": [field] });
    match name {
        "default" => schema["default"] = note.clone(),
        "oneOf" | "anyOf" => {
            schema[name] = fields.iter().map(|fields| json!({ "required": fields })).collect();
        }
        "atMostOneOf" => {
            let neither = json!({ "not": { "anyOf": fields.iter().map(has).collect::<Vec<_>>() } });
            schema["oneOf"] = std::iter::once(neither).chain(fields.iter().map(has)).collect();
        }
        other => return Err(format!("${other} says nothing")),
    }
    Ok(())
}
