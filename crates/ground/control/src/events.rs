//! The event recorder: `core/v1` Events in upstream's format, stamped by the World's clock.
//!
//! Recording never waits: events go through a bounded queue to [`Sink::run`], which writes them in
//! order; when the queue is full an event is dropped, as upstream drops it.
//!
//! **Invariants:** equal events become one object with a count ([`correlator`]).
//!
//! **Spec:** client-go's `tools/record`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use mainstay_base::World;
use mainstay_resource::Rule;
use tokio::sync::mpsc;

pub mod correlator;

use correlator::{Correlator, Verdict};

use crate::{Key, Writer};

/// Events waiting to be written; upstream's broadcaster holds as many.
const QUEUE: usize = 1000;
/// The same where one recorder speaks for many hosts: upstream, each has a broadcaster of its own.
const QUEUE_OF_HOSTS: usize = 32 * QUEUE;
/// How often a taken name is replaced by the next one.
const NAMES: usize = 16;

/// What a recorder's user must be allowed.
pub const RULE: Rule = Rule { groups: &[""], resources: &["events"], verbs: &["create", "patch"] };

/// Whether an event tells of something that should be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// All is well.
    Normal,
    /// Something is not.
    Warning,
}

impl EventType {
    fn text(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What is told of an object.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// The node it was seen on, where it was seen on one.
    pub(crate) host: Arc<str>,
    pub(crate) object: ObjectReference,
    pub(crate) event_type: EventType,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) at: jiff::Timestamp,
}

/// Records events for one component; clones share the queue.
#[derive(Clone, Debug)]
pub struct Recorder {
    world: World,
    host: Arc<str>,
    queue: mpsc::Sender<Note>,
}

/// Where a recorder's events go; somebody must poll [`Sink::run`].
#[derive(Debug)]
pub struct Sink {
    component: &'static str,
    queue: mpsc::Receiver<Note>,
    correlator: Correlator,
    last_nanosecond: i128,
}

/// A recorder for `component`, and the sink that writes what it records.
pub fn recorder(world: &World, component: &'static str) -> (Recorder, Sink) {
    recorder_of(world, component, QUEUE)
}

/// A recorder for what runs as `component` on many hosts; [`Recorder::on`] says on which.
pub fn recorder_of_hosts(world: &World, component: &'static str) -> (Recorder, Sink) {
    recorder_of(world, component, QUEUE_OF_HOSTS)
}

fn recorder_of(world: &World, component: &'static str, queue: usize) -> (Recorder, Sink) {
    let (sender, receiver) = mpsc::channel(queue);
    let sink = Sink { component, queue: receiver, correlator: Correlator::default(), last_nanosecond: 0 };
    (Recorder { world: world.clone(), host: "".into(), queue: sender }, sink)
}

impl Recorder {
    /// The same recorder, speaking for another host.
    #[must_use]
    pub fn on(&self, host: &str) -> Self {
        Self { host: host.into(), ..self.clone() }
    }

    /// Tells that all is well with an object of a built-in kind.
    pub fn normal<K: Resource<DynamicType = ()>>(&self, object: &K, reason: &'static str, message: String) {
        self.record(reference(object), EventType::Normal, reason, message);
    }

    /// Tells that something is wrong with an object of a built-in kind.
    pub fn warning<K: Resource<DynamicType = ()>>(&self, object: &K, reason: &'static str, message: String) {
        self.record(reference(object), EventType::Warning, reason, message);
    }

    /// Tells something of whatever `object` refers to.
    pub fn record(
        &self,
        object: ObjectReference,
        event_type: EventType,
        reason: &'static str,
        message: String,
    ) {
        let note =
            Note { host: self.host.clone(), object, event_type, reason, message, at: self.world.now() };
        if self.queue.try_send(note).is_err() {
            tracing::debug!(reason, "event dropped: the queue is full or its sink is gone");
        }
    }
}

/// A full reference to an object of a built-in kind.
pub fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    object.object_ref(&())
}

/// Where the event about an object is: beside it, or for an object of the cluster in `default`.
fn namespace(note: &Note) -> &str {
    note.object.namespace.as_deref().unwrap_or("default")
}

impl Sink {
    /// Writes events as they come, for as long as there is a recorder.
    pub async fn run(mut self, client: kube::Client) {
        let writer = Writer::unnamed(client);
        while let Some(note) = self.queue.recv().await {
            if let Err(error) = self.write(&writer, &note).await {
                tracing::debug!(component = self.component, reason = note.reason, %error, "event not written");
            }
        }
    }

    async fn write(&mut self, writer: &Writer, note: &Note) -> Result<(), kube::Error> {
        match self.correlator.observe(note) {
            Verdict::Drop => Ok(()),
            Verdict::First { message } => {
                let name = self.create(writer, note, &message).await?;
                self.correlator.created(note, name);
                Ok(())
            }
            Verdict::Again { name, count, message } => {
                let patch = serde_json::json!({
                    "count": count, "message": message, "lastTimestamp": Time(note.at),
                });
                match writer.merge::<Event>(&Key::new(namespace(note), &name), &patch).await {
                    // It was deleted or has expired: the count starts over.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        let name = self.create(writer, note, &message).await?;
                        self.correlator.created(note, name);
                        Ok(())
                    }
                    other => other,
                }
            }
        }
    }

    /// Creates the event under the first free name from its time on.
    async fn create(&mut self, writer: &Writer, note: &Note, message: &str) -> Result<String, kube::Error> {
        let mut result = Ok(String::new());
        for _ in 0..NAMES {
            self.last_nanosecond = note.at.as_nanosecond().max(self.last_nanosecond + 1);
            let event = self.event(note, message);
            result = writer.create(&event).await.map(|_| event.metadata.name.unwrap_or_default());
            match &result {
                // In a virtual World others tell of the same object in the same nanosecond.
                Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
                _ => break,
            }
        }
        result
    }

    fn event(&self, note: &Note, message: &str) -> Event {
        let name = format!("{}.{:x}", note.object.name.as_deref().unwrap_or_default(), self.last_nanosecond);
        Event {
            metadata: ObjectMeta {
                namespace: Some(namespace(note).to_owned()),
                name: Some(name),
                ..ObjectMeta::default()
            },
            involved_object: note.object.clone(),
            reason: Some(note.reason.to_owned()),
            message: Some(message.to_owned()),
            type_: Some(note.event_type.text().to_owned()),
            source: Some(EventSource {
                component: Some(self.component.to_owned()),
                host: (!note.host.is_empty()).then(|| note.host.to_string()),
            }),
            reporting_component: Some(self.component.to_owned()),
            reporting_instance: Some(note.host.to_string()),
            first_timestamp: Some(Time(note.at)),
            last_timestamp: Some(Time(note.at)),
            count: Some(1),
            ..Event::default()
        }
    }
}
