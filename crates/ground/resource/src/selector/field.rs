//! Selectors over fields: `metadata.name=x,spec.nodeName!=y`.

use std::fmt;
use std::str::FromStr;

use super::SelectorError;

/// One condition on one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldRequirement {
    /// The field, `spec.nodeName`.
    pub field: String,
    /// Whether it must have the value, or must not.
    pub equals: bool,
    /// The value, unescaped.
    pub value: String,
}

impl fmt::Display for FieldRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.field, if self.equals { "=" } else { "!=" }, escape(&self.value))
    }
}

/// All of these requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldSelector {
    requirements: Vec<FieldRequirement>,
}

impl FieldSelector {
    /// The selector that every object meets.
    pub fn everything() -> Self {
        Self::default()
    }

    /// The selector of one field's value.
    pub fn equal(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            requirements: vec![FieldRequirement { field: field.into(), equals: true, value: value.into() }],
        }
    }

    /// Reads a query: terms `field=value`, `field==value`, `field!=value` with commas between them;
    /// a backslash escapes `,`, `=` and itself in values.
    pub fn parse(query: &str) -> Result<Self, SelectorError> {
        let mut terms = split_terms(query);
        terms.sort_unstable();
        let requirements = terms
            .into_iter()
            .filter(|term| !term.is_empty())
            .map(|term| parse_term(query, term))
            .collect::<Result<_, _>>()?;
        Ok(Self { requirements })
    }

    /// Whether the fields that `field` looks up meet every requirement; an absent field is empty.
    pub fn matches<'a>(&self, field: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        let value = |name: &str| field(name).unwrap_or_default();
        self.requirements.iter().all(|one| (value(&one.field) == one.value) == one.equals)
    }

    /// Whether every object meets it.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The requirements, sorted by their text.
    pub fn requirements(&self) -> &[FieldRequirement] {
        &self.requirements
    }

    /// The one value a field must have.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.requirements.iter().find(|one| one.equals && one.field == field).map(|one| one.value.as_str())
    }
}

fn split_terms(query: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in query.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                terms.push(&query[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&query[start..]);
    terms
}

fn parse_term(query: &str, term: &str) -> Result<FieldRequirement, SelectorError> {
    let unknown = || SelectorError(format!("invalid selector: '{query}'; can't understand '{term}'"));
    let at = (0..term.len())
        .find(|at| {
            let rest = &term.as_bytes()[*at..];
            rest.starts_with(b"!=") || rest.starts_with(b"=")
        })
        .ok_or_else(unknown)?;
    let (field, rest) = term.split_at(at);
    let (equals, value) = match rest.strip_prefix("!=") {
        Some(value) => (false, value),
        None => (true, rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')).unwrap_or_default()),
    };
    Ok(FieldRequirement { field: field.to_owned(), equals, value: unescape(value)? })
}

fn unescape(value: &str) -> Result<String, SelectorError> {
    let invalid = |sequence: String| {
        SelectorError(format!("invalid field selector: invalid escape sequence: {sequence}"))
    };
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => return Err(invalid(format!("\\{other}"))),
                None => return Err(invalid("\\".to_owned())),
            },
            // Upstream's message has the character's number.
            ',' | '=' => {
                let number = u32::from(character);
                return Err(SelectorError(format!(
                    "invalid field selector: unescaped character in value: {number}"
                )));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '=') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

impl FromStr for FieldSelector {
    type Err = SelectorError;

    fn from_str(query: &str) -> Result<Self, Self::Err> {
        Self::parse(query)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::write_joined(&self.requirements, f)
    }
}
