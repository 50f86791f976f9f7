//! The user's kubeconfig is merged, never taken over.

use serde_json::Value;

use super::{Entry, merge, remove, write};

fn entry(region: &str) -> Entry {
    Entry {
        name: super::context(region),
        server: "https://127.0.0.1:6443".to_owned(),
        authority_pem: "authority".to_owned(),
        certificate_pem: "certificate".to_owned(),
        key_pem: "key".to_owned(),
    }
}

fn read(path: &std::path::Path) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const THEIRS: &str = "apiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n- name: work\n  cluster: {server: https://work.example}\ncontexts:\n- name: work\n  context: {cluster: work, user: me, namespace: team}\nusers:\n- name: me\n  user: {token: secret}\n";

#[test]
fn merging_keeps_the_current_context_and_every_entry_of_the_user() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, THEIRS).unwrap();
    merge(&path, &[entry("us-east-1")]).unwrap();
    let config = read(&path);
    assert_eq!(config["current-context"], "work");
    assert_eq!(config["contexts"][0]["context"]["namespace"], "team");
    assert_eq!(config["contexts"][1]["name"], "mainstay-us-east-1");
    assert_eq!(config["users"][0]["user"]["token"], "secret");
}

#[test]
fn merging_twice_and_removing_gives_the_users_file_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, THEIRS).unwrap();
    let before = read(&path);
    merge(&path, &[entry("us-east-1")]).unwrap();
    merge(&path, &[entry("us-east-1")]).unwrap();
    assert_eq!(read(&path)["clusters"].as_array().map(Vec::len), Some(2));
    remove(&path, &[super::context("us-east-1")]).unwrap();
    assert_eq!(read(&path), before);
}

#[test]
fn a_new_file_is_private_and_has_no_current_context() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("fresh/config");
    merge(&path, &[entry("us-east-1")]).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(read(&path).get("current-context"), None);
}

#[test]
fn our_own_file_names_the_first_region_as_current() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("kubeconfig");
    write(&path, &[entry("us-east-1"), entry("eu-west-1")]).unwrap();
    assert_eq!(read(&path)["current-context"], "mainstay-us-east-1");
}

#[test]
fn a_broken_file_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, "clusters: [").unwrap();
    assert_eq!(merge(&path, &[entry("us-east-1")]).unwrap_err().code, crate::codes::KUBECONFIG);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "clusters: [");
    assert!(!home.path().join("config.lock").exists());
}
