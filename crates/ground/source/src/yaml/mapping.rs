//! The end of a mapping: its keys looked at, its merges written out.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::limits;

use super::Builder;
use crate::problem;
use crate::scalar::{Form, Scalar};
use crate::tree::{Node, NodeId, Place};

/// The mapping of these keys and values in turn.
pub(super) fn close(builder: &mut Builder<'_>, children: &[NodeId], place: Place) -> NodeId {
    let (entries, merges) = check_keys(builder, children);
    let entries = if merges.is_empty() { entries } else { merge(builder, entries, &merges) };
    builder.tree.add_mapping(&entries, place)
}

/// The entries whose keys are text, and the values to merge.
fn check_keys(builder: &mut Builder<'_>, children: &[NodeId]) -> (Vec<NodeId>, Vec<NodeId>) {
    let (mut entries, mut merges) = (Vec::with_capacity(children.len()), Vec::new());
    let mut problems = Vec::new();
    let room = builder.parsed.room();
    let mut seen = BTreeMap::new();
    for pair in children.chunks_exact(2) {
        let (key, value) = (builder.tree.node(pair[0]), pair[1]);
        let location = key.location();
        let Some(text) = key.text().filter(|_| key.scalar() != Some(Scalar::Null)) else {
            if problems.len() >= room {
                continue;
            }
            let message = "a key must be text";
            let help = problem::template_help(builder.source.line(location.line));
            let mut diagnostic = problem::at(problem::KEY, message, &builder.source, location);
            diagnostic.help = help.map(str::to_owned);
            problems.push(diagnostic);
            continue;
        };
        if is_merge(key) {
            merges.push(value);
            continue;
        }
        if let Some(first) = seen.insert(text, location.clone()).filter(|_| problems.len() < room) {
            let message = format!("the key `{text}` stands twice");
            let diagnostic = problem::at(problem::DUPLICATE_KEY, message, &builder.source, location)
                .related(first, "first here")
                .help("keep one of them: readers take the last and drop the others silently");
            problems.push(diagnostic);
        }
        entries.extend_from_slice(pair);
    }
    builder.parsed.extend(problems);
    (entries, merges)
}

fn is_merge(key: Node<'_>) -> bool {
    key.text() == Some("<<") && key.form() == Some(Form::Plain)
}

/// The entries with those of the merged mappings that they do not have.
fn merge(builder: &mut Builder<'_>, mut entries: Vec<NodeId>, merges: &[NodeId]) -> Vec<NodeId> {
    let mut problems = Vec::new();
    let mut added = Vec::new();
    {
        let tree = &*builder.tree;
        let room = (2 * limits::SOURCE_MERGED_KEYS).saturating_sub(tree.merged);
        let text = |id: NodeId| tree.node(id).text().unwrap_or_default();
        let mut names: BTreeSet<&str> = entries.chunks_exact(2).map(|pair| text(pair[0])).collect();
        for value in merges.iter().flat_map(|id| mappings_of(tree.node(*id))) {
            if !value.is_mapping() && problems.len() < limits::SOURCE_PROBLEMS {
                let message = "only a mapping, or a sequence of mappings, can be merged";
                let diagnostic = problem::at(problem::ALIAS, message, &builder.source, value.location());
                problems.push(diagnostic.help(problem::ALIAS_HELP));
            }
            for (key, value) in value.entries() {
                if added.len() < room && names.insert(key.text().unwrap_or_default()) {
                    added.extend([key.id(), value.id()]);
                }
            }
        }
        if added.len() >= room {
            let location = tree.node(merges[0]).location();
            let message = format!("merges make more than {} keys", limits::SOURCE_MERGED_KEYS);
            let diagnostic = problem::at(problem::ALIAS, message, &builder.source, location);
            problems.push(diagnostic.help(problem::EXTENT_HELP));
        }
    }
    builder.parsed.extend(problems);
    builder.tree.merged += added.len();
    entries.extend(added);
    entries
}

/// The value itself, or the items when it is a sequence.
fn mappings_of(value: Node<'_>) -> Vec<Node<'_>> {
    if value.is_sequence() { value.items().collect() } else { vec![value] }
}
