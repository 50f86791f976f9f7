//! What happened to each object, in a few words each: the material of causal chains and of the
//! report's timeline.
//!
//! **Invariants:** what is remembered of one object, and of how many, is bounded; leases, endpoints
//! and other objects that tell no story are passed over.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use mainstay_store::{Event, EventKind};

use crate::kind;

mod glance;
mod look;
mod note;

pub(crate) use look::{Level, Look};
pub(crate) use note::EventNote;

use glance::Glance;

/// Moments remembered of one object; older ones are forgotten.
const MOMENTS: usize = 64;
/// Looks remembered of one object.
const LOOKS: usize = 2_000;
/// Objects remembered.
const OBJECTS: usize = 50_000;
/// Steps remembered.
const STEPS: usize = 10_000;

/// Resources whose objects have a story, besides those of other groups' custom kinds.
const TOLD: [&str; 15] = [
    "/nodes",
    "/persistentvolumeclaims",
    "/pods",
    "/replicationcontrollers",
    "apps/daemonsets",
    "apps/deployments",
    "apps/replicasets",
    "apps/statefulsets",
    "autoscaling/horizontalpodautoscalers",
    "batch/cronjobs",
    "batch/jobs",
    "mainstay.dev/nodeclaims",
    "mainstay.dev/podbehaviours",
    "policy/poddisruptionbudgets",
    "scheduling.k8s.io/priorityclasses",
];

/// An object of a region, by its kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) region: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Subject {
    pub(crate) fn new(region: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let own = str::to_owned;
        Self { region: own(region), kind: own(kind), namespace: own(namespace), name: own(name) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return write!(f, "{} {}", self.kind, self.name);
        }
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Duration,
    pub(crate) what: String,
    /// The Event it tells, so that its repetitions are told once.
    event: Option<String>,
    /// It is part of every day: a Node's Events that warn of nothing.
    pub(crate) is_everyday: bool,
}

/// One object's story.
#[derive(Debug, Default)]
pub(crate) struct Track {
    /// Who it belongs to.
    pub(crate) owners: Vec<Subject>,
    /// The Node it is on.
    pub(crate) node: Option<Subject>,
    pub(crate) moments: Vec<Moment>,
    /// How it looked, from when on; the last look of a removed object is [`Level::Gone`].
    pub(crate) looks: Vec<(Duration, Look)>,
    last: Glance,
    exists: bool,
}

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(crate) struct History {
    tracks: BTreeMap<Subject, Track>,
    /// Events by region and name.
    notes: BTreeMap<(String, String), EventNote>,
    /// What the drill did.
    pub(crate) steps: Vec<(Duration, String)>,
}

impl History {
    /// Takes in a commit of a region.
    pub(crate) fn commit(&mut self, region: &str, event: &Event, at: Duration) {
        let resource = &*event.record.key.resource;
        if resource == kind::EVENTS {
            self.note(region, event, at);
        } else if TOLD.binary_search(&resource).is_ok() {
            self.change(region, event, at);
        }
    }

    /// Remembers what a step did.
    pub(crate) fn step(&mut self, at: Duration, what: String) {
        if self.steps.len() < STEPS {
            self.steps.push((at, what));
        }
    }

    /// All objects, by region and kind.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = (&Subject, &Track)> {
        self.tracks.iter()
    }

    /// One object's story.
    pub(crate) fn track(&self, subject: &Subject) -> Option<&Track> {
        self.tracks.get(subject)
    }

    /// The Events of a region since the drill began.
    pub(crate) fn events(&self, region: &str) -> impl Iterator<Item = &EventNote> {
        let first = (region.to_owned(), String::new());
        self.notes.range(first..).take_while(move |((of, _), _)| of == region).map(|(_, note)| note)
    }

    fn change(&mut self, region: &str, event: &Event, at: Duration) {
        let Some(glance) = Glance::of(&event.record.value) else { return };
        let subject = Subject::new(region, &glance.kind, &event.record.key.namespace, &event.record.key.name);
        let Some(track) = self.track_mut(subject.clone()) else { return };
        let is_gone = event.kind == EventKind::Deleted;
        let said: Vec<String> = match (is_gone, track.exists) {
            (true, _) => vec!["is gone".to_owned()],
            (false, false) => {
                let made = glance.changes(&Glance::default());
                std::iter::once("was made".to_owned()).chain(made).collect()
            }
            (false, true) => glance.changes(&track.last),
        };
        for what in said {
            track.tell(Moment { at, what, event: None, is_everyday: false });
        }
        let look = if is_gone { Some(Look::gone()) } else { Look::of(&glance) };
        track.looks_like(at, look);
        track.owners = glance
            .owners
            .iter()
            .map(|(kind, name)| Subject { kind: kind.clone(), name: name.clone(), ..subject.clone() })
            .collect();
        if let Some(node) = &glance.node {
            track.node = Some(Subject::new(region, "Node", "", node));
        }
        track.exists = !is_gone;
        track.last = glance;
    }

    fn note(&mut self, region: &str, event: &Event, at: Duration) {
        if event.kind == EventKind::Deleted {
            return;
        }
        let key = &event.record.key;
        let Some(note) = EventNote::of(region, &event.record.value) else { return };
        let moment = Moment {
            at,
            what: note.to_string(),
            event: Some(format!("{}/{}", key.namespace, key.name)),
            is_everyday: note.about.kind == "Node" && note.type_ == "Normal",
        };
        if let Some(track) = self.track_mut(note.about.clone()) {
            track.tell(moment);
        }
        if self.notes.len() < OBJECTS {
            self.notes.insert((region.to_owned(), format!("{}/{}", key.namespace, key.name)), note);
        }
    }

    fn track_mut(&mut self, subject: Subject) -> Option<&mut Track> {
        if self.tracks.len() >= OBJECTS && !self.tracks.contains_key(&subject) {
            return None;
        }
        Some(self.tracks.entry(subject).or_default())
    }
}

impl Track {
    fn tell(&mut self, moment: Moment) {
        if moment.event.is_some() {
            self.moments.retain(|earlier| earlier.event != moment.event);
        }
        if self.moments.len() == MOMENTS {
            self.moments.remove(0);
        }
        self.moments.push(moment);
    }

    fn looks_like(&mut self, at: Duration, look: Option<Look>) {
        let Some(look) = look else { return };
        let has_room = self.looks.len() < LOOKS;
        match self.looks.last_mut() {
            Some((_, last)) if *last == look => {}
            Some((since, last)) if *since == at => *last = look,
            _ if has_room => self.looks.push((at, look)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
