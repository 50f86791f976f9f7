//! Reading the file at start: the events are published again, in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, Row};

use crate::committer::unreferenced;
use crate::live::Live;
use crate::record::{Event, EventKind, Key, Record};
use crate::ring::Bounds;
use crate::store::Index;

/// The live objects with their rings, and the rows nothing refers to any more.
pub(super) fn load(
    connection: &Connection,
    index: Index,
    bounds: Bounds,
) -> rusqlite::Result<(Live, Vec<u64>)> {
    let mut loading = Loading { live: Live::new(bounds), floors: floors(connection)?, garbage: Vec::new() };
    for (resource, floor) in &loading.floors {
        loading.live.resource_or_new(resource, *floor);
    }
    let mut names = Names::default();
    let mut statement = connection.prepare(
        "SELECT revision, resource, namespace, name, created, deleted, value FROM revisions ORDER BY revision",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (record, is_deleted) = read(row, index, &mut names)?;
        loading.add(record, is_deleted);
    }
    let noted = "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'revision'";
    loading.live.restore_revision(connection.query_row(noted, [], |row| revision(row, 0))?);
    Ok((loading.live, loading.garbage))
}

fn floors(connection: &Connection) -> rusqlite::Result<BTreeMap<Arc<str>, u64>> {
    let mut statement = connection.prepare("SELECT resource, revision FROM floors")?;
    let rows =
        statement.query_map([], |row| Ok((Arc::from(row.get_ref(0)?.as_str()?), revision(row, 1)?)))?;
    rows.collect()
}

struct Loading {
    live: Live,
    floors: BTreeMap<Arc<str>, u64>,
    garbage: Vec<u64>,
}

impl Loading {
    /// Takes over the next row: an event, or below the floor only a state.
    fn add(&mut self, mut record: Record, is_deleted: bool) {
        let revision = record.revision;
        let floor = self.floors.get(&*record.key.resource).copied().unwrap_or(0);
        if revision <= floor && !is_deleted {
            self.live.restore(&Arc::new(record));
            return self.live.restore_revision(revision);
        }
        let previous = self.live.get(&record.key).cloned();
        let kind = match previous {
            _ if is_deleted => EventKind::Deleted,
            Some(_) => EventKind::Modified,
            None => EventKind::Added,
        };
        if let (EventKind::Deleted, Some(previous)) = (kind, &previous) {
            // Selectors see a removed object as it was.
            record.tags = previous.tags.clone();
        }
        let mut evicted = Vec::new();
        let event = Event { revision, kind, record: Arc::new(record), previous };
        self.live.publish(&[Arc::new(event)], &mut evicted);
        self.garbage.extend(evicted.iter().flat_map(|event| unreferenced(event)));
    }
}

fn read(row: &Row<'_>, index: Index, names: &mut Names) -> rusqlite::Result<(Record, bool)> {
    let key = Key {
        resource: names.shared(row.get_ref(1)?.as_str()?),
        namespace: names.shared(row.get_ref(2)?.as_str()?),
        name: names.shared(row.get_ref(3)?.as_str()?),
    };
    let value = row.get_ref(6)?.as_blob()?;
    let tags = index(&key, value);
    let value = Bytes::copy_from_slice(value);
    Ok((
        Record { key, revision: revision(row, 0)?, created: revision(row, 4)?, value, aside: 0..0, tags },
        row.get(5)?,
    ))
}

fn revision(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(column)?;
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, stored))
}

/// Each text once.
#[derive(Default)]
struct Names(BTreeSet<Arc<str>>);

impl Names {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&new));
        new
    }
}
