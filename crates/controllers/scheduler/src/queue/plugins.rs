//! A set of rules: those that reject a pod.

use crate::filter::Plugin;

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Plugins(u32);

impl Plugins {
    /// Every rule.
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// Whether one of these is among them.
    pub(crate) fn has(self, plugins: &[Plugin]) -> bool {
        plugins.iter().any(|plugin| self.0 & bit(*plugin) != 0)
    }
}

impl FromIterator<Plugin> for Plugins {
    /// Where nobody objected, for there was nobody to ask, everybody might.
    fn from_iter<I: IntoIterator<Item = Plugin>>(plugins: I) -> Self {
        match plugins.into_iter().map(bit).fold(0, |all, one| all | one) {
            0 => Self::ALL,
            some => Self(some),
        }
    }
}

fn bit(plugin: Plugin) -> u32 {
    1 << plugin as u32
}
