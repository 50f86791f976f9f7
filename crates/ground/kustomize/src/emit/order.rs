//! The order of keys: numbers in them by value, letters after everything else.
//!
//! It is no total order (`a10`, `a1b` and `a2` go round), so sorting must bear that.

use std::cmp::Ordering;

/// Sorts entries by key, by insertion: whatever the order says, that ends, and well when little is
/// out of order.
pub(super) fn sort<T>(entries: &mut [(&str, T)]) {
    for next in 1..entries.len() {
        let mut place = next;
        while place > 0 && natural(entries[place].0, entries[place - 1].0) == Ordering::Less {
            entries.swap(place, place - 1);
            place -= 1;
        }
    }
}

/// How two keys are ordered.
fn natural(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    for index in 0..left.len().min(right.len()) {
        let (a, b) = (left[index], right[index]);
        if a == b {
            continue;
        }
        return match (a.is_alphabetic(), b.is_alphabetic()) {
            (true, true) => a.cmp(&b),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => numbers(&left, &right, index).then(a.cmp(&b)),
        };
    }
    left.len().cmp(&right.len())
}

/// The order of the numbers that start where two keys begin to differ.
fn numbers(left: &[char], right: &[char], index: usize) -> Ordering {
    // A zero counts as a digit of a number that began before it.
    let is_zero = left[index] == '0' || right[index] == '0';
    let before = left[..index].iter().rev().take_while(|c| c.is_ascii_digit());
    let lead = u64::from(is_zero && before.into_iter().any(|c| *c != '0'));
    let run = |keys: &[char]| {
        let digits = keys[index..].iter().map_while(|c| c.to_digit(10));
        digits.fold((lead, 0_usize), |(value, count), digit| {
            (value.wrapping_mul(10).wrapping_add(u64::from(digit)), count + 1)
        })
    };
    run(left).cmp(&run(right))
}

#[cfg(test)]
mod tests {
    use super::sort;

    #[test]
    fn keys_are_in_natural_order() {
        let mut keys = ["ab", "aB", "a10", "a2", "a1-", "a.b", "a-b", "A", "=", "1", "a", "a01", "a100"]
            .map(|key| (key, ()));
        sort(&mut keys);
        assert_eq!(
            keys.map(|(key, ())| key),
            ["=", "1", "A", "a", "a-b", "a.b", "a1-", "a01", "a2", "a10", "a100", "aB", "ab"]
        );
    }

    #[test]
    fn keys_that_go_round_are_sorted_somehow() {
        let mut keys = ["a10", "a1b", "a2"].map(|key| (key, ()));
        sort(&mut keys);
        assert_eq!(keys.len(), 3);
    }
}
