//! Reading and filling in the fields of JSON objects.

use serde_json::{Map, Value};

/// A JSON object.
pub(crate) type Fields = Map<String, Value>;

/// What defaulting does to an object's fields. Nothing is allocated for what is already there.
pub(crate) trait Fill {
    /// Sets a field that is absent, null or an empty string.
    fn fill(&mut self, name: &str, value: impl Into<Value>);
    /// Sets a field that is absent, null or zero: upstream cannot tell these apart for some.
    fn fill_zero(&mut self, name: &str, value: i64);
    /// Sets a field, whatever it was.
    fn put(&mut self, name: &str, value: impl Into<Value>);
    /// The object below a field, if it is one.
    fn child(&mut self, name: &str) -> Option<&mut Fields>;
    /// The object below a field, made when absent or null; none when it is something else.
    fn child_or_new(&mut self, name: &str) -> Option<&mut Fields>;
    /// Calls `edit` with every object of the list below a field.
    fn each(&mut self, name: &str, edit: impl FnMut(&mut Fields));
}

impl Fill for Fields {
    fn fill(&mut self, name: &str, value: impl Into<Value>) {
        match self.get_mut(name) {
            None => {
                self.insert(name.to_owned(), value.into());
            }
            Some(present) if is_empty(present) => *present = value.into(),
            Some(_) => {}
        }
    }

    fn fill_zero(&mut self, name: &str, value: i64) {
        if self.get(name).is_none_or(|present| present.is_null() || present.as_i64() == Some(0)) {
            self.put(name, value);
        }
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        match self.get_mut(name) {
            None => {
                self.insert(name.to_owned(), value.into());
            }
            Some(present) => *present = value.into(),
        }
    }

    fn child(&mut self, name: &str) -> Option<&mut Fields> {
        self.get_mut(name)?.as_object_mut()
    }

    fn child_or_new(&mut self, name: &str) -> Option<&mut Fields> {
        self.fill(name, Fields::new());
        self.child(name)
    }

    fn each(&mut self, name: &str, mut edit: impl FnMut(&mut Fields)) {
        let Some(list) = self.get_mut(name).and_then(Value::as_array_mut) else { return };
        for item in list.iter_mut().filter_map(Value::as_object_mut) {
            edit(item);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The value below `path`, if every step exists.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// The text below `path`; empty when there is none.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or("")
}

/// The whole number below `path`.
pub(crate) fn number(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path)?.as_i64()
}

/// The elements of the list below `path`.
pub(crate) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The fields of the object below `path`, by name.
pub(crate) fn entries<'a>(object: &'a Value, path: &[&str]) -> impl Iterator<Item = (&'a str, &'a Value)> {
    at(object, path)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}
