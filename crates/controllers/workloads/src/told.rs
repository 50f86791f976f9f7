//! Events that a plan wants told.

use kube::Resource;
use mainstay_control::Recorder;
use mainstay_control::events::EventType;

/// Something to tell of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it is something to look at.
    pub event_type: EventType,
    /// In a word.
    pub reason: &'static str,
    /// In a sentence.
    pub message: String,
}

impl Told {
    /// That all is well.
    pub(crate) fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { event_type: EventType::Normal, reason, message: message.into() }
    }

    /// That something is not.
    pub(crate) fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { event_type: EventType::Warning, reason, message: message.into() }
    }
}

/// Tells all of it of `object`, in order.
pub(crate) fn tell<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
    object: &K,
    told: impl IntoIterator<Item = Told>,
) {
    for Told { event_type, reason, message } in told {
        match event_type {
            EventType::Normal => recorder.normal(object, reason, message),
            EventType::Warning => recorder.warning(object, reason, message),
        }
    }
}
