//! Whether what was observed is what was expected. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mainstay_cel::{Expression, Value as CelValue};
use mainstay_kinds::drill::{Amount, EventExpect, Expect};

use super::sight::Sight;
use crate::history::EventNote;

/// A number of every sight that is added up: its name, how many there should be, where it is.
type Sum = (&'static str, Option<Amount>, fn(&Sight) -> u64);
type Objects = BTreeMap<(Arc<str>, Arc<str>), Sight>;

/// What is otherwise than expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Otherwise {
    /// What was looked at.
    pub(crate) about: String,
    /// What was expected of it.
    pub(crate) expected: String,
    /// What was seen instead.
    pub(crate) seen: String,
}

impl fmt::Display for Otherwise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, expected {}", self.about, self.seen, self.expected)
    }
}

/// Judges the chosen objects.
pub(super) fn objects(
    about: &str,
    expect: &Expect,
    objects: &Objects,
    expression: Option<&Expression>,
) -> Result<(), Otherwise> {
    let otherwise = |expected: String, seen: String| Otherwise { about: about.to_owned(), expected, seen };
    match expect.count {
        Some(count) => same(about, "objects", count, number(objects.len()))?,
        None if objects.is_empty() => {
            return Err(otherwise("at least one".to_owned(), "there is none".to_owned()));
        }
        None => {}
    }
    let sums: [Sum; 4] = [
        ("replicas", expect.replicas, |sight| sight.replicas),
        ("available replicas", expect.available, |sight| sight.available),
        ("updated replicas", expect.updated, |sight| sight.updated),
        ("ready", expect.ready, |sight| sight.ready),
    ];
    for (what, expected, field) in sums {
        if let Some(expected) = expected {
            same(about, what, expected, objects.values().map(field).sum())?;
        }
    }
    if let Some(phase) = &expect.phase
        && let Some((key, sight)) = objects.iter().find(|(_, sight)| sight.phase != *phase)
    {
        let seen = format!("{} is in phase {:?}", path(key), sight.phase);
        return Err(otherwise(format!("{phase:?}"), seen));
    }
    for (type_, status) in &expect.conditions {
        let other = objects.iter().find(|(_, sight)| sight.conditions.get(type_) != Some(status));
        if let Some((key, sight)) = other {
            let seen = sight.conditions.get(type_).map_or("absent", String::as_str);
            return Err(otherwise(status.clone(), format!("condition {type_} of {} is {seen}", path(key))));
        }
    }
    expression.map_or(Ok(()), |expression| answers(about, objects, expression))
}

/// Judges by the expression.
fn answers(about: &str, objects: &Objects, expression: &Expression) -> Result<(), Otherwise> {
    let expected = format!("`{}`", expression.text());
    let otherwise = |seen: String| Otherwise { about: about.to_owned(), expected: expected.clone(), seen };
    if expression.names("objects") {
        let all = CelValue::list(objects.values().filter_map(|sight| sight.value.clone()));
        return match expression.holds(&[("objects", &all)]) {
            Ok(true) => Ok(()),
            Ok(false) => Err(otherwise(format!("it is false of {} objects", objects.len()))),
            Err(no) => Err(otherwise(format!("it has no answer: {no}"))),
        };
    }
    for (key, sight) in objects {
        match &sight.answer {
            Some(Ok(false)) => return Err(otherwise(format!("it is false of {}", path(key)))),
            Some(Err(no)) => return Err(otherwise(format!("it has no answer for {}: {no}", path(key)))),
            Some(Ok(true)) | None => {}
        }
    }
    Ok(())
}

/// Judges the Events of a region.
pub(super) fn event<'e>(
    expect: &EventExpect,
    events: impl Iterator<Item = &'e EventNote>,
) -> Result<(), Otherwise> {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    let name_fits = |name: &str| {
        expect.name.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        })
    };
    let fitting = events.filter(|note| {
        fits(&expect.reason, &note.reason)
            && fits(&expect.kind_of, &note.type_)
            && fits(&expect.kind, &note.about.kind)
            && fits(&expect.namespace, &note.about.namespace)
            && name_fits(&note.about.name)
            && expect.message.as_deref().is_none_or(|part| note.message.contains(part))
    });
    let observed = fitting.map(|note| note.count).sum();
    same(&about_event(expect), "times", expect.count.unwrap_or_else(|| Amount::at_least(1)), observed)
}

fn same(about: &str, what: &str, expected: Amount, observed: u64) -> Result<(), Otherwise> {
    if expected.holds(observed) {
        return Ok(());
    }
    let about = about.to_owned();
    Err(Otherwise { about, expected: expected.to_string(), seen: format!("{observed} {what}") })
}

/// What an expectation is about, in words.
pub(super) fn about(expect: &Expect) -> String {
    if expect.kind.is_empty() {
        return expect.event.as_ref().map(about_event).unwrap_or_default();
    }
    let mut text = expect.kind.clone();
    match (&expect.name, &expect.namespace) {
        (Some(name), namespace) => {
            text = format!("{text} {}/{name}", namespace.as_deref().unwrap_or("default"));
        }
        (None, Some(namespace)) => text = format!("{text} in {namespace}"),
        (None, None) => {}
    }
    if let Some(selector) = &expect.selector {
        text = format!("{text} with {selector}");
    }
    text
}

fn about_event(expect: &EventExpect) -> String {
    let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word}{value}"));
    let parts = [
        Some("Event".to_owned()),
        part("", &expect.kind_of),
        part("", &expect.reason),
        part("of ", &expect.kind),
        part("in ", &expect.namespace),
        part("", &expect.name),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn path((namespace, name): &(Arc<str>, Arc<str>)) -> String {
    if namespace.is_empty() { name.to_string() } else { format!("{namespace}/{name}") }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judge(expect: Value, objects: &[Value]) -> Result<(), String> {
        let expect: Expect = serde_json::from_value(expect).unwrap();
        let expression =
            expect.cel.as_ref().map(|text| Expression::compile(text, &["object", "objects"]).unwrap());
        let sights = objects
            .iter()
            .map(|object| {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                ((Arc::from(""), Arc::from(name)), Sight::of(object, &expect, expression.as_ref()))
            })
            .collect();
        super::objects(&about(&expect), &expect, &sights, expression.as_ref())
            .map_err(|otherwise| otherwise.to_string())
    }

    #[test]
    fn each_field_that_is_given_must_hold() {
        let deployment = json!({"metadata": {"name": "web"}, "status": {
            "replicas": 3, "readyReplicas": 2, "conditions": [{"type": "Available", "status": "False"}],
        }});
        let web = |field: &str, value: Value| {
            let mut expect = json!({"kind": "Deployment", "name": "web"});
            expect[field] = value;
            judge(expect, std::slice::from_ref(&deployment))
        };
        assert_eq!(web("replicas", json!(3)), Ok(()));
        assert_eq!(web("ready", json!(">= 2")), Ok(()));
        let told = "Deployment default/web: 0 available replicas, expected 3";
        assert_eq!(web("available", json!(3)), Err(told.to_owned()));
        let told = "Deployment default/web: condition Available of web is False, expected True";
        assert_eq!(web("conditions", json!({"Available": "True"})), Err(told.to_owned()));
        assert_eq!(web("cel", json!("object.status.replicas == 3")), Ok(()));
        let told = "Deployment default/web: it is false of web, expected `object.status.replicas > 3`";
        assert_eq!(web("cel", json!("object.status.replicas > 3")), Err(told.to_owned()));
        assert!(web("cel", json!("object.status.other > 3")).unwrap_err().contains("no answer for web"));
    }

    #[test]
    fn nothing_is_only_right_where_none_is_expected() {
        let any = json!({"kind": "Pod", "selector": "app=web"});
        assert_eq!(judge(any, &[]), Err("Pod with app=web: there is none, expected at least one".to_owned()));
        assert_eq!(judge(json!({"kind": "Pod", "selector": "app=web", "count": 0}), &[]), Ok(()));
    }

    #[test]
    fn pods_and_nodes_are_ready_by_their_condition() {
        let pod = |name: &str, status: &str| {
            json!({"metadata": {"name": name}, "status": {
                "phase": "Running", "conditions": [{"type": "Ready", "status": status}],
            }})
        };
        let one = || json!({"kind": "Pod", "selector": "app=web", "ready": 1, "phase": "Running"});
        assert_eq!(judge(one(), &[pod("a", "True"), pod("b", "False")]), Ok(()));
        assert!(judge(one(), &[pod("a", "True"), pod("b", "True")]).is_err());
        let both = json!({"kind": "Pod", "cel": "objects.all(o, o.status.phase == 'Running') && objects.size() == 2"});
        assert_eq!(judge(both, &[pod("a", "True"), pod("b", "True")]), Ok(()));
    }
}
