//! One seed decides everything; virtual time is free; the real World is real.

use std::io::Write as _;
use std::time::Duration;

use super::*;

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn virtually<F, Fut, T>(seed: u64, body: F) -> T
where
    F: FnOnce(World) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    World::enter(Seed(seed), start(), body)
}

/// What every source of chance gives in a World of `seed`, each on a line.
fn fingerprint(seed: u64) -> String {
    virtually(seed, |world| async move {
        #[allow(clippy::disallowed_types, reason = "its order is what is tested")]
        let std_order: Vec<u32> = (0..50).collect::<std::collections::HashSet<u32>>().into_iter().collect();
        let ahash: Vec<u64> = (0..3).map(|word| ahash::RandomState::new().hash_one(word)).collect();
        #[allow(clippy::disallowed_methods, reason = "kube's jitter draws from it")]
        let fastrand: Vec<u64> = (0..3).map(|_| fastrand::u64(..)).collect();
        let own = (world.uuid(), world.name_suffix(5), world.random("test/stream").next_u64());
        format!("{std_order:?}\n{ahash:?}\n{fastrand:?}\n{own:?}\n")
    })
}

#[test]
fn a_seed_gives_the_same_world_twice_and_another_seed_another_one() {
    let (one, same, other) = (fingerprint(1), fingerprint(1), fingerprint(2));
    assert_eq!(one, same);
    for (one, other) in one.lines().zip(other.lines()) {
        assert_ne!(one, other);
    }
}

#[test]
#[ignore = "the next test runs it, in processes of its own"]
fn a_fingerprint_is_written() {
    let lines = fingerprint(1).replace('\n', "|");
    writeln!(std::io::stdout(), "\nfingerprint {lines}").unwrap();
}

#[test]
fn a_seed_gives_the_same_world_in_another_process() {
    let run = || {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "world::tests::a_fingerprint_is_written", "--nocapture"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.starts_with("fingerprint ")).unwrap().to_owned()
    };
    let one = run();
    assert_eq!(one, run());
    assert_eq!(one, format!("fingerprint {}", fingerprint(1).replace('\n', "|")));
}

#[test]
fn virtual_time_passes_by_waiting_only() {
    let day = Duration::from_hours(24);
    virtually(1, move |world| async move {
        assert_eq!(world.now(), start());
        world.clock().sleep(day).await;
        assert_eq!(world.now(), start() + day);
        tokio::task::yield_now().await;
        assert_eq!(world.now(), start() + day);
        assert!(world.is_virtual());
    });
}

#[test]
fn a_virtual_world_starts_no_thread() {
    let refused = std::panic::catch_unwind(|| {
        virtually(1, |_| async { drop(crate::task::thread("forbidden", || {})) });
    });
    assert!(refused.is_err());
}

#[test]
fn a_panic_in_a_world_reaches_who_entered_it() {
    let panic = std::panic::catch_unwind(|| virtually(1, |_| async { panic!("in the World") }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"in the World"));
}

#[test]
fn identities_have_upstreams_forms() {
    virtually(1, |world| async move {
        let uuid = world.uuid();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        assert_ne!(uuid, world.uuid());
        let suffix = world.name_suffix(5);
        assert_eq!(suffix.len(), 5);
        assert!(suffix.chars().all(|character| "bcdfghjklmnpqrstvwxz2456789".contains(character)));
    });
}

#[tokio::test]
async fn the_real_world_has_the_machines_time_and_entropy() {
    let (one, other) = (World::real(), World::real());
    assert!(!one.is_virtual());
    assert_ne!(one.seed(), other.seed());
    assert_ne!(one.uuid(), other.uuid());
    let before = one.now();
    one.clock().sleep(Duration::from_millis(2)).await;
    assert!(one.now() > before);
    assert!(one.now() > start());
}
