//! The shim seeds std's hash maps on its own thread and on no other.

use std::hash::{BuildHasher, RandomState};

/// The first `RandomState` of a fresh thread, as a number.
fn fresh_hash(seed: Option<u64>) -> u64 {
    #[allow(clippy::disallowed_methods, reason = "RandomState draws its keys once per thread")]
    std::thread::spawn(move || {
        let _guard = seed.map(super::enter);
        RandomState::new().hash_one("mainstay")
    })
    .join()
    .expect("invariant: the thread does not panic")
}

#[test]
fn the_same_seed_gives_the_same_hash_keys() {
    assert_eq!(fresh_hash(Some(7)), fresh_hash(Some(7)));
    assert_ne!(fresh_hash(Some(7)), fresh_hash(Some(8)));
}

#[test]
fn without_a_guard_entropy_is_the_kernels() {
    assert_ne!(fresh_hash(None), fresh_hash(None));
}

#[test]
fn a_dropped_guard_gives_entropy_back() {
    let guard = super::enter(1);
    assert!(super::is_seeded());
    drop(guard);
    assert!(!super::is_seeded());
    assert_eq!(super::next(), None);
}

#[test]
fn the_c_symbol_gives_the_seeds_bytes_for_any_length() {
    let bytes = |length: usize| {
        let _guard = super::enter(7);
        let mut bytes = vec![0_u8; length];
        // SAFETY: the buffer has `length` bytes.
        let count = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), length, 0) };
        assert_eq!(usize::try_from(count), Ok(length));
        bytes
    };
    let long = bytes(100);
    for length in [0, 1, 7, 8, 9, 64] {
        assert_eq!(bytes(length), long[..length]);
    }
    assert!(long.iter().any(|byte| *byte != 0));
}

#[test]
fn guards_nest() {
    let outer = super::enter(1);
    let first = super::next();
    let second = super::next();
    drop(outer);
    let _outer = super::enter(1);
    assert_eq!(super::next(), first);
    let inner = super::enter(2);
    assert_ne!(super::next(), second);
    drop(inner);
    assert_eq!(super::next(), second);
}
