//! Streams are SplitMix64, stay in their bounds, and do not move each other.

use proptest::prelude::*;

use super::*;

#[test]
fn a_stream_is_split_mix_64() {
    let mut stream = Random { state: 0 };
    let drawn = [stream.next_u64(), stream.next_u64(), stream.next_u64()];
    assert_eq!(drawn, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
}

#[test]
fn a_name_and_a_seed_make_a_stream() {
    let first = |seed, name| Random::named(Seed(seed), name).next_u64();
    assert_eq!(first(1, "scheduler/us-east-1/ties"), first(1, "scheduler/us-east-1/ties"));
    assert_ne!(first(1, "scheduler/us-east-1/ties"), first(2, "scheduler/us-east-1/ties"));
    assert_ne!(first(1, "scheduler/us-east-1/ties"), first(1, "scheduler/eu-west-1/ties"));
}

#[test]
fn nothing_is_picked_of_nothing() {
    let mut stream = Random::named(Seed(1), "test");
    assert_eq!(stream.pick::<u8>(&[]), None);
    assert_eq!(stream.below(0), 0);
    assert_eq!(stream.pick(&[7]), Some(&7));
}

#[test]
fn chances_come_true_as_often_as_they_should() {
    let mut stream = Random::named(Seed(1), "test");
    let hits = (0..10_000).filter(|_| stream.chance(0.3)).count();
    assert!((2800..3200).contains(&hits), "{hits}");
    assert!(!stream.chance(0.0));
    assert!(stream.chance(1.0));
}

#[test]
fn seeds_are_read_and_shown_as_numbers() {
    assert_eq!("42".parse(), Ok(Seed(42)));
    assert_eq!(Seed(42).to_string(), "42");
    assert!("-1".parse::<Seed>().is_err());
}

proptest! {
    #[test]
    fn draws_stay_in_their_bounds(seed: u64, bound in 1..=u64::MAX) {
        let mut stream = Random::named(Seed(seed), "test");
        prop_assert!(stream.below(bound) < bound);
        prop_assert!((0.0..1.0).contains(&stream.unit()));
    }

    #[test]
    fn a_shuffle_loses_nothing(seed: u64, mut items: Vec<u8>) {
        let mut shuffled = items.clone();
        Random::named(Seed(seed), "test").shuffle(&mut shuffled);
        items.sort_unstable();
        shuffled.sort_unstable();
        prop_assert_eq!(items, shuffled);
    }

    #[test]
    fn a_fill_is_the_stream_in_bytes(seed: u64, length in 0..40_usize) {
        let mut bytes = vec![0; length];
        Random::named(Seed(seed), "test").fill(&mut bytes);
        let mut words = Random::named(Seed(seed), "test");
        let expected: Vec<u8> = std::iter::repeat_with(|| words.next_u64().to_le_bytes())
            .flatten()
            .take(length)
            .collect();
        prop_assert_eq!(bytes, expected);
    }
}
