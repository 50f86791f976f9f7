//! Sets of completion indexes, as statuses write them: `1,3-5,7`.
//!
//! **Spec:** upstream's `orderedIntervals`.

use std::collections::BTreeSet;
use std::fmt;

/// Intervals of indexes, both ends included, in order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes(Vec<(i32, i32)>);

impl Indexes {
    /// Reads what a status or a policy says, as far as it lies below `completions`; what cannot be
    /// read is passed over.
    pub fn parse(text: &str, completions: i32) -> Self {
        let mut all = Self::default();
        for interval in text.split(',').filter(|interval| !interval.is_empty()) {
            let mut ends = interval.split('-');
            let Some(first) = ends.next().and_then(|first| first.parse::<i32>().ok()) else { continue };
            if first >= completions {
                break;
            }
            let last = match ends.next().map(str::parse::<i32>) {
                None => first,
                Some(Ok(last)) => last.min(completions - 1),
                Some(Err(_)) => continue,
            };
            match all.0.last_mut() {
                Some(before) if before.1 == first - 1 => before.1 = last,
                _ => all.0.push((first, last)),
            }
        }
        all
    }

    /// How many indexes there are.
    pub fn total(&self) -> i32 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the index is one of them.
    pub fn has(&self, index: i32) -> bool {
        let place = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(place).is_some_and(|(first, _)| *first <= index)
    }

    /// These and those.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let mut sorted: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        sorted.sort_unstable();
        let mut all: Vec<(i32, i32)> = Vec::new();
        for (first, last) in sorted {
            match all.last_mut() {
                Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                _ => all.push((first, last)),
            }
        }
        Self(all)
    }

    /// These and single ones.
    #[must_use]
    pub fn with(&self, indexes: &BTreeSet<i32>) -> Self {
        self.merge(&Self(indexes.iter().map(|index| (*index, *index)).collect()))
    }

    /// How many of these the others have too.
    pub fn overlap(&self, other: &Self) -> i32 {
        let (mut shared, mut ours, mut theirs) = (0, 0, 0);
        while let (Some(a), Some(b)) = (self.0.get(ours), other.0.get(theirs)) {
            shared += (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
            ours += usize::from(a.1 <= b.1);
            theirs += usize::from(b.1 <= a.1);
        }
        shared
    }

    /// The first `count` indexes below `completions` that are none of these.
    pub fn first_missing(&self, count: usize, completions: i32) -> Vec<i32> {
        let mut missing = Vec::new();
        let mut candidate = 0;
        for (first, last) in self.0.iter().copied().chain([(completions, completions)]) {
            let end = first.min(completions);
            let free = usize::try_from(end - candidate).unwrap_or_default();
            missing.extend((candidate..end).take(free.min(count - missing.len())));
            candidate = candidate.max(last.saturating_add(1));
        }
        missing
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
