//! Seeded randomness: every consumer draws from a stream of its own, named after what it decides.
//!
//! A named stream does not move when another consumer draws more or less, so adding a component
//! does not change what the others do under the same seed.

use std::fmt;
use std::str::FromStr;

/// The number a World's randomness comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Seed {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Seed)
    }
}

/// A stream of random numbers (SplitMix64); not for keys or tokens (`pki` makes those).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream called `name` of `seed`.
    pub fn named(seed: Seed, name: &str) -> Self {
        // FNV-1a spreads the name over the seed; the first draw mixes both.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut stream = Self { state: seed.0 ^ hash };
        stream.next_u64();
        stream
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    #[allow(clippy::cast_possible_truncation, reason = "the high half of the product is below the bound")]
    pub fn below(&mut self, bound: u64) -> u64 {
        // The multiply-shift of Lemire: unbiased enough for any bound far below 2^64.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `0.0..1.0`.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether an event of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `items`; `None` when there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(index)
    }

    /// Puts `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or(0);
            items.swap(last, other);
        }
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// Fills `bytes` from the kernel.
pub(crate) fn kernel_entropy(bytes: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};
    for (index, chunk) in bytes.chunks_mut(8).enumerate() {
        let word = RandomState::new().hash_one(index).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}

/// Makes ahash (kube's reflector uses it) draw its keys from the thread's entropy shim.
/// Process-wide, so it is called only when a virtual World is about to exist.
pub(crate) fn seed_third_party_hashers() {
    /// Which map gets which keys is decided by the shim.
    struct FromShim;
    impl ahash::random_state::RandomSource for FromShim {
        #[allow(clippy::cast_possible_truncation, reason = "a hash key may lose bits on 32-bit machines")]
        fn gen_hasher_seed(&self) -> usize {
            mainstay_entropy::next().map_or(0, |word| word as usize)
        }
    }
    // A second call keeps the first source, which is the same one.
    let _already_set = ahash::random_state::set_random_source(FromShim);
    // ahash also draws keys once per process: here, under a seed that no World's seed can change.
    let _constant = mainstay_entropy::enter(0);
    let _keys_are_drawn = ahash::RandomState::new();
}

/// Seeds fastrand (kube's back-off jitter uses it) on this thread.
pub(crate) fn seed_third_party_streams(seed: Seed) {
    fastrand::seed(seed.0);
}

#[cfg(test)]
mod tests;
