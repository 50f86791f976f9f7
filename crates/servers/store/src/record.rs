//! What the store holds and what it is asked to change.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

/// Where an object is: its resource, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `group/plural`: `apps/deployments`, `/pods`.
    pub resource: Arc<str>,
    /// Empty for an object of the cluster's scope.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl Key {
    /// The key of `name` in `namespace` (empty: the cluster's scope).
    pub fn new(
        resource: impl Into<Arc<str>>,
        namespace: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// An encoded object that lacks only its revision, which nobody knows before the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The JSON object, with `"resourceVersion":""`.
    pub bytes: Vec<u8>,
    /// Between those two quotes.
    pub revision_at: usize,
    /// The part of the bytes, before the revision, that a reader may have left aside; mostly empty.
    pub aside: Range<usize>,
}

impl Draft {
    /// The object's final bytes.
    pub(crate) fn at_revision(&self, revision: u64) -> Bytes {
        let digits = revision.to_string();
        let (head, tail) = self.bytes.split_at(self.revision_at);
        let mut bytes = Vec::with_capacity(self.bytes.len() + digits.len());
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(digits.as_bytes());
        bytes.extend_from_slice(tail);
        Bytes::from(bytes)
    }
}

impl Draft {
    /// The part that may be left aside, as a record knows it.
    pub(crate) fn aside(&self) -> Range<u32> {
        let end = |at: usize| u32::try_from(at).ok();
        end(self.aside.start).zip(end(self.aside.end)).map_or(0..0, |(start, end)| start..end)
    }
}

type Pairs = Box<[(Box<str>, Box<str>)]>;

/// What selectors may look at without decoding the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    labels: Pairs,
    fields: Pairs,
}

impl Tags {
    /// Tags of the given labels and fields; of a key given twice the last value counts.
    pub fn new<K, V, L, F>(labels: L, fields: F) -> Self
    where
        K: Into<Box<str>>,
        V: Into<Box<str>>,
        L: IntoIterator<Item = (K, V)>,
        F: IntoIterator<Item = (K, V)>,
    {
        Self { labels: sorted(labels), fields: sorted(fields) }
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        find(&self.labels, key)
    }

    /// The value of a field, by its path: `spec.nodeName`.
    pub fn field(&self, path: &str) -> Option<&str> {
        find(&self.fields, path)
    }

    /// All labels, sorted by key.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }

    /// All fields, sorted by path.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }
}

fn sorted<K: Into<Box<str>>, V: Into<Box<str>>>(pairs: impl IntoIterator<Item = (K, V)>) -> Pairs {
    let mut list: Vec<(Box<str>, Box<str>)> = Vec::new();
    for (key, value) in pairs {
        let (key, value) = (key.into(), value.into());
        match list.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(at) => list[at].1 = value,
            Err(at) => list.insert(at, (key, value)),
        }
    }
    list.into_boxed_slice()
}

fn find<'p>(pairs: &'p Pairs, key: &str) -> Option<&'p str> {
    let at = pairs.binary_search_by(|(candidate, _)| candidate.as_ref().cmp(key)).ok()?;
    Some(pairs[at].1.as_ref())
}

/// One state of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub key: Key,
    /// The revision that wrote this state.
    pub revision: u64,
    /// The revision that made the object.
    pub created: u64,
    /// The encoded object, revision included.
    pub value: Bytes,
    /// The part of it that a reader may have left aside: empty where there is none, and for an object
    /// that was read from the disk.
    pub aside: Range<u32>,
    /// What selectors may look at.
    pub tags: Tags,
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No object.
    Absent,
    /// The object at this revision.
    Revision(u64),
    /// The object at any revision; for a [`Change::Put`] none is as good.
    Any,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes or replaces the object.
    Put(Draft, Tags),
    /// Removes it; the draft is its last state.
    Delete(Draft),
}

impl Change {
    /// The encoded object.
    pub fn draft(&self) -> &Draft {
        match self {
            Self::Put(draft, _) | Self::Delete(draft) => draft,
        }
    }
}

/// One change, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The object.
    pub key: Key,
    /// What must be so for the change to happen.
    pub expect: Expect,
    /// The change.
    pub change: Change,
}

/// A part of the store that changes rest on without changing it: in this namespace, no object of the
/// resource was made or replaced after that revision. Removals do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// `group/plural`.
    pub resource: Arc<str>,
    /// The namespace.
    pub namespace: Arc<str>,
    /// The last revision at which it was looked at.
    pub since: u64,
}

/// Changes that are made all or none.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) writes: Vec<Write>,
    pub(crate) unchanged: Option<Unchanged>,
}

impl From<Vec<Write>> for Bundle {
    fn from(writes: Vec<Write>) -> Self {
        Self { writes, unchanged: None }
    }
}

/// What an [`Event`] did to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was made.
    Added,
    /// It was replaced.
    Modified,
    /// It was removed.
    Deleted,
}

/// A committed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The change's revision: no two events share one.
    pub revision: u64,
    /// What was done.
    pub kind: EventKind,
    /// The object after the change; of a removed one, its last state under the event's revision.
    pub record: Arc<Record>,
    /// The object before it.
    pub previous: Option<Arc<Record>>,
}
