//! Lists, whole or in pages, now or at a revision of the recent past.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use crate::error::Compacted;
use crate::live::{Live, Name, Resource};
use crate::record::Record;

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'q> {
    /// `group/plural`.
    pub resource: &'q str,
    /// Only this namespace.
    pub namespace: Option<&'q str>,
    /// Only what comes after this namespace and name.
    pub after: Option<(&'q str, &'q str)>,
    /// At most so many records.
    pub limit: Option<usize>,
    /// As of this revision instead of now; one that is yet to come means now.
    pub at: Option<u64>,
}

/// A part of a list, ordered by namespace and name.
#[derive(Clone, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Arc<Record>>,
    /// The revision at which the list is true: where a watch goes on, what the next page asks for.
    pub revision: u64,
    /// Where the next page starts, if there is one.
    pub next: Option<(Arc<str>, Arc<str>)>,
    /// How many accepted records come after this page.
    pub remaining: usize,
}

/// The records `query` asks for and `accept` takes.
pub(crate) fn list(
    live: &Live,
    query: &Query<'_>,
    accept: &dyn Fn(&Record) -> bool,
) -> Result<Page, Compacted> {
    let revision = query.at.unwrap_or(u64::MAX).min(live.revision());
    let mut page = Page { records: Vec::new(), revision, next: None, remaining: 0 };
    let Some(resource) = live.resource(query.resource) else { return Ok(page) };
    let undo = if revision < live.revision() { resource.channel.undo(revision)? } else { BTreeMap::new() };
    let limit = query.limit.unwrap_or(usize::MAX);
    for record in Records::new(resource, &undo, query) {
        if !accept(record) {
            continue;
        }
        if page.records.len() < limit {
            page.records.push(Arc::clone(record));
        } else {
            page.remaining += 1;
        }
    }
    if page.remaining > 0 {
        page.next = page.records.last().map(|record| crate::live::name_of(&record.key));
    }
    Ok(page)
}

/// The records of a resource in order, with later changes undone.
struct Records<'l> {
    live: Peekable<Range<'l, Name, Arc<Record>>>,
    undo: Peekable<Range<'l, Name, Option<Arc<Record>>>>,
    namespace: Option<&'l str>,
}

impl<'l> Records<'l> {
    fn new(resource: &'l Resource, undo: &'l BTreeMap<Name, Option<Arc<Record>>>, query: &Query<'l>) -> Self {
        let bounds = (start(query), Bound::Unbounded);
        Self {
            live: resource.records.range(bounds.clone()).peekable(),
            undo: undo.range(bounds).peekable(),
            namespace: query.namespace,
        }
    }

    /// The next name of either, with what was there.
    fn step(&mut self) -> Option<(&'l Name, Option<&'l Arc<Record>>)> {
        let live = self.live.peek().map(|(name, _)| *name);
        let undone = self.undo.peek().map(|(name, _)| *name);
        match (live, undone) {
            (None, None) => None,
            (Some(name), undone) if undone.is_none_or(|undone| name < undone) => {
                self.live.next().map(|(name, record)| (name, Some(record)))
            }
            (live, undone) => {
                if live == undone {
                    self.live.next();
                }
                self.undo.next().map(|(name, record)| (name, record.as_ref()))
            }
        }
    }
}

impl<'l> Iterator for Records<'l> {
    type Item = &'l Arc<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (name, record) = self.step()?;
            if self.namespace.is_some_and(|namespace| namespace != &*name.0) {
                return None;
            }
            if record.is_some() {
                return record;
            }
        }
    }
}

/// Where the records of `query` start.
fn start(query: &Query<'_>) -> Bound<Name> {
    let first = query.namespace.map(|namespace| (namespace, ""));
    match (first, query.after) {
        (Some(first), Some(after)) if after < first => Bound::Included(owned(first)),
        (_, Some(after)) => Bound::Excluded(owned(after)),
        (Some(first), None) => Bound::Included(owned(first)),
        (None, None) => Bound::Unbounded,
    }
}

fn owned((namespace, name): (&str, &str)) -> Name {
    (Arc::from(namespace), Arc::from(name))
}
