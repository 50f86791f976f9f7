//! The World: what a program may ask of its surroundings, real or virtual.
//!
//! The real World reads the machine's clock and the kernel's entropy. A virtual World runs on a
//! fresh thread with a paused current-thread runtime: when nothing is runnable, time jumps to the
//! next timer, and one seed decides every random choice, std's hash keys included.
//!
//! LIMIT: tokio draws the fairness of `select!` and of `sync::watch` from a number of the process
//! that no stable interface sets. So `select!` is `biased;` everywhere, and nothing that runs in a
//! virtual World lets several tasks wait for one `watch`.
//!
//! **Invariants:** a virtual World opens no socket or file and starts no thread; its runtime has no
//! I/O driver, so an attempt panics instead of corrupting the run.

use std::future::Future;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::net::Net;
use crate::random::{Random, Seed};

/// A handle to the surroundings; clones share them.
#[derive(Clone, Debug)]
pub struct World {
    inner: Arc<Inner>,
    /// Whose random streams this handle draws from; empty for the whole World's.
    scope: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    clock: Clock,
    seed: Seed,
    is_virtual: bool,
    net: Net,
    /// Object identities (uids, generated names) come from one stream: they are drawn by servers,
    /// in the order of their commits.
    identities: Mutex<Random>,
}

impl World {
    /// The machine's own time, entropy and network.
    ///
    /// # Panics
    /// In a virtual World.
    pub fn real() -> Self {
        assert!(!mainstay_entropy::is_seeded(), "invariant: a virtual World has no real one in it");
        let mut bytes = [0_u8; 8];
        crate::random::kernel_entropy(&mut bytes);
        Self::with(Clock::wall(), Seed(u64::from_le_bytes(bytes)), false)
    }

    /// Runs `body` in a virtual World that starts at `start`, on a thread of its own, and returns
    /// its value. Two calls with the same arguments do the same things in the same order.
    ///
    /// # Panics
    /// Where `body` panics.
    pub fn enter<F, Fut, T>(seed: Seed, start: Timestamp, body: F) -> T
    where
        F: FnOnce(World) -> Fut + Send + 'static,
        Fut: Future<Output = T>,
        T: Send + 'static,
    {
        crate::random::seed_third_party_hashers();
        let run = move || {
            let _entropy = mainstay_entropy::enter(seed.0);
            crate::random::seed_third_party_streams(seed);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("invariant: a runtime without I/O needs nothing of the machine");
            runtime.block_on(async move {
                let world = Self::with(Clock::starting_at(start), seed, true);
                body(world).await
            })
        };
        // A fresh thread: std draws its hash keys once per thread.
        #[allow(clippy::disallowed_methods, reason = "the one thread a virtual World runs on")]
        match std::thread::spawn(run).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn with(clock: Clock, seed: Seed, is_virtual: bool) -> Self {
        let net = if is_virtual { Net::in_memory(seed) } else { Net::real() };
        let identities = Mutex::new(Random::named(seed, "identities"));
        let inner = Arc::new(Inner { clock, seed, is_virtual, net, identities });
        Self { inner, scope: Arc::from("") }
    }

    /// This World's time.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The time of day in this World.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The number all randomness of this World comes from.
    pub fn seed(&self) -> Seed {
        self.inner.seed
    }

    /// Whether time is virtual and nothing outside can be reached.
    pub fn is_virtual(&self) -> bool {
        self.inner.is_virtual
    }

    /// This World's network.
    pub fn net(&self) -> &Net {
        &self.inner.net
    }

    /// The random stream called `name` (`<room>/<purpose>`) of this handle's scope.
    pub fn random(&self, name: &str) -> Random {
        Random::named(self.inner.seed, &format!("{}/{name}", self.scope))
    }

    /// The same World with random streams of its own: two regions do not draw alike.
    #[must_use]
    pub fn scoped(&self, scope: &str) -> Self {
        Self { inner: Arc::clone(&self.inner), scope: scope.into() }
    }

    /// Whose random streams this handle draws from: the region's name for its components.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// A new version-4 UUID, in text.
    pub fn uuid(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.inner.identities.lock().expect("invariant: no panic while drawing").fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        uuid_text(bytes)
    }

    /// `length` characters as upstream's `generateName` appends them (no vowels, no 0, 1, 3).
    pub fn name_suffix(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut stream = self.inner.identities.lock().expect("invariant: no panic while drawing");
        (0..length).filter_map(|_| stream.pick(ALPHABET).map(|byte| char::from(*byte))).collect()
    }
}

/// The 8-4-4-4-12 form.
fn uuid_text(bytes: [u8; 16]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("invariant: writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests;
