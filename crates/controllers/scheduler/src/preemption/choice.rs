//! On which of several nodes pods give way.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::victims::{Candidate, Victim};

/// What is added to priorities before they are summed, so that fewer victims sum to less.
const ABOVE_ZERO: i64 = i32::MAX as i64 + 1;

/// The candidate whose victims are the smallest loss; of equals the first.
pub(super) fn best(candidates: Vec<Candidate>) -> Option<Candidate> {
    candidates.into_iter().min_by_key(loss)
}

/// Violated budgets, the highest priority, all priorities, how many, and how long the most important
/// of them have run.
fn loss(candidate: &Candidate) -> (usize, i32, i64, usize, Reverse<Timestamp>) {
    let victims = &candidate.victims;
    let priority = |victim: &Victim| victim.pod.demand.priority;
    let highest = victims.iter().map(priority).max().unwrap_or(i32::MIN);
    let sum = victims.iter().map(|victim| i64::from(priority(victim)) + ABOVE_ZERO).sum();
    let most_important = victims.iter().filter(|victim| priority(victim) == highest);
    let since = most_important.map(Victim::since).min().unwrap_or(Timestamp::MAX);
    (candidate.violations, highest, sum, victims.len(), Reverse(since))
}
