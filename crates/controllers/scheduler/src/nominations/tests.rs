//! Tests of who has a node in prospect, as the watch shows it and as it was decided.

use super::*;
use crate::fixture::pod;
use serde_json::json;

fn state(uid: &str) -> Arc<PodState> {
    Arc::new(PodState::of(&pod("web", json!({"metadata": {"uid": uid}}))))
}

fn known(nominations: &Nominations, pod: &PodState) -> Option<String> {
    nominations.of(pod).map(ToString::to_string)
}

#[test]
fn what_was_decided_holds_until_the_watch_has_shown_it() {
    let (mut nominations, pod) = (Nominations::default(), state("1"));
    assert!(nominations.see(&pod, None).is_none());
    nominations.put(pod.clone(), "a".into());
    assert!(nominations.see(&pod, None).is_none(), "an older state of it");
    assert!(nominations.see(&pod, Some("old")).is_none(), "an older state of it");
    assert_eq!(known(&nominations, &pod).as_deref(), Some("a"));
    assert!(nominations.see(&pod, Some("a")).is_none());
    let withdrawn = nominations.see(&pod, None).map(|(node, _)| node);
    assert_eq!(withdrawn.as_deref(), Some("a"), "somebody took it back");
    assert_eq!(known(&nominations, &pod), None);
}

#[test]
fn what_somebody_else_wrote_is_taken_over() {
    let (mut nominations, pod) = (Nominations::default(), state("1"));
    assert!(nominations.see(&pod, Some("a")).is_none());
    assert_eq!(known(&nominations, &pod).as_deref(), Some("a"));
    assert_eq!(nominations.see(&pod, Some("b")).map(|(node, _)| node).as_deref(), Some("a"));
    assert_eq!(known(&nominations, &pod).as_deref(), Some("b"));
}

#[test]
fn another_pod_of_that_name_has_nothing_in_prospect() {
    let mut nominations = Nominations::default();
    nominations.put(state("1"), "a".into());
    assert_eq!(known(&nominations, &state("2")), None);
    assert!(nominations.see(&state("2"), None).is_some());
    assert_eq!(known(&nominations, &state("1")), None);
}
