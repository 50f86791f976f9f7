//! A cache brought through lists, changes and relists.

use super::*;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::Event;

fn pod(name: &str, version: &str, node: &str) -> Pod {
    let object = serde_json::json!({
        "metadata": {"namespace": "default", "name": name, "uid": name, "resourceVersion": version},
        "spec": {"nodeName": node, "containers": []},
    });
    serde_json::from_value(object).unwrap()
}

fn nodes(pod: &Pod) -> Vec<String> {
    pod.spec.iter().filter_map(|spec| spec.node_name.clone()).collect()
}

fn informer() -> Informer<Pod> {
    Informer::new([("node", nodes as Values<Pod>)])
}

fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
    pods.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect()
}

fn list(informer: &Informer<Pod>, pods: impl IntoIterator<Item = Pod>) {
    informer.accept(Event::Init);
    pods.into_iter().for_each(|pod| informer.accept(Event::InitApply(pod)));
    informer.accept(Event::InitDone);
}

/// A subscriber that writes down what it is told.
fn record(informer: &Informer<Pod>) -> (Arc<Mutex<Vec<String>>>, Subscription<Pod>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (log, reader) = (told.clone(), informer.clone());
    let subscription = informer.subscribe(move |change| {
        let latest = change.latest();
        let version = |pod: &Arc<Pod>| pod.metadata.resource_version.clone().unwrap_or_default();
        let shown = reader.get(&Key::of(latest.as_ref())).map(|pod| version(&pod));
        assert_eq!(shown, change.now().map(version), "the cache shows a change before it is told");
        let old = change.before().map(version).unwrap_or_default();
        log.lock().unwrap().push(format!(
            "{} {old}>{}",
            latest.metadata.name.as_deref().unwrap(),
            change.now().map(version).unwrap_or_default()
        ));
    });
    (told, subscription)
}

#[test]
fn a_list_after_a_broken_watch_shows_as_the_changes_it_amounts_to() {
    let informer = informer();
    let (told, _subscription) = record(&informer);
    list(&informer, [pod("a", "1", "x"), pod("b", "2", "x"), pod("c", "3", "x")]);
    informer.accept(Event::Apply(pod("b", "4", "y")));
    list(&informer, [pod("b", "4", "y"), pod("c", "5", "x"), pod("d", "6", "x")]);
    informer.accept(Event::Delete(pod("d", "7", "x")));
    let told = told.lock().unwrap().clone();
    assert_eq!(told, ["a >1", "b >2", "c >3", "b 2>4", "a 1>", "c 3>5", "d >6", "d 7>"]);
}

#[test]
fn an_index_follows_every_change() {
    let informer = informer();
    list(&informer, [pod("b", "1", "x"), pod("a", "2", "x"), pod("c", "3", "y")]);
    assert_eq!(names(&informer.by("node", "x")), ["a", "b"]);
    informer.accept(Event::Apply(pod("a", "4", "y")));
    assert_eq!(names(&informer.by("node", "x")), ["b"]);
    assert_eq!(names(&informer.by("node", "y")), ["a", "c"]);
    informer.accept(Event::Delete(pod("c", "5", "y")));
    assert_eq!(names(&informer.by("node", "y")), ["a"]);
    assert_eq!(names(&informer.within("default")), ["a", "b"]);
    assert!(informer.within("other").is_empty());
}

#[test]
fn a_late_subscriber_is_told_of_what_is_there_and_a_dropped_one_of_nothing() {
    let informer = informer();
    list(&informer, [pod("a", "1", "x")]);
    let (told, subscription) = record(&informer);
    assert_eq!(*told.lock().unwrap(), ["a >1"]);
    drop(subscription);
    informer.accept(Event::Apply(pod("a", "2", "x")));
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_synced_once_the_first_list_is_complete() {
    let informer = informer();
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(1), informer.synced());
    assert!(waiting.await.is_err());
    list(&informer, []);
    informer.synced().await;
}

#[test]
fn objects_are_held_without_managed_fields() {
    let informer = informer();
    let mut object = pod("a", "1", "x");
    object.metadata.managed_fields = Some(vec![]);
    informer.accept(Event::Apply(object));
    assert_eq!(informer.all()[0].metadata.managed_fields, None);
}

/// Run with `--ignored --nocapture`: what finding the pods of one owner among 5,000 costs here and
/// in kube's reflector store, which has no indices.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures real time and prints it")]
fn finding_the_pods_of_one_owner() {
    let owned = |index: usize| pod(&format!("pod-{index}"), "1", &format!("node-{}", index % 500));
    let informer = informer();
    list(&informer, (0..5000).map(owned));
    let (store, mut writer) = kube::runtime::reflector::store::<Pod>();
    (0..5000).for_each(|index| writer.apply_watcher_event(&Event::Apply(owned(index))));
    let micros = |find: &dyn Fn(&str) -> usize| {
        let started = std::time::Instant::now();
        (0..500).for_each(|node| assert_eq!(find(&format!("node-{node}")), 10));
        started.elapsed().as_secs_f64() * 1e6 / 500.0
    };
    let here = micros(&|node| informer.by("node", node).len());
    let there = micros(&|node| {
        let mut found = store.state_filter(|pod| nodes(pod) == [node]);
        found.sort_by_key(|pod| Key::of(pod.as_ref()));
        found.len()
    });
    println!("{here:.1} us here, {there:.1} us in the reflector's store");
}
