//! Tests of what is written to the server.

use super::report::{condition, shortened};
use crate::PodState;
use crate::fixture::pod;
use crate::queue::Waiting;
use serde_json::{Value, json};
use std::sync::Arc;

fn now() -> jiff::Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn waiting(changes: Value) -> Waiting {
    let seen = pod("web", changes);
    Waiting::of(Arc::new(PodState::of(&seen)), &seen)
}

#[test]
fn the_condition_says_why_and_since_when() {
    let patch = condition(&waiting(json!({})), "Unschedulable", "0/1 nodes", now()).unwrap();
    let expected = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                          "message": "0/1 nodes", "lastProbeTime": null,
                          "lastTransitionTime": "2026-01-01T01:00:00Z"});
    assert_eq!(patch, json!({"status": {"conditions": [expected]}}));
}

#[test]
fn a_condition_that_says_so_already_is_left_alone_and_another_message_keeps_its_time() {
    let said = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                      "message": "0/1 nodes", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let pod = waiting(json!({"status": {"conditions": [said]}}));
    assert_eq!(condition(&pod, "Unschedulable", "0/1 nodes", now()), None);
    let patch = condition(&pod, "Unschedulable", "0/2 nodes", now()).unwrap();
    let changed = &patch["status"]["conditions"][0];
    assert_eq!(changed["message"], "0/2 nodes");
    assert_eq!(changed["lastTransitionTime"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_message_too_long_for_an_event_is_cut_between_two_characters() {
    assert_eq!(shortened("short"), "short");
    let long = shortened(&"ä".repeat(600));
    assert!(long.len() <= 1024 && long.ends_with("ä ..."), "{}", long.len());
}
