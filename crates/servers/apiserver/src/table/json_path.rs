//! The simple JSONPaths of printer columns: `.spec.replicas`, `.items[0]`, `.list[*].name`,
//! `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels['app\.kubernetes\.io/name']`.
//!
//! A path that is written otherwise finds nothing.

use serde_json::Value;

/// A parsed path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct JsonPath(Option<Vec<Step>>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    All,
    Filter { path: Vec<String>, equal: bool, value: Value },
}

impl JsonPath {
    /// Parses a path, with or without braces and a leading `$`.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
        Self(parse(text.strip_prefix('$').unwrap_or(text)))
    }

    /// Every value the path leads to.
    pub(super) fn find<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let Some(steps) = &self.0 else { return Vec::new() };
        let mut found = vec![object];
        for step in steps {
            found = found.into_iter().flat_map(|value| step.follow(value)).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }
}

impl Step {
    fn follow<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Field(name), _) => value.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => {
                let from_end = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if *index < 0 { from_end + index } else { *index };
                usize::try_from(index).ok().and_then(|index| items.get(index)).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(fields)) => fields.values().collect(),
            (Self::Filter { path, equal, value: wanted }, Value::Array(items)) => items
                .iter()
                .filter(|item| {
                    let found = path.iter().try_fold(*item, |value, name| value.get(name));
                    found.is_some_and(|found| (found == wanted) == *equal)
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn parse(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (name, tail) = name(after);
            if name == "*" {
                steps.push(Step::All);
            } else if !name.is_empty() {
                steps.push(Step::Field(name));
            }
            rest = tail;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = bracket_end(after)?;
            steps.push(bracket(&after[..end])?);
            rest = &after[end + 1..];
        } else if steps.is_empty() {
            let (name, tail) = name(rest);
            steps.push(Step::Field(name));
            rest = tail;
        } else {
            return None;
        }
    }
    Some(steps)
}

/// A field's name up to the next `.` or `[`; a backslash takes the special meaning away.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return (name, &text[at..]),
            _ => name.push(character),
        }
    }
    (name, "")
}

/// Where the bracket closes, quotes and inner brackets aside.
fn bracket_end(text: &str) -> Option<usize> {
    let (mut quote, mut depth) = (None, 0);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Option<Step> {
    let inner = inner.trim();
    if inner == "*" {
        return Some(Step::All);
    }
    if let Ok(index) = inner.parse() {
        return Some(Step::Index(index));
    }
    if let Some(condition) = inner.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        return filter(condition);
    }
    unquoted(inner).map(|name| Step::Field(name.replace('\\', "")))
}

fn unquoted(text: &str) -> Option<&str> {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    quoted('\'').or_else(|| quoted('"'))
}

/// `@.type=="Ready"`.
fn filter(condition: &str) -> Option<Step> {
    let (left, right, equal) = match condition.split_once("==") {
        Some((left, right)) => (left, right, true),
        None => condition.split_once("!=").map(|(left, right)| (left, right, false))?,
    };
    let mut rest = left.trim().strip_prefix('@')?;
    let mut path = Vec::new();
    while let Some(after) = rest.strip_prefix('.') {
        let (step, tail) = name(after);
        path.push(step);
        rest = tail;
    }
    let right = right.trim();
    let value = match unquoted(right) {
        Some(text) => Value::from(text),
        None => serde_json::from_str(right).ok()?,
    };
    rest.is_empty().then_some(Step::Filter { path, equal, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_paths_people_write_are_followed() {
        let object = json!({
            "metadata": { "labels": { "app.kubernetes.io/name": "web" } },
            "spec": { "replicas": 3, "ports": [{ "port": 80 }, { "port": 443 }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }, { "type": "Idle", "status": "False" }] },
        });
        let cases = [
            (".spec.replicas", json!([3])),
            ("{.spec.replicas}", json!([3])),
            ("spec.replicas", json!([3])),
            (".spec.ports[0].port", json!([80])),
            (".spec.ports[-1].port", json!([443])),
            (".spec.ports[*].port", json!([80, 443])),
            (r#".status.conditions[?(@.type=="Ready")].status"#, json!(["True"])),
            (".status.conditions[?(@.type=='Idle')].status", json!(["False"])),
            (r#".status.conditions[?(@.type!="Ready")].type"#, json!(["Idle"])),
            (r".metadata.labels.app\.kubernetes\.io/name", json!(["web"])),
            (r"$.metadata.labels['app.kubernetes.io/name']", json!(["web"])),
            (r".metadata.labels['app\.kubernetes\.io/name']", json!(["web"])),
            (".spec.absent.deep", json!([])),
            (".spec.ports[", json!([])),
            (".spec.ports[?(nonsense)]", json!([])),
        ];
        for (path, expected) in cases {
            let found: Vec<Value> = JsonPath::parse(path).find(&object).into_iter().cloned().collect();
            assert_eq!(Value::from(found), expected, "{path}");
        }
    }
}
