//! Who may use a state folder.

use std::os::unix::fs::PermissionsExt as _;

use super::{State, is_running, owner, remove};
use crate::codes;

#[test]
fn a_folder_is_private_and_knows_its_owner() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state");
    let state = State::take(&folder, "enterprise").unwrap();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(owner(&folder).as_deref(), Some("enterprise"));
    assert!(is_running(&folder));
    drop(state);
    assert!(!is_running(&folder));
}

#[test]
fn a_second_process_is_refused_while_the_first_runs() {
    let home = tempfile::tempdir().unwrap();
    let _first = State::take(home.path(), "enterprise").unwrap();
    assert_eq!(State::take(home.path(), "enterprise").unwrap_err().code, codes::ALREADY_RUNNING);
    assert_eq!(remove(home.path()).unwrap_err().code, codes::ALREADY_RUNNING);
}

#[test]
fn another_platforms_folder_is_refused_and_left_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    drop(State::take(home.path(), "enterprise").unwrap());
    let refusal = State::take(home.path(), "shop").unwrap_err();
    assert_eq!(refusal.code, codes::FOREIGN_STATE);
    assert!(refusal.help.is_some());
    assert_eq!(owner(home.path()).as_deref(), Some("enterprise"));
}

#[test]
fn an_unknown_format_is_refused() {
    let home = tempfile::tempdir().unwrap();
    drop(State::take(home.path(), "enterprise").unwrap());
    std::fs::write(home.path().join("format"), "99\n").unwrap();
    assert_eq!(State::take(home.path(), "enterprise").unwrap_err().code, codes::STATE_FORMAT);
}

#[test]
fn a_folder_that_lost_its_format_is_refused() {
    let home = tempfile::tempdir().unwrap();
    drop(State::take(home.path(), "enterprise").unwrap());
    std::fs::remove_file(home.path().join("format")).unwrap();
    assert_eq!(State::take(home.path(), "enterprise").unwrap_err().code, codes::STATE_FORMAT);
}

#[test]
fn a_folder_with_someone_elses_files_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("thesis.tex"), "years of work").unwrap();
    assert_eq!(State::take(home.path(), "enterprise").unwrap_err().code, codes::STATE_FOLDER);
    assert_eq!(remove(home.path()).unwrap_err().code, codes::STATE_FOLDER);
}
