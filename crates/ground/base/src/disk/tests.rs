//! What every disk does, and what only the real one can show.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::random::Seed;

/// Every kind of disk, empty; the folder lives as long as the real one is used.
fn disks() -> (tempfile::TempDir, Vec<SharedDisk>) {
    let folder = tempfile::tempdir().unwrap();
    let real = RealDisk::open(folder.path().join("state")).unwrap();
    let disks: Vec<SharedDisk> =
        vec![Arc::new(real), Arc::new(MemoryDisk::new()), Arc::new(FaultyDisk::new(Seed(1)))];
    (folder, disks)
}

#[test]
fn bytes_are_read_where_they_were_written() {
    for disk in disks().1 {
        let mut file = disk.open("file", true).unwrap();
        file.write_at(b"tail", 6).unwrap();
        file.write_at(b"head", 0).unwrap();
        let mut buffer = [9; 16];
        assert_eq!(file.read_at(&mut buffer, 0).unwrap(), 10, "{disk:?}");
        assert_eq!(&buffer[..10], b"head\0\0tail");
        assert_eq!(file.read_at(&mut buffer[..2], 4).unwrap(), 2);
        assert_eq!(file.read_at(&mut buffer, 10).unwrap(), 0);
        assert_eq!(file.read_at(&mut buffer, 1000).unwrap(), 0);
    }
}

#[test]
fn a_file_is_cut_and_extended_with_zeros() {
    for disk in disks().1 {
        let mut file = disk.open("file", true).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(b"abcdef", 0).unwrap();
        file.set_len(3).unwrap();
        file.set_len(5).unwrap();
        file.sync().unwrap();
        let mut buffer = [9; 5];
        assert_eq!((file.read_at(&mut buffer, 0).unwrap(), &buffer), (5, b"abc\0\0"), "{disk:?}");
        assert_eq!(file.len().unwrap(), 5);
    }
}

#[test]
fn two_openings_of_a_name_see_one_file() {
    for disk in disks().1 {
        let mut one = disk.open("file", true).unwrap();
        let mut other = disk.open("file", false).unwrap();
        one.write_at(b"x", 0).unwrap();
        assert_eq!(other.len().unwrap(), 1, "{disk:?}");
    }
}

#[test]
fn a_removed_file_is_gone_and_a_missing_one_is_not_found() {
    for disk in disks().1 {
        drop(disk.open("file", true).unwrap());
        assert!(disk.exists("file").unwrap());
        disk.remove("file").unwrap();
        disk.sync_folder().unwrap();
        assert!(!disk.exists("file").unwrap());
        let not_found = Some(io::ErrorKind::NotFound);
        assert_eq!(disk.open("file", false).err().map(|error| error.kind()), not_found, "{disk:?}");
        assert_eq!(disk.remove("file").err().map(|error| error.kind()), not_found);
    }
}

#[test]
fn only_the_owner_may_read_a_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("a/state");
    let disk = RealDisk::open(&state).unwrap();
    drop(disk.open("key", true).unwrap());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("key")), 0o600);
}

#[test]
fn a_real_disk_leads_nowhere_but_into_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    for path in ["../file", "/etc/passwd", "a/../../file", "", "."] {
        let kind = disk.open(path, true).err().map(|error| error.kind());
        assert_eq!(kind, Some(io::ErrorKind::InvalidInput), "{path}");
    }
}

#[test]
fn a_locked_file_cannot_be_locked_again_until_it_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let lock = disk.lock("lock").unwrap();
    assert_eq!(disk.lock("lock").err().map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    drop(lock);
    drop(disk.lock("lock").unwrap());
}
