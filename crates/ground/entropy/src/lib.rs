//! The seeded-entropy shim of the virtual world.
//!
//! std's `RandomState`, and through it tokio and kube, draw their keys with the C library's
//! `getrandom`. This crate defines that symbol itself: on a thread where a [`Guard`] is alive the
//! bytes come from a seed, everywhere else the call goes straight to the kernel.
//!
//! **Invariants:** the seed is thread-local, so a key or a listener made on any other thread gets
//! real entropy; a guard is made only by `base`'s `World::enter`.
//!
//! **Not here:** the random streams the platform draws from on purpose (`base::random`).
#![allow(unsafe_code, reason = "defines the C symbol getrandom; the one place of this kind")]

use std::cell::Cell;

use libc::{c_uint, c_void, size_t, ssize_t};

thread_local! {
    /// The state of this thread's stream; `None` where entropy is the kernel's.
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Keeps this thread's entropy seeded until it is dropped.
#[derive(Debug)]
pub struct Guard {
    before: Option<u64>,
    /// A guard belongs to the thread that made it.
    _thread_bound: std::marker::PhantomData<*const ()>,
}

/// Seeds all further entropy of this thread.
pub fn enter(seed: u64) -> Guard {
    Guard { before: STATE.replace(Some(seed)), _thread_bound: std::marker::PhantomData }
}

/// Whether this thread's entropy is seeded.
pub fn is_seeded() -> bool {
    STATE.get().is_some()
}

/// The next seeded number of this thread, or `None` where entropy is the kernel's.
pub fn next() -> Option<u64> {
    let state = STATE.get()?;
    let (state, value) = split_mix(state);
    STATE.set(Some(state));
    Some(value)
}

impl Drop for Guard {
    fn drop(&mut self) {
        STATE.set(self.before);
    }
}

/// One step of SplitMix64: the next state and the number it yields.
fn split_mix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, z ^ (z >> 31))
}

/// The C library's `getrandom`, seeded where a [`Guard`] is alive.
///
/// # Safety
/// `buffer` must be valid for writes of `length` bytes, as for the system call.
// SAFETY: this symbol shadows libc's with the same signature and contract.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    if !is_seeded() {
        // SAFETY: the arguments are the caller's own, passed on unchanged.
        let count = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
        return ssize_t::try_from(count).unwrap_or(-1);
    }
    // SAFETY: the caller promises `length` writable bytes at `buffer`.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    for chunk in bytes.chunks_mut(8) {
        let word = next().unwrap_or_default().to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    ssize_t::try_from(length).unwrap_or(ssize_t::MAX)
}

#[cfg(test)]
mod tests;
