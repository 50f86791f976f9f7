//! Lists that merge item by item.

use super::{DIRECTIVE, Directive, Merged, directive, is_dropped, is_missing, keys, walk};
use crate::node::{Content, Node};
use mainstay_resource::SchemaRef;

/// The values of an item's keys; empty where it has none.
type Values = Vec<String>;

pub(super) fn merge(
    old: Option<Node>,
    mut patch: Option<Node>,
    how: SchemaRef<'static>,
) -> Result<Merged, String> {
    if is_missing(old.as_ref()) {
        // Against itself, so that what its items say is carried out.
        let Some(patch) = patch else { return Ok(None) };
        return items(patch.clone(), Some(patch), how).map(|node| node.map(|node| (node, false)));
    }
    if patch.as_ref().is_some_and(Node::is_null) {
        return Ok(None);
    }
    match patch.as_mut().map_or(Ok(Directive::Merge), directive_of_list)? {
        Directive::Delete => Ok(None),
        Directive::Replace => {
            let Some(patch) = patch else { return Ok(None) };
            items(patch.clone(), Some(patch), how).map(|node| node.map(|node| (node, false)))
        }
        Directive::Merge => {
            let Some(old) = old else { return Ok(None) };
            items(old, patch, how).map(|node| node.map(|node| (node, true)))
        }
    }
}

/// What an item says of the whole list, if it says nothing else; that item is taken away.
fn directive_of_list(patch: &mut Node) -> Result<Directive, String> {
    let Content::List(items) = &mut patch.content else { return Ok(Directive::Merge) };
    let Some(place) = items.iter().position(|item| item.get(DIRECTIVE).is_some()) else {
        return Ok(Directive::Merge);
    };
    if items[place].fields().is_some_and(|fields| fields.len() > 1) {
        return Ok(Directive::Merge);
    }
    let said = items[place].get(DIRECTIVE).map(|said| said.as_text().to_owned()).unwrap_or_default();
    let directive = directive(&said)?;
    items.retain(|item| item.get(DIRECTIVE).is_none_or(|other| other.as_text() != said));
    Ok(directive)
}

fn items(old: Node, patch: Option<Node>, how: SchemaRef<'static>) -> Result<Option<Node>, String> {
    let at = old.at;
    let Content::List(mut before) = old.content else { return Ok(None) };
    let mut changes = match patch.map(|patch| patch.content) {
        Some(Content::List(items)) => items,
        _ => Vec::new(),
    };
    let keys = keys(how);
    let mut wanted: Vec<Values> = Vec::new();
    for item in changes.iter().chain(&before) {
        let values = values_of(item, &keys);
        if !wanted.contains(&values) {
            wanted.push(values);
        }
    }
    if keys.len() > 1 {
        unite(&mut wanted);
    }
    let mut added: Vec<Node> = Vec::new();
    let mut valid = keys.clone();
    for values in &wanted {
        let chosen = choose(&wanted, values, &keys);
        valid.clone_from(&chosen.0);
        let (names, values) = chosen;
        one(&mut before, &mut changes, &mut added, (&names, &values), how)?;
    }
    let merged = if wanted.is_empty() { before } else { append(added, before, &valid) };
    Ok(Some(Node { content: Content::List(merged), at }))
}

/// Merges the items of these values; the result is added, or deletes what was there.
fn one(
    before: &mut Vec<Node>,
    changes: &mut [Node],
    added: &mut Vec<Node>,
    (names, values): (&[String], &[String]),
    how: SchemaRef<'static>,
) -> Result<(), String> {
    let found = |items: &[Node]| items.iter().position(|item| is_match(item, names, values));
    let (place, change) = (found(before), found(changes));
    let old = place.map(|place| before[place].clone());
    let merged = walk(old, change.map(|place| changes[place].clone()), Some(how.items()))?;
    let Some((mut item, is_old)) = merged.filter(|(item, _)| !is_dropped(item)) else {
        set(before, None, names, values);
        return Ok(());
    };
    for (name, value) in names.iter().zip(values) {
        let at = item.at;
        if let Some(fields) = item.fields_mut()
            && fields.get(name).is_none()
            && !value.is_empty()
        {
            fields.set(name, Node::text(value.clone(), at));
        }
    }
    if let Some(place) = place.filter(|_| is_old) {
        before[place] = item.clone();
    }
    set(added, Some(item), names, values);
    Ok(())
}

/// The values of an item's keys; of a scalar itself.
fn values_of(item: &Node, keys: &[String]) -> Values {
    if keys.is_empty() {
        return vec![item.as_text().to_owned()];
    }
    let value = |key: &String| {
        item.get(key)
            .filter(|value| !value.is_nothing())
            .map_or_else(String::new, |value| value.as_text().to_owned())
    };
    keys.iter().map(value).collect()
}

/// Whether an item has exactly these values.
fn is_match(item: &Node, names: &[String], values: &[String]) -> bool {
    if names.is_empty() {
        return matches!(item.content, Content::Scalar(..))
            && Some(item.as_text()) == values.first().map(String::as_str);
    }
    // Keys that no item of this kind has do not count.
    let counted: Vec<_> = names.iter().zip(values).filter(|(_, value)| !value.is_empty()).collect();
    let all: Vec<_> = if counted.is_empty() { names.iter().zip(values).collect() } else { counted };
    item.fields().is_some_and(|fields| {
        all.iter().all(|(name, value)| fields.get(name).is_some_and(|field| field.as_text() == **value))
    })
}

/// Items that differ only in that one leaves a key out are one.
fn unite(wanted: &mut [Values]) {
    for left in 0..wanted.len() {
        for right in 0..wanted.len() {
            if let Some(both) = agree(&wanted[left], &wanted[right]) {
                wanted[left].clone_from(&both);
                wanted[right] = both;
            }
        }
    }
}

fn agree(left: &Values, right: &Values) -> Option<Values> {
    let mut is_common = false;
    let mut both = Vec::with_capacity(left.len());
    for (a, b) in left.iter().zip(right) {
        is_common |= a == b;
        if a != b && !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    is_common.then_some(both)
}

/// The keys that any item has, with an item's values of them.
fn choose(wanted: &[Values], values: &Values, keys: &[String]) -> (Vec<String>, Values) {
    let has =
        |index: usize| wanted.iter().any(|values| values.get(index).is_some_and(|value| !value.is_empty()));
    if keys.is_empty() || !(0..keys.len()).any(has) {
        return (keys.to_vec(), values.clone());
    }
    let kept = || (0..keys.len()).filter(|index| has(*index));
    (kept().map(|index| keys[index].clone()).collect(), kept().map(|index| values[index].clone()).collect())
}

/// Puts an item in the place of those with these values, or at the end; none takes them away.
fn set(items: &mut Vec<Node>, item: Option<Node>, names: &[String], values: &[String]) {
    let mut is_found = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for old in std::mem::take(items) {
        if is_dropped(&old) {
            continue;
        }
        if !is_set_at(&old, names, values) {
            kept.push(old);
            continue;
        }
        is_found = true;
        kept.extend(item.clone());
    }
    if !is_found {
        kept.extend(item);
    }
    *items = kept;
}

/// Whether an item is one that is set: a key without value only has to be there.
fn is_set_at(item: &Node, names: &[String], values: &[String]) -> bool {
    if names.is_empty() {
        return matches!(item.content, Content::Scalar(..))
            && Some(item.as_text()) == values.first().map(String::as_str);
    }
    match item.fields() {
        None => false,
        Some(fields) => names.iter().zip(values).all(|(name, value)| {
            fields.get(name).is_some_and(|field| value.is_empty() || field.as_text() == value)
        }),
    }
}

/// What was there takes its place among what was added, or follows it.
fn append(mut added: Vec<Node>, before: Vec<Node>, names: &[String]) -> Vec<Node> {
    for item in before {
        if names.is_empty() {
            let values = vec![item.as_text().to_owned()];
            set(&mut added, Some(item), names, &values);
            continue;
        }
        let mut values = Vec::new();
        for name in names {
            match item.get(name).filter(|value| !value.is_null()) {
                Some(value) => values.push(value.as_text().to_owned()),
                None => added.push(item.clone()),
            }
        }
        if values.is_empty() {
            continue;
        }
        if names.len() > 1 {
            set(&mut added, None, names, &values);
        }
        set(&mut added, Some(item), names, &values);
    }
    added
}
