//! Stories of objects from their commits.

use std::sync::Arc;

use mainstay_store::{Key, Record, Tags};
use serde_json::{Value, json};

use super::*;

fn commit(history: &mut History, second: u64, kind: EventKind, resource: &str, object: &Value) {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let record = Record {
        key: Key::new(resource, text(&metadata["namespace"]), text(&metadata["name"])),
        revision: second,
        created: 1,
        value: object.to_string().into_bytes().into(),
        aside: 0..0,
        tags: Tags::default(),
    };
    let event = Event { revision: second, kind, record: Arc::new(record), previous: None };
    history.commit("r", &event, Duration::from_secs(second));
}

fn node(ready: &str, taints: &Value) -> Value {
    json!({
        "kind": "Node", "metadata": {"name": "n"}, "spec": {"taints": taints},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "R", "message": "m"}]},
    })
}

#[test]
fn a_node_that_falls_silent_is_told_by_its_condition_and_taint() {
    let mut history = History::default();
    commit(&mut history, 1, EventKind::Added, "/nodes", &node("True", &json!([])));
    commit(&mut history, 2, EventKind::Modified, "/nodes", &node("True", &json!([])));
    commit(
        &mut history,
        9,
        EventKind::Modified,
        "/nodes",
        &node("Unknown", &json!([{"key": "k", "effect": "NoExecute"}])),
    );
    let track = history.track(&Subject::new("r", "Node", "", "n")).unwrap();
    let told: Vec<_> = track.moments.iter().map(|one| (one.at.as_secs(), one.what.as_str())).collect();
    assert_eq!(told, [(1, "was made"), (9, "taint k:NoExecute"), (9, "Ready True → Unknown (R: m)")]);
    let looks: Vec<_> = track.looks.iter().map(|(at, look)| (at.as_secs(), look.level)).collect();
    assert_eq!(looks, [(1, Level::Good), (9, Level::Bad)]);
}

#[test]
fn an_event_that_repeats_is_told_once_with_its_latest_count() {
    let mut history = History::default();
    for count in 1..=3 {
        let event = json!({
            "metadata": {"name": "e", "namespace": "d"}, "type": "Warning", "reason": "BackOff", "message": "again",
            "count": count, "involvedObject": {"kind": "Pod", "namespace": "d", "name": "p"},
        });
        commit(&mut history, count, EventKind::Modified, "/events", &event);
    }
    let track = history.track(&Subject::new("r", "Pod", "d", "p")).unwrap();
    let told: Vec<_> = track.moments.iter().map(|one| (one.at.as_secs(), one.what.as_str())).collect();
    assert_eq!(told, [(3, "Warning BackOff: again (x3)")]);
    assert_eq!(history.events("r").map(|note| note.count).sum::<u64>(), 3);
    assert_eq!(history.events("other").count(), 0);
}
