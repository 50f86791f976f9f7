//! Sizes of a Deployment's sets: towards the new one during a rollout, in proportion otherwise.
//!
//! **Invariants:** together the sets never have more pods than wanted plus the surge, and no pod
//! that is available goes while fewer than wanted minus the unavailable allowed would remain.

use std::cmp::Reverse;

use super::set::Set;
use super::size::Size;

/// The size the new set shall have next, with `total` pods in all sets.
pub(crate) fn next_size(size: &Size, is_recreate: bool, total: i32, current: i32) -> i32 {
    if is_recreate {
        return size.replicas;
    }
    let room = size.most() - total;
    if room <= 0 { current } else { current + room.min(size.replicas - current) }
}

/// Lets the new set grow, or shrink to what is wanted; says whether it did.
pub(crate) fn scale_new(size: &Size, is_recreate: bool, new: &mut Set, old: &[Set]) -> bool {
    let total = total(old) + new.replicas;
    let to = if new.replicas > size.replicas {
        size.replicas
    } else {
        next_size(size, is_recreate, total, new.replicas)
    };
    new.scale(to, size)
}

/// Lets the old sets shrink as far as availability allows; says whether they did.
pub(crate) fn scale_old(size: &Size, new: &Set, old: &mut [Set]) -> bool {
    if total(old) == 0 {
        return false;
    }
    let unavailable_new = new.replicas - new.remaining();
    let most_to_go = total(old) + new.replicas - size.fewest_available() - unavailable_new;
    if most_to_go <= 0 {
        return false;
    }
    let unhealthy_gone = drop_unhealthy(size, old, most_to_go);
    let available_gone = drop_available(size, new, old);
    unhealthy_gone + available_gone > 0
}

/// Unavailable pods of old sets go first: they block the rollout and serve nobody.
pub(super) fn drop_unhealthy(size: &Size, old: &mut [Set], most: i32) -> i32 {
    let mut gone = 0;
    for set in old {
        let count = (most - gone).min(set.replicas - set.remaining());
        if gone >= most || set.replicas == 0 || count <= 0 {
            continue;
        }
        set.scale(set.replicas - count, size);
        gone += count;
    }
    gone
}

pub(super) fn drop_available(size: &Size, new: &Set, old: &mut [Set]) -> i32 {
    let available = old.iter().map(Set::remaining).sum::<i32>() + new.remaining();
    let spare = available - size.fewest_available();
    let mut gone = 0;
    for set in old {
        let count = (spare - gone).min(set.replicas);
        if count <= 0 {
            continue;
        }
        set.scale(set.replicas - count, size);
        gone += count;
    }
    gone
}

/// Takes every old set down to nothing; says whether there was anything.
pub(crate) fn drop_all(size: &Size, old: &mut [Set]) -> bool {
    // All of them, not just up to the first.
    old.iter_mut().filter_map(|set| set.scale(0, size).then_some(())).count() > 0
}

/// Follows a change of the wanted size outside of a rollout, or in the midst of a paused one.
pub(crate) fn scale_in_proportion(
    size: &Size,
    is_recreate: bool,
    before: i32,
    new: Option<&mut Set>,
    old: &mut [Set],
) {
    let is_saturated = new.as_deref().is_some_and(|set| is_saturated(size, set));
    if let Some(only) = active_or_latest(new.as_deref(), old) {
        let uid = only.uid().to_owned();
        if let Some(only) = old.iter_mut().chain(new).find(|set| set.uid() == uid) {
            // Marked even where its size is right already, or every turn would find it resized.
            only.scale_and_mark(size.replicas, size);
        }
    } else if is_saturated {
        drop_all(size, old);
    } else if !is_recreate {
        let active = old.iter_mut().chain(new).filter(|set| set.is_active());
        share_out(size, before, active.collect());
    }
}

/// Adds or takes pods from all active sets, each by its share, the rounding's rest from the largest.
fn share_out(size: &Size, before: i32, mut sets: Vec<&mut Set>) {
    let allowed = if size.replicas > 0 { size.most() } else { 0 };
    let to_add = allowed - sets.iter().map(|set| set.replicas).sum::<i32>();
    if to_add >= 0 {
        sets.sort_by(|a, b| (b.replicas, b.age()).cmp(&(a.replicas, a.age())));
    } else {
        sets.sort_by(|a, b| (Reverse(a.replicas), a.age()).cmp(&(Reverse(b.replicas), b.age())));
    }
    let mut added = 0;
    let mut sizes: Vec<i32> = Vec::with_capacity(sets.len());
    for set in &sets {
        let share = share(set, size, before, to_add, added);
        sizes.push(set.replicas + share);
        added += share;
    }
    if let Some(largest) = sizes.first_mut() {
        *largest = (*largest + to_add - added).max(0);
    }
    for (set, to) in sets.into_iter().zip(sizes) {
        set.scale_and_mark(to, size);
    }
}

fn share(set: &Set, size: &Size, before: i32, to_add: i32, added: i32) -> i32 {
    if set.replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let (fraction, left) = (fraction(set, size, before), to_add - added);
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// What the set gains if it keeps its share of all pods.
pub(super) fn fraction(set: &Set, size: &Size, before: i32) -> i32 {
    if size.replicas == 0 {
        return -set.replicas;
    }
    let base = match set.most().filter(|most| *most != 0) {
        Some(most) => most,
        None if before == 0 => return 0,
        None => before,
    };
    let (scaled, base) = (i64::from(set.replicas) * i64::from(size.most()), i64::from(base));
    // Half away from zero, in whole numbers.
    let rounded = (2 * scaled + base).div_euclid(2 * base);
    i32::try_from(rounded).unwrap_or(i32::MAX) - set.replicas
}

/// The only active set, or the latest where none is; nothing where several are.
fn active_or_latest<'a>(new: Option<&'a Set>, old: &'a [Set]) -> Option<&'a Set> {
    let mut active = old.iter().chain(new).filter(|set| set.is_active());
    match (active.next(), active.next()) {
        (Some(only), None) => Some(only),
        (None, _) => new.or_else(|| old.iter().max_by(|a, b| a.age().cmp(&b.age()))),
        _ => None,
    }
}

/// Whether the set has all pods that are wanted, available.
fn is_saturated(size: &Size, set: &Set) -> bool {
    set.desired() == Some(size.replicas) && set.replicas == size.replicas && set.available() == size.replicas
}

fn total(sets: &[Set]) -> i32 {
    sets.iter().map(|set| set.replicas).sum()
}
