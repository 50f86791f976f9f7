//! What an expectation looks at: the chosen objects as they were committed, and whether they are as
//! expected.
//!
//! It reads the store, not the API: looking changes nothing. A commit is taken in alone, so that a
//! look costs what changed, not what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_apiserver::registry::Registry;
use mainstay_cel::Expression;
use mainstay_kinds::drill::Expect;
use mainstay_resource::LabelSelector;
use mainstay_store::{Event, EventKind, Key, Query, Record, Store};
use serde_json::Value;

use crate::history::{History, Subject};
use crate::kind;

mod judge;
mod sight;

pub(crate) use judge::Otherwise;
use sight::Sight;

/// Objects that left are remembered for the story of what happened to them.
const GONE: usize = 50;

/// A region as it can be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) is_down: bool,
}

/// What one expectation looks at.
#[derive(Debug)]
pub(crate) struct Gaze {
    pub(crate) region: String,
    expect: Expect,
    expression: Option<Arc<Expression>>,
    selector: Option<LabelSelector>,
    /// The store's name of the kind's resource; none while nothing serves the kind.
    resource: Option<Arc<str>>,
    is_namespaced: bool,
    objects: BTreeMap<(Arc<str>, Arc<str>), Sight>,
    gone: Vec<Subject>,
}

impl Gaze {
    /// Looks at what `expect` is about, in this region, from now on.
    pub(crate) fn new(
        region: &str,
        expect: &Expect,
        expressions: &BTreeMap<String, Arc<Expression>>,
        seat: &Seat,
    ) -> Self {
        let mut gaze = Self {
            region: region.to_owned(),
            expression: expect.cel.as_ref().and_then(|text| expressions.get(text).cloned()),
            // It was read when the drill was.
            selector: expect.selector.as_deref().and_then(|text| LabelSelector::parse(text).ok()),
            expect: expect.clone(),
            resource: None,
            is_namespaced: false,
            objects: BTreeMap::new(),
            gone: Vec::new(),
        };
        gaze.open(seat);
        gaze
    }

    /// Finds the kind's resource and everything that is chosen of it.
    fn open(&mut self, seat: &Seat) {
        if self.expect.kind.is_empty() {
            return;
        }
        let version = self.expect.api_version.as_deref();
        let Some(info) = kind::served(&seat.registry, version, &self.expect.kind) else { return };
        self.is_namespaced = info.namespaced;
        let resource = Arc::clone(&info.storage.resource);
        let namespace = self.namespace().map(str::to_owned);
        let query = Query { resource: &resource, namespace: namespace.as_deref(), ..Query::default() };
        // The present is never compacted.
        let found = seat.store.list(&query, &|record| self.chooses(&record.key, record));
        for record in found.map(|page| page.records).unwrap_or_default() {
            self.look_at(&record);
        }
        self.resource = Some(resource);
    }

    /// Whether this commit can change the answer, taking it in.
    pub(crate) fn take_in(&mut self, event: &Event, seat: &Seat) -> bool {
        let resource = &*event.record.key.resource;
        if self.resource.is_none() && !self.expect.kind.is_empty() {
            self.open(seat);
            return self.resource.is_some();
        }
        if self.expect.event.is_some() && resource == kind::EVENTS {
            return true;
        }
        if self.resource.as_deref() != Some(resource) {
            return false;
        }
        let key = &event.record.key;
        let place = (Arc::clone(&key.namespace), Arc::clone(&key.name));
        if event.kind != EventKind::Deleted && self.chooses(key, &event.record) {
            self.look_at(&event.record);
            return true;
        }
        if self.objects.remove(&place).is_none() {
            return false;
        }
        if self.gone.len() == GONE {
            self.gone.remove(0);
        }
        self.gone.push(self.subject(&place.0, &place.1));
        true
    }

    fn chooses(&self, key: &Key, record: &Record) -> bool {
        if let Some(name) = &self.expect.name {
            let namespace = self.namespace().unwrap_or_default();
            return *key.name == **name && *key.namespace == *namespace;
        }
        self.namespace().is_none_or(|namespace| *key.namespace == *namespace)
            && self
                .selector
                .as_ref()
                .is_none_or(|selector| selector.matches(&|label| record.tags.label(label)))
    }

    /// The namespace that is looked at; none for all, and for kinds that have none.
    fn namespace(&self) -> Option<&str> {
        if !self.is_namespaced {
            return None;
        }
        match &self.expect.name {
            Some(_) => Some(self.expect.namespace.as_deref().unwrap_or("default")),
            None => self.expect.namespace.as_deref(),
        }
    }

    fn look_at(&mut self, record: &Record) {
        let Ok(object) = serde_json::from_slice::<Value>(&record.value) else { return };
        let expression = self.expression.as_deref();
        let sight = Sight::of(&object, &self.expect, expression);
        let key = &record.key;
        self.objects.insert((Arc::clone(&key.namespace), Arc::clone(&key.name)), sight);
    }

    /// Whether everything is as expected.
    pub(crate) fn judge(&self, seat: &Seat, history: &History) -> Result<(), Otherwise> {
        let about = self.about();
        if seat.is_down {
            let expected = "the region's API answers".to_owned();
            return Err(Otherwise { about, expected, seen: format!("{} is down", self.region) });
        }
        if !self.expect.kind.is_empty() {
            if self.resource.is_none() {
                let kind = &self.expect.kind;
                let expected = format!("the kind {kind} is served");
                return Err(Otherwise { about, expected, seen: format!("no API serves the kind {kind}") });
            }
            judge::objects(&about, &self.expect, &self.objects, self.expression.as_deref())?;
        }
        match &self.expect.event {
            Some(event) => judge::event(event, history.events(&self.region)),
            None => Ok(()),
        }
    }

    /// What it looks at, in words: `Deployment production/web`.
    pub(crate) fn about(&self) -> String {
        judge::about(&self.expect)
    }

    /// The objects it is about: those there are, the one that is named, and those that left.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let mut subjects: Vec<Subject> =
            self.objects.keys().map(|(namespace, name)| self.subject(namespace, name)).collect();
        subjects.extend(self.gone.iter().cloned());
        if let Some(name) = self.expect.name.as_ref().filter(|_| self.objects.is_empty()) {
            subjects.push(self.subject(self.namespace().unwrap_or_default(), name));
        }
        if let Some(event) = &self.expect.event
            && let (Some(kind), Some(name)) = (&event.kind, &event.name)
        {
            let namespace = event.namespace.as_deref().unwrap_or_default();
            subjects.push(Subject::new(&self.region, kind, namespace, name));
        }
        subjects
    }

    fn subject(&self, namespace: &str, name: &str) -> Subject {
        Subject::new(&self.region, &self.expect.kind, namespace, name)
    }
}
