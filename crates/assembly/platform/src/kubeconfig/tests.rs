//! The user's kubeconfig is merged, never taken over.

use serde_json::Value;

use super::{Entry, Merged, Owner, ours, remove, write};
use crate::{State, codes, state};

fn entry(region: &str) -> Entry {
    entry_of("authority", region)
}

/// An entry of a region whose authority is called so.
fn entry_of(authority: &str, region: &str) -> Entry {
    Entry {
        name: super::context(region),
        server: "https://127.0.0.1:6443".to_owned(),
        authority_pem: authority.to_owned(),
        certificate_pem: "certificate".to_owned(),
        key_pem: "key".to_owned(),
    }
}

fn merge(path: &std::path::Path, entries: &[Entry]) -> Result<Merged, mainstay_base::Diagnostic> {
    let folder = path.with_file_name("state-of-nobody");
    super::merge(path, &Owner { platform: "shop", folder: &folder }, entries)
}

/// A platform that runs, whose regions each have an authority called after both.
struct Running {
    name: &'static str,
    state: State,
}

impl Running {
    fn new(home: &std::path::Path, folder: &str, name: &'static str) -> Self {
        Self { name, state: State::take(&home.join(folder), name).unwrap() }
    }

    fn up(&self, path: &std::path::Path, regions: &[&str]) -> Merged {
        let entries: Vec<Entry> = regions.iter().map(|region| self.entry(region)).collect();
        let owner = Owner { platform: self.name, folder: self.state.folder() };
        super::merge(path, &owner, &entries).unwrap()
    }

    fn entry(&self, region: &str) -> Entry {
        let authority = format!("{} {region}", self.state.folder().display());
        std::fs::write(self.state.region(region).unwrap().join("ca.crt"), &authority).unwrap();
        entry_of(&authority, region)
    }

    fn authorities(&self) -> Vec<String> {
        state::authorities(self.state.folder())
    }
}

fn contexts(path: &std::path::Path) -> Vec<String> {
    let config = read(path);
    let names = config["contexts"].as_array().unwrap().iter();
    names.map(|context| context["name"].as_str().unwrap().to_owned()).collect()
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
    remove(&path, &["authority".to_owned()]).unwrap();
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

#[test]
fn a_region_of_the_same_name_of_a_running_platform_keeps_its_context() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let shop = Running::new(home.path(), "one", "shop");
    let bank = Running::new(home.path(), "two", "bank");
    assert_eq!(shop.up(&path, &["us-east-1", "local"]).contexts, ["mainstay-us-east-1", "mainstay-local"]);
    let before = read(&path)["clusters"][0].clone();
    let merged = bank.up(&path, &["us-east-1", "eu-west-1"]);
    assert_eq!(merged.contexts, ["mainstay-bank-us-east-1", "mainstay-eu-west-1"]);
    let [warning] = merged.warnings.as_slice() else { panic!("one warning: {:?}", merged.warnings) };
    assert_eq!(warning.code, codes::CONTEXT_TAKEN);
    assert!(warning.message.contains("\"shop\""), "{}", warning.message);
    assert_eq!(read(&path)["clusters"][0], before, "the other's entry is as it was");
    assert!(bank.up(&path, &["us-east-1"]).contexts == ["mainstay-bank-us-east-1"], "again, the same");
}

#[test]
fn once_the_other_platform_has_ended_the_usual_name_is_taken_and_the_long_one_goes() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let shop = Running::new(home.path(), "one", "shop");
    let bank = Running::new(home.path(), "two", "bank");
    shop.up(&path, &["us-east-1"]);
    bank.up(&path, &["us-east-1"]);
    drop(shop);
    assert!(bank.up(&path, &["us-east-1"]).warnings.is_empty());
    assert_eq!(contexts(&path), ["mainstay-us-east-1"]);
}

#[test]
fn where_both_names_are_taken_a_region_has_no_context_and_nothing_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let platforms = ["one", "two", "three"].map(|folder| Running::new(home.path(), folder, "shop"));
    platforms[0].up(&path, &["local"]);
    platforms[1].up(&path, &["local"]);
    let before = read(&path);
    let merged = platforms[2].up(&path, &["local"]);
    assert!(merged.contexts.is_empty());
    assert!(merged.warnings[0].help.as_deref().unwrap_or_default().contains("--kubeconfig"));
    assert_eq!(read(&path), before);
}

#[test]
fn removing_takes_only_what_our_authorities_signed_for() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, THEIRS).unwrap();
    let shop = Running::new(home.path(), "one", "shop");
    shop.up(&path, &["us-east-1"]);
    let bank = Running::new(home.path(), "two", "bank");
    bank.up(&path, &["us-east-1", "eu-west-1"]);
    assert_eq!(ours(&path, &bank.authorities()).unwrap(), ["mainstay-bank-us-east-1", "mainstay-eu-west-1"]);
    remove(&path, &bank.authorities()).unwrap();
    assert_eq!(contexts(&path), ["work", "mainstay-us-east-1"]);
    remove(&path, &bank.authorities()).unwrap();
    assert_eq!(contexts(&path), ["work", "mainstay-us-east-1"]);
}

#[test]
fn a_region_that_the_source_lost_loses_its_context() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let shop = Running::new(home.path(), "one", "shop");
    shop.up(&path, &["us-east-1", "eu-west-1"]);
    shop.up(&path, &["us-east-1"]);
    assert_eq!(contexts(&path), ["mainstay-us-east-1"]);
}
