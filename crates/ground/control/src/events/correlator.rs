//! Decides which events are written anew, counted on an earlier one, or dropped.
//!
//! **Spec:** client-go's `EventCorrelator`: an equal event counts up the first; more than ten of one
//! object and reason within ten minutes become one "combined" event; one object gets 25 events at
//! once and one more every five minutes; 4096 objects are remembered.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Note;

/// What is remembered of each sort.
const REMEMBERED: usize = 4096;
/// Different messages of one object and reason before they are combined.
const SIMILAR: usize = 10;
/// How long they count as similar.
const SIMILAR_WINDOW: SignedDuration = SignedDuration::from_secs(600);
/// Events one object may cause at once.
const BURST: f64 = 25.0;
/// Seconds until it may cause one more.
const REFILL_SECONDS: f64 = 300.0;

/// What to do with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write it, with this message; then tell [`Correlator::created`] its name.
    First {
        /// The message to write.
        message: String,
    },
    /// Count it on the event of this name.
    Again {
        /// The earlier event's name.
        name: String,
        /// How often it has happened now.
        count: i32,
        /// The message it shall have.
        message: String,
    },
    /// The object caused too many.
    Drop,
}

type Text = String;

/// What has been written lately.
#[derive(Debug, Default)]
pub struct Correlator {
    /// By object, type and reason: the different messages since a time.
    similar: Recent<(Timestamp, Vec<Text>)>,
    /// By all that makes events equal: the name and the count of the one written.
    written: Recent<(Text, i32)>,
    /// By object: tokens left at a time.
    tokens: Recent<(f64, Timestamp)>,
}

impl Correlator {
    /// Decides about one event and remembers it.
    pub(crate) fn observe(&mut self, note: &Note) -> Verdict {
        let (key, message) = self.aggregate(note);
        if !self.take_token(note) {
            return Verdict::Drop;
        }
        match self.written.get_mut(&key) {
            None => Verdict::First { message },
            Some((name, count)) => {
                *count += 1;
                Verdict::Again { name: name.clone(), count: *count, message }
            }
        }
    }

    /// Remembers under which name the event just decided about was written.
    pub(crate) fn created(&mut self, note: &Note, name: String) {
        let key = self.key_of(note);
        self.written.insert(key, (name, 1));
    }

    /// The key and the message of an event, its own or those of the combined one.
    fn aggregate(&mut self, note: &Note) -> (Text, Text) {
        let group = group(note);
        let (since, messages) = self.similar.entry(&group, || (note.at, Vec::new()));
        if note.at.duration_since(*since) > SIMILAR_WINDOW {
            messages.clear();
        }
        *since = note.at;
        if !messages.contains(&note.message) && messages.len() < SIMILAR {
            messages.push(note.message.clone());
        }
        let is_combined = messages.len() >= SIMILAR;
        let message = if is_combined {
            format!("(combined from similar events): {}", note.message)
        } else {
            note.message.clone()
        };
        (self.key_of(note), message)
    }

    fn key_of(&self, note: &Note) -> Text {
        let group = group(note);
        let is_combined = self.similar.get(&group).is_some_and(|(_, messages)| messages.len() >= SIMILAR);
        if is_combined { group } else { format!("{group}\u{0}{}", note.message) }
    }

    fn take_token(&mut self, note: &Note) -> bool {
        let (tokens, since) = self.tokens.entry(&object(note), || (BURST, note.at));
        let refill = note.at.duration_since(*since).as_secs_f64().max(0.0) / REFILL_SECONDS;
        *tokens = (*tokens + refill).min(BURST);
        *since = note.at;
        let has_token = *tokens >= 1.0;
        if has_token {
            *tokens -= 1.0;
        }
        has_token
    }
}

fn object(note: &Note) -> Text {
    let reference = &note.object;
    [&reference.kind, &reference.namespace, &reference.name, &reference.uid, &reference.api_version]
        .map(|part| part.as_deref().unwrap_or_default())
        .join("\u{0}")
}

fn group(note: &Note) -> Text {
    let field = note.object.field_path.as_deref().unwrap_or_default();
    [&object(note), &*note.host, field, note.event_type.text(), note.reason].join("\u{0}")
}

/// A map that forgets what was inserted longest ago.
#[derive(Debug)]
struct Recent<V> {
    values: BTreeMap<Text, V>,
    order: VecDeque<Text>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<V> {
    fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    fn insert(&mut self, key: Text, value: V) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
            if self.order.len() > REMEMBERED {
                self.order.pop_front().map(|oldest| self.values.remove(&oldest));
            }
        }
    }

    fn entry(&mut self, key: &str, make: impl FnOnce() -> V) -> &mut V {
        if !self.values.contains_key(key) {
            self.insert(key.to_owned(), make());
        }
        self.values.get_mut(key).expect("invariant: it was just inserted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventType;
    use k8s_openapi::api::core::v1::ObjectReference;

    fn note(message: &str, second: i64) -> Note {
        Note {
            host: "".into(),
            object: ObjectReference { name: Some("web".into()), ..ObjectReference::default() },
            event_type: EventType::Normal,
            reason: "Created",
            message: message.into(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    /// Observes as the sink does; says what happened in a word.
    fn observe(correlator: &mut Correlator, note: &Note) -> String {
        match correlator.observe(note) {
            Verdict::Drop => "drop".into(),
            Verdict::First { message } => {
                correlator.created(note, format!("name of {message}"));
                message
            }
            Verdict::Again { name, count, message } => {
                assert!(name.starts_with("name of"));
                format!("{count} {message}")
            }
        }
    }

    #[test]
    fn an_equal_event_is_counted_and_another_is_not() {
        let mut correlator = Correlator::default();
        let told: Vec<_> = [("a", 0), ("a", 1), ("b", 1), ("a", 9)]
            .map(|(message, second)| observe(&mut correlator, &note(message, second)))
            .into();
        assert_eq!(told, ["a", "2 a", "b", "3 a"]);
    }

    #[test]
    fn the_tenth_similar_message_and_all_after_are_combined_for_ten_minutes() {
        let mut correlator = Correlator::default();
        let told: Vec<_> =
            (0..12).map(|index| observe(&mut correlator, &note(&format!("m{index}"), index))).collect();
        assert_eq!(told[8], "m8");
        assert_eq!(told[9], "(combined from similar events): m9");
        assert_eq!(told[11], "3 (combined from similar events): m11");
        assert_eq!(observe(&mut correlator, &note("later", 1000)), "later");
    }

    #[test]
    fn an_object_gets_25_events_and_then_one_every_five_minutes() {
        let mut correlator = Correlator::default();
        let dropped = (0..40).filter(|_| observe(&mut correlator, &note("a", 0)) == "drop").count();
        assert_eq!(dropped, 15);
        assert_eq!(observe(&mut correlator, &note("a", 299)), "drop");
        assert_eq!(observe(&mut correlator, &note("a", 301)), "26 a");
    }

    #[test]
    fn what_was_inserted_longest_ago_is_forgotten() {
        let mut recent = Recent::default();
        (0..=REMEMBERED).for_each(|index| recent.insert(index.to_string(), index));
        assert_eq!(recent.values.len(), REMEMBERED);
        assert_eq!((recent.get("0"), recent.get("1")), (None, Some(&1)));
    }
}
