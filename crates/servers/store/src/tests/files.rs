//! Whose file it is, who has it open, and how large it grows.

use mainstay_base::disk::{Disk, MemoryDisk, RealDisk};

use super::*;
use crate::OpenError;
use crate::database::FILE;

/// A file of SQLite's that `sql` made; empty `sql` makes an empty file.
fn real_disk_with(sql: &str) -> (tempfile::TempDir, RealDisk) {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    connection.execute_batch(sql).unwrap();
    (folder, disk)
}

fn length(disk: &dyn Disk, path: &str) -> u64 {
    disk.open(path, false).map_or(0, |mut file| file.len().unwrap())
}

#[test]
fn a_second_process_cannot_open_the_store() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let disk = shared(RealDisk::open(folder.path()).unwrap());
        let store = Store::open(Arc::clone(&disk), index).unwrap();
        // An open file description stands for a process: that is whose lock it is.
        let refusal = Store::open(Arc::clone(&disk), index).unwrap_err();
        assert!(matches!(refusal, OpenError::Locked), "{refusal}");
        store.close().await;
        Store::open(disk, index).unwrap().close().await;
    });
}

#[test]
fn a_file_of_another_format_is_refused_and_left_alone() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let disk = shared(RealDisk::open(folder.path()).unwrap());
        let store = Store::open(Arc::clone(&disk), index).unwrap();
        store.commit(put(pod("a"), Expect::Absent, "one")).await.unwrap();
        store.close().await;
        let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        connection.execute_batch("PRAGMA user_version=99").unwrap();
        drop(connection);
        let before = std::fs::read(folder.path().join(FILE)).unwrap();
        let refusal = Store::open(disk, index).unwrap_err();
        assert!(matches!(refusal, OpenError::Format { found: 99, supported: 1 }), "{refusal}");
        assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), before);
    });
}

#[test]
fn the_file_of_another_program_is_refused_and_left_alone() {
    let (folder, disk) = real_disk_with("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x');");
    let before = std::fs::read(folder.path().join(FILE)).unwrap();
    let refusal = Store::open(shared(disk), index).unwrap_err();
    assert!(matches!(refusal, OpenError::Foreign(FILE)), "{refusal}");
    assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let disk = MemoryDisk::new();
    disk.open(FILE, true).unwrap().write_at(&[b'x'; 5000], 0).unwrap();
    let refusal = Store::open(shared(disk), index).unwrap_err();
    assert!(matches!(refusal, OpenError::Foreign(FILE)), "{refusal}");
}

#[test]
fn a_damaged_file_is_refused() {
    run(async {
        let disk = MemoryDisk::new();
        let store = Store::open(shared(disk.clone()), index).unwrap();
        for number in 0..200 {
            store.commit(put(pod(&format!("p{number}")), Expect::Absent, &"x".repeat(500))).await.unwrap();
        }
        store.close().await;
        let mut file = disk.open(FILE, false).unwrap();
        for page in 4..20 {
            file.write_at(&[0xAB; 1000], page * 4096).unwrap();
        }
        let refusal = Store::open(shared(disk), index).unwrap_err();
        assert!(matches!(refusal, OpenError::Damaged(_)), "{refusal}");
    });
}

#[test]
fn the_files_stop_growing_when_the_same_objects_are_written_again_and_again() {
    run(async {
        let disk = MemoryDisk::new();
        let store = Store::open_tuned(shared(disk.clone()), index, SMALL).unwrap();
        for round in 0..100 {
            let writes =
                (0..20).map(|number| put(pod(&format!("p{number}")), Expect::Any, &format!("r{round}")));
            store.commit_together(writes.collect()).await.unwrap();
        }
        let log = length(&disk, "store.db-wal");
        assert!(log < 3 * SMALL.log_bytes, "the log has {log} bytes");
        store.close().await;
        let file = length(&disk, FILE);
        assert!(file < 100_000, "2,000 writes of 20 objects left {file} bytes");
        assert!(!disk.exists("store.db-wal").unwrap(), "a closed store is one file");
    });
}
