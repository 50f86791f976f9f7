//! Tests of the queue: who is next, and who waits for what.

use super::*;
use crate::fixture::{key, pod};
use serde_json::json;

const NO_FIT: Failure = Failure::NoFit(Plugins::ALL);

fn waiting(name: &str, priority: i32) -> Waiting {
    let seen = pod(name, json!({"spec": {"priority": priority}}));
    Waiting::of(Arc::new(PodState::of(&seen)), &seen)
}

/// A queue of these pods, and the time.
fn queue(pods: &[(&str, i32)]) -> (Queue, Instant) {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for (name, priority) in pods {
        queue.put(waiting(name, *priority), now);
    }
    (queue, now)
}

fn next(queue: &mut Queue, now: Instant) -> Option<String> {
    queue.next(now).map(|waiting| waiting.pod.key.name.to_string())
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn pods_come_out_by_priority_then_in_the_order_they_came_in() {
    let (mut queue, now) = queue(&[("z", 0), ("b", 5), ("a", 0), ("c", 5), ("d", -1)]);
    let order: Vec<_> = std::iter::from_fn(|| next(&mut queue, now)).collect();
    assert_eq!(order, ["b", "c", "z", "a", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_in_hand_does_not_come_out_again() {
    let (mut queue, now) = queue(&[("a", 0)]);
    assert_eq!(next(&mut queue, now).as_deref(), Some("a"));
    queue.put(waiting("a", 3), now);
    assert_eq!(next(&mut queue, now + seconds(1000)), None);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fits_nowhere_waits_for_what_helps_it_or_five_minutes() {
    let (mut queue, now) = queue(&[("b", 1), ("a", 0)]);
    for (name, priority) in [("b", 1), ("a", 0)] {
        queue.next(now);
        queue.fail(&waiting(name, priority), NO_FIT, now);
    }
    assert_eq!(next(&mut queue, now + seconds(299)), None);
    queue.wake(now + seconds(2), |demand, _| demand.priority == 1);
    assert_eq!(next(&mut queue, now + seconds(2)).as_deref(), Some("b"));
    assert_eq!(queue.due(), Some(now + seconds(300)));
    assert_eq!(next(&mut queue, now + seconds(300)).as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_woken_pod_backs_off_behind_others_but_not_behind_nobody() {
    let (mut queue, now) = queue(&[("a", 9)]);
    queue.next(now);
    queue.fail(&waiting("a", 9), NO_FIT, now);
    queue.put(waiting("b", 0), now);
    queue.wake(now, |_, _| true);
    assert_eq!(queue.due(), Some(now + seconds(1)), "its back-off is not over");
    assert_eq!(next(&mut queue, now).as_deref(), Some("b"));
    assert_eq!(next(&mut queue, now).as_deref(), Some("a"), "there is nothing else to do");
}

#[tokio::test(start_paused = true)]
async fn an_error_backs_off_for_one_second_doubled_to_ten() {
    let (mut queue, mut now) = queue(&[("a", 0)]);
    for expected in [1, 2, 4, 8, 10, 10] {
        assert_eq!(next(&mut queue, now).as_deref(), Some("a"));
        queue.fail(&waiting("a", 0), Failure::Error, now);
        queue.wake(now, |_, _| true);
        assert_eq!(next(&mut queue, now), None, "no event shortens it");
        assert_eq!(queue.due(), Some(now + seconds(expected)));
        now += seconds(expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_a_pod_is_decided_on_counts() {
    let (mut queue, now) = queue(&[("a", 0)]);
    queue.next(now);
    queue.wake(now, |_, _| true);
    queue.fail(&waiting("a", 0), NO_FIT, now);
    assert_eq!(next(&mut queue, now).as_deref(), Some("a"));
    queue.put(waiting("a", 7), now);
    queue.fail(&waiting("a", 0), NO_FIT, now);
    assert_eq!(next(&mut queue, now).as_deref(), Some("a"), "it demands something else than was decided on");
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_demand_changes_is_tried_again_and_one_that_only_reports_is_not() {
    let (mut queue, now) = queue(&[("a", 0)]);
    queue.next(now);
    queue.fail(&waiting("a", 0), NO_FIT, now);
    queue.put(waiting("a", 0), now);
    assert_eq!(next(&mut queue, now + seconds(2)), None);
    queue.put(waiting("a", 1), now + seconds(2));
    assert_eq!(next(&mut queue, now + seconds(2)).as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_new_pod_under_an_old_name_starts_over_and_outlives_the_old_ones_failure() {
    let (mut queue, now) = queue(&[("a", 0)]);
    let old = queue.next(now).unwrap();
    let mut new = waiting("a", 0);
    Arc::make_mut(&mut new.pod).uid = "new".into();
    queue.put(new, now);
    queue.fail(&old, Failure::Error, now);
    assert_eq!(&*queue.next(now).unwrap().pod.uid, "new");
}

#[tokio::test(start_paused = true)]
async fn a_removed_pod_leaves_nothing_behind() {
    let (mut queue, now) = queue(&[("a", 0), ("b", 0), ("c", 0)]);
    queue.next(now);
    queue.next(now);
    queue.fail(&waiting("b", 0), NO_FIT, now);
    for name in ["a", "b", "c"] {
        queue.remove(&key(name));
    }
    queue.fail(&waiting("a", 0), Failure::Error, now);
    assert_eq!((queue.due(), next(&mut queue, now + seconds(1000))), (None, None));
}
