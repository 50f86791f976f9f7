//! What a power cut may and may not take.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn contents(disk: &FaultyDisk, path: &str) -> Option<Vec<u8>> {
    if !disk.exists(path).unwrap() {
        return None;
    }
    let mut file = disk.open(path, false).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    Some(bytes)
}

/// A disk whose file `log` holds `bytes` durably.
fn disk_with(seed: u64, bytes: &[u8]) -> (FaultyDisk, Box<dyn File>) {
    let disk = FaultyDisk::new(Seed(seed));
    let mut file = disk.open("log", true).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    (disk, file)
}

#[test]
fn what_was_synced_survives_every_power_cut() {
    for seed in 0..200 {
        let (disk, mut file) = disk_with(seed, &[7; 3000]);
        file.write_at(&[8; 3000], 3000).unwrap();
        let after = contents(&disk.power_cut(), "log").unwrap();
        assert_eq!(&after[..3000], &[7; 3000]);
    }
}

#[test]
fn what_was_not_synced_is_kept_dropped_torn_and_reordered_over_the_seeds() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..300 {
        let (disk, mut file) = disk_with(seed, &[0; 2048]);
        file.write_at(&[1; 1024], 0).unwrap();
        file.write_at(&[2; 1024], 1024).unwrap();
        let after = contents(&disk.power_cut(), "log").unwrap();
        outcomes.insert([after[0], after[512], after[1024], after[1536]]);
    }
    for (expected, what) in [
        ([1, 1, 2, 2], "kept"),
        ([0, 0, 0, 0], "dropped"),
        ([1, 0, 0, 0], "torn"),
        ([1, 1, 0, 0], "only the first"),
        ([0, 0, 2, 2], "reordered"),
    ] {
        assert!(outcomes.contains(&expected), "no seed gave: {what}");
    }
}

#[test]
fn a_sector_is_never_torn() {
    for seed in 0..100 {
        let (disk, mut file) = disk_with(seed, &[0; 1024]);
        file.write_at(&[1; 1024], 0).unwrap();
        let after = contents(&disk.power_cut(), "log").unwrap();
        for sector in after.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]));
        }
    }
}

#[test]
fn a_name_without_a_folder_sync_may_be_gone() {
    let survives = |seed| {
        let disk = FaultyDisk::new(Seed(seed));
        disk.open("log", true).unwrap().sync().unwrap();
        disk.power_cut().exists("log").unwrap()
    };
    let outcomes: BTreeSet<bool> = (0..20).map(survives).collect();
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_cut_without_a_sync_may_come_back() {
    let mut lengths = BTreeSet::new();
    for seed in 0..50 {
        let (disk, mut file) = disk_with(seed, &[7; 1000]);
        file.set_len(10).unwrap();
        let after = contents(&disk.power_cut(), "log").unwrap();
        assert_eq!(after, vec![7; after.len()]);
        lengths.insert(after.len());
    }
    assert_eq!(lengths, BTreeSet::from([10, 1000]));
}

#[test]
fn with_syncs_ignored_synced_bytes_get_lost() {
    let is_lost = |seed| {
        let disk = FaultyDisk::new(Seed(seed));
        disk.sync_folder().unwrap();
        disk.set_faults(Faults { ignores_sync: true, ..Faults::default() });
        let mut file = disk.open("log", true).unwrap();
        file.write_at(b"acknowledged", 0).unwrap();
        file.sync().unwrap();
        disk.sync_folder().unwrap();
        contents(&disk.power_cut(), "log").as_deref() != Some(b"acknowledged")
    };
    assert!((0..20).any(is_lost));
}

#[test]
fn a_full_disk_takes_what_fits_and_works_again_when_freed() {
    let (disk, mut file) = disk_with(1, b"0123456789");
    disk.set_faults(Faults { is_full: true, ..Faults::default() });
    let error = file.write_at(b"abcdef", 8).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(contents(&disk, "log").unwrap(), b"01234567ab");
    file.write_at(b"in place", 0).unwrap();
    assert_eq!(disk.open("new", true).err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    disk.set_faults(Faults::default());
    file.write_at(b"abcdef", 8).unwrap();
    assert_eq!(contents(&disk, "log").unwrap(), b"in placeabcdef");
}

#[test]
fn a_failed_sync_may_lose_bytes_that_a_later_sync_claims_to_keep() {
    let is_lost = |seed| {
        let (disk, mut file) = disk_with(seed, b"");
        disk.set_faults(Faults { fails_sync: true, ..Faults::default() });
        file.write_at(b"data", 0).unwrap();
        assert!(file.sync().is_err());
        disk.set_faults(Faults::default());
        file.sync().unwrap();
        assert_eq!(contents(&disk, "log").unwrap(), b"data");
        contents(&disk.power_cut(), "log").unwrap() != b"data"
    };
    let outcomes: BTreeSet<bool> = (0..20).map(is_lost).collect();
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn everything_fails_after_a_planned_power_cut() {
    let (disk, mut file) = disk_with(1, b"old");
    disk.cut_power_after(1);
    file.write_at(b"one", 0).unwrap();
    assert!(file.write_at(b"two", 0).is_err());
    assert!(disk.is_cut());
    assert!(file.sync().is_err());
    assert!(disk.open("log", false).is_err());
    let outcomes: BTreeSet<Vec<u8>> = (0..40)
        .map(|seed| {
            let (disk, mut file) = disk_with(seed, b"old");
            disk.cut_power_after(0);
            file.write_at(b"new", 0).unwrap_err();
            contents(&disk.power_cut(), "log").unwrap()
        })
        .collect();
    assert_eq!(outcomes, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]));
}

#[test]
fn writes_and_syncs_are_counted() {
    let (disk, mut file) = disk_with(1, b"a");
    file.write_at(b"b", 0).unwrap();
    assert_eq!((disk.writes(), disk.syncs()), (2, 1));
}

#[derive(Clone, Debug)]
enum Step {
    Write(u16, u16, u8),
    Length(u16),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4000_u16, 1..2000_u16, 1..=255_u8).prop_map(|(at, count, byte)| Step::Write(at, count, byte)),
        1 => (0..4000_u16).prop_map(Step::Length),
        1 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 1..20)
}

proptest! {
    /// Until the power is cut it reads like a plain file; afterwards each byte is one it has held
    /// since the last sync, and with a sync at the end nothing changes at all.
    #[test]
    fn a_byte_after_a_power_cut_is_one_the_file_held(seed: u64, steps in steps(), syncs_last: bool) {
        let (disk, mut file) = disk_with(seed, b"");
        let mut model = Vec::new();
        let mut since_sync = vec![model.clone()];
        for step in steps.iter().chain(syncs_last.then_some(&Step::Sync)) {
            match *step {
                Step::Write(at, count, byte) => {
                    let bytes = vec![byte; usize::from(count)];
                    file.write_at(&bytes, u64::from(at)).unwrap();
                    memory_write(&mut model, &bytes, usize::from(at));
                }
                Step::Length(length) => {
                    file.set_len(u64::from(length)).unwrap();
                    model.resize(usize::from(length), 0);
                }
                Step::Sync => {
                    file.sync().unwrap();
                    since_sync.clear();
                }
            }
            since_sync.push(model.clone());
            prop_assert_eq!(&contents(&disk, "log").unwrap(), &model);
        }
        let after = contents(&disk.power_cut(), "log").unwrap();
        prop_assert!(since_sync.iter().any(|held| held.len() == after.len()));
        for (index, byte) in after.iter().enumerate() {
            let held = since_sync.iter().any(|held| held.get(index).copied().unwrap_or(0) == *byte);
            prop_assert!(held, "byte {index} was never {byte}");
        }
    }
}

fn memory_write(contents: &mut Vec<u8>, bytes: &[u8], at: usize) {
    contents.resize(contents.len().max(at + bytes.len()), 0);
    contents[at..at + bytes.len()].copy_from_slice(bytes);
}
