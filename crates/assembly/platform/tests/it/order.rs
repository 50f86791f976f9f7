//! One scenario in a drill's time and in the machine's: each object goes through the same.
//!
//! What is compared is each object's own story: what was told of it, and how its phase, conditions and
//! containers went. What is left out is what no client can rely on, upstream's neither:
//! - How two objects' changes interleave: their controllers work side by side.
//! - How the stories of two reporters about one object interleave. The scheduler tells of a binding
//!   after it is answered, and through a queue of its own; by then the kubelet may have told of the pull.
//!   So each reporter's story is a line of its own, and so is each condition's: writers differ.
//! - How often the same was told in a row: an Event that comes again is counted, and the count is time's.
//! - Which node, and which name of many: the seed draws them. Pods of one owner are compared as a bag.

mod account;
mod play;

use std::sync::{Arc, Mutex};

use mainstay_base::{Seed, World};
use mainstay_platform::config::Config;
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_platform::{Platform, Region};
use mainstay_source::Source;

use account::Account;

/// Where things run: five machines for what is rolled out, and one for all that needs a place it knows.
const CLUSTER: &str = "
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: prod, region: us-east-1}
nodeGroups:
  - {name: app, instanceType: m5.large, desiredCapacity: 5, labels: {place: app}}
  - {name: data, instanceType: m5.large, desiredCapacity: 1, labels: {place: data}}
";

#[test]
fn each_object_goes_through_the_same_in_real_time_as_in_a_drill() {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let drilled = World::enter(Seed(7), start, rehearse).stories();
    let again = World::enter(Seed(11), start, rehearse).stories();
    assert_same("under another seed", &drilled, &again);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let lived = runtime.block_on(rehearse(World::real())).stories();
    assert_same("in real time", &drilled, &lived);
    for told in ["FailedScheduling", "BackOff", "ScalingReplicaSet", "BackoffLimitExceeded", "Killing"] {
        assert!(drilled.iter().any(|story| story.contains(told)), "nobody tells of {told}: {drilled:#?}");
    }
}

/// Plays the scenario in a World and returns what was committed.
async fn rehearse(world: World) -> Account {
    let source = Source::from_text("cluster.yaml", CLUSTER);
    let config = Config::plan("order", &source);
    assert!(config.diagnostics.is_empty(), "{:?}", config.diagnostics);
    let account = Arc::new(Mutex::new(Account::default()));
    let observer = Arc::clone(&account);
    let observe = Arc::new(move |_: &str, event: &_| observer.lock().unwrap().note(event));
    let started = Platform::start(world, config, Home::Memory(Some(observe)), Progress::default());
    let platform = Box::pin(started).await.unwrap();
    platform.ready().await;
    Box::pin(play::play(&platform.regions()[0])).await;
    platform.regions().iter().for_each(Region::kill);
    std::mem::take(&mut *account.lock().unwrap())
}

/// Fails with the stories only one side has.
fn assert_same(where_: &str, expected: &[String], found: &[String]) {
    let without = |all: &[String], others: &[String]| -> String {
        let mut others = others.to_vec();
        let mut left = Vec::new();
        for story in all {
            match others.iter().position(|other| other == story) {
                Some(index) => drop(others.swap_remove(index)),
                None => left.push(story.as_str()),
            }
        }
        left.join("\n")
    };
    let (missing, added) = (without(expected, found), without(found, expected));
    assert!(
        missing.is_empty() && added.is_empty(),
        "{where_} it is otherwise; in the drill:\n{missing}\n{where_}:\n{added}"
    );
}
