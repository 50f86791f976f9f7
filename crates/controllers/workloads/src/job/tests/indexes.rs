//! Upstream's tables of completion indexes.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::super::indexes::Indexes;
use super::super::view::{View, failures};
use super::super::{pod as made, removal};
use super::{job, now, plan, pod};

/// Pods as `1S 2F`: an index, or what is none, and a phase.
fn pods(texts: &str) -> Vec<Arc<Pod>> {
    let words = texts.split(' ').filter(|word| !word.is_empty()).enumerate();
    words
        .map(|(place, word)| {
            let (index, phase) = word.split_at(word.len() - 1);
            let phase =
                ["Succeeded", "Failed", "Running", "Pending"].into_iter().find(|own| own.starts_with(phase));
            pod(
                &format!("{place}-{word}"),
                phase.unwrap(),
                Some(index).filter(|index| *index != "x"),
                json!({}),
                json!({}),
            )
        })
        .collect()
}

fn indexed(completions: i32) -> Value {
    json!({"completionMode": "Indexed", "completions": completions, "parallelism": completions})
}

/// Upstream's `TestCalculateSucceededIndexes`.
#[test]
fn indexes_succeed_once_and_stay_so() {
    for (before, texts, completions, counted, expected) in [
        ("", "1S", 2, "", "1"),
        ("", "2F 5S 5S 10F 10S", 11, "", "5,10"),
        ("", "0R 1P 2S 3S 5S 6S 7S", 8, "", "2,3,5-7"),
        ("", "0S 1F 2S 3S 4S 5S xS -2S", 6, "", "0,2-5"),
        ("", "0S 1S 2S 3F 4S 5S xS -2S", 5, "", "0-2,4"),
        ("0-5,8-10", "", 8, "0-5", "0-5"),
        ("0-5,8-10", "", 10, "0-5,8,9", "0-5,8,9"),
        ("0,4,5,10-12", "2S 7S 8S", 13, "0,4,5,10-12", "0,2,4,5,7,8,10-12"),
        ("3,4,6", "2S 7S 8S", 9, "3,4,6", "2-4,6-8"),
        ("2,7,8", "3S 4S 6S", 9, "2,7,8", "2-4,6-8"),
        ("2-7", "0S 3S 5S 9S", 10, "2-7", "0,2-7,9"),
        ("0,1-foo,bar", "3S", 4, "0", "0,3"),
    ] {
        let job = job(indexed(completions), json!({"completedIndexes": before}), json!({}));
        let view = View::new(&job, job.spec.as_ref().unwrap(), pods(texts), now());
        let tally = view.tally();
        assert_eq!(tally.counted.to_string(), counted, "{before} {texts}");
        assert_eq!(tally.succeeded_indexes.to_string(), expected, "{before} {texts}");
    }
}

/// A failed pod of an index, with what its annotation counts.
fn failed(name: &str, index: &str, count: i32, metadata: Value) -> Arc<Pod> {
    let annotations = json!({
        "batch.kubernetes.io/job-completion-index": index,
        "batch.kubernetes.io/job-index-failure-count": count.to_string(),
    });
    let mut all = json!({ "annotations": annotations });
    for (key, value) in metadata.as_object().unwrap() {
        all[key] = value.clone();
    }
    pod(name, "Failed", None, all, json!({}))
}

fn per_index(completions: i32, limit: i32) -> Value {
    let mut spec = indexed(completions);
    spec["backoffLimitPerIndex"] = json!(limit);
    spec
}

/// Upstream's `TestCalculateFailedIndexes` and `TestIsIndexFailed`.
#[test]
fn an_index_fails_by_one_failure_too_many() {
    let released = json!({"finalizers": []});
    for (before, limit, pods, expected) in [
        (None, 1, vec![failed("a", "0", 0, json!({})), failed("b", "1", 1, json!({}))], "1"),
        (None, 0, vec![failed("a", "0", 0, released)], ""),
        (None, 0, vec![failed("a", "3", 0, json!({}))], ""),
        (Some("0"), 0, vec![failed("a", "1", 0, json!({}))], "0,1"),
        (Some(""), 0, vec![failed("a", "1", 0, json!({}))], "1"),
        (Some("9"), 0, vec![failed("a", "1", 0, json!({}))], "1"),
        (None, 0, vec![failed("a", "0", 0, json!({}))], "0"),
        (None, 1, vec![failed("a", "1", 1, json!({}))], "1"),
    ] {
        let job = job(per_index(2, limit), json!({"failedIndexes": before}), json!({}));
        let view = View::new(&job, job.spec.as_ref().unwrap(), pods.clone(), now());
        assert_eq!(view.tally().failed_indexes.unwrap().to_string(), expected, "{before:?} {pods:?}");
    }
    let mut spec = per_index(2, 1);
    let codes = json!({"operator": "In", "values": [3]});
    spec["podFailurePolicy"] = json!({"rules": [{"action": "FailIndex", "onExitCodes": codes}]});
    let job = job(spec, json!({}), json!({}));
    let ended = json!([{
        "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 3}},
    }]);
    let pod = pod("a", "Failed", Some("0"), json!({}), json!({"containerStatuses": ended}));
    let view = View::new(&job, job.spec.as_ref().unwrap(), vec![pod], now());
    assert_eq!(view.tally().failed_indexes.unwrap().to_string(), "0");
}

type Names = &'static [&'static str];
/// Completions, back-off limit, pods, those let go already, those to keep.
type Kept = (i32, i32, Vec<Arc<Pod>>, Names, Names);

/// Upstream's `TestGetPodsWithDelayedDeletionPerIndex`.
#[test]
fn the_last_failed_pod_of_an_index_stays_until_it_is_replaced() {
    let at = |seconds: i64| json!({"deletionTimestamp": now() - SignedDuration::from_secs(seconds)});
    let other = |name: &str, phase: &str| pod(name, phase, Some("0"), json!({}), json!({}));
    let (nothing, released) = (json!({}), json!({"finalizers": []}));
    let of = |name: &str, index: &str, count: i32| failed(name, index, count, nothing.clone());
    let going = |name: &str, seconds: i64| {
        let mut pod = failed(name, "0", 1, at(seconds)).as_ref().clone();
        pod.status.as_mut().unwrap().container_statuses = None;
        Arc::new(pod)
    };
    let table: [Kept; 8] = [
        (3, 1, vec![of("a", "0", 0), of("b", "1", 1), of("c", "2", 0)], &[], &["a", "c"]),
        (2, 0, vec![failed("a", "0", 0, released)], &[], &[]),
        (2, 0, vec![of("a", "0", 0)], &["a"], &[]),
        (2, 0, vec![of("a", "4", 0)], &[], &[]),
        (2, 1, vec![of("a1", "0", 0), other("a2", "Running")], &[], &[]),
        (2, 1, vec![of("a1", "0", 0), other("a2", "Succeeded")], &[], &[]),
        (2, 4, vec![of("a1", "0", 0), of("a3", "0", 2), of("a2", "0", 1)], &[], &["a3"]),
        (2, 4, vec![going("a1", 1), going("a3", 0), going("a2", 2)], &[], &["a3"]),
    ];
    for (completions, limit, pods, released, expected) in table {
        let job = job(per_index(completions, limit), json!({}), json!({}));
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods, now());
        view.released = released.iter().map(|uid| (*uid).to_owned()).collect();
        let kept: Vec<_> =
            view.tally().kept.into_values().filter_map(|pod| pod.metadata.uid.clone()).collect();
        assert_eq!(kept, expected);
    }
}

/// Upstream's `TestGetNewIndexFailureCountValue`.
#[test]
fn a_pod_that_replaces_another_counts_its_failure() {
    let plain = job(per_index(4, 9), json!({}), json!({}));
    let mut spec = per_index(4, 9);
    let disrupted = json!([{"type": "DisruptionTarget", "status": "True"}]);
    spec["podFailurePolicy"] = json!({"rules": [{"action": "Ignore", "onPodConditions": disrupted}]});
    let lenient = job(spec, json!({}), json!({}));
    let mut spared = failed("a", "3", 3, json!({})).as_ref().clone();
    spared.status.as_mut().unwrap().conditions = serde_json::from_value(disrupted).unwrap();
    for (job, replaced, counted, ignored) in [
        (&plain, None, "0", None),
        (&plain, Some(failed("a", "0", 0, json!({}))), "1", None),
        (&plain, Some(failed("a", "0", 3, json!({}))), "4", None),
        (&lenient, Some(Arc::new(spared)), "3", Some("1")),
    ] {
        let annotations = made::pod(job, Some(0), replaced.as_deref()).metadata.annotations.unwrap();
        assert_eq!(annotations[made::FAILURES], counted);
        assert_eq!(annotations.get(made::IGNORED_FAILURES).map(String::as_str), ignored);
    }
}

/// Upstream's `TestIntervalsHaveIndex`.
#[test]
fn intervals_have_what_lies_in_them() {
    for (intervals, index, expected) in [
        ("", 4, false),
        ("2-4,5-7", 1, false),
        ("2-4,6-8", 9, false),
        ("2-4,6-8", 5, false),
        ("2-4,6-8", 2, true),
        ("2-4,6-8", 8, true),
    ] {
        assert_eq!(Indexes::parse(intervals, 100).has(index), expected, "{intervals} {index}");
    }
}

/// Upstream's `TestFirstPendingIndexes`.
#[test]
fn the_first_free_indexes_get_pods() {
    for (count, completions, active, succeeded, failed, expected) in [
        (5, 3, "", "", None, vec![0, 1, 2]),
        (2, 5, "", "", None, vec![0, 1]),
        (3, 10, "0R 1P", "", None, vec![2, 3, 4]),
        (6, 6, "6P", "4,5", None, vec![0, 1, 2, 3]),
        (5, 20, "3P 5R 8P xR -3R", "2-4,9", None, vec![0, 1, 6, 7, 10]),
        (5, 20, "3P 9P", "1,5,9", Some("2,6,7"), vec![0, 4, 8, 10, 11]),
    ] {
        let mut spec = indexed(completions);
        spec["backoffLimitPerIndex"] = failed.map_or(json!(null), |_| json!(9));
        let job = job(spec, json!({"completedIndexes": succeeded, "failedIndexes": failed}), json!({}));
        let view = View::new(&job, job.spec.as_ref().unwrap(), pods(active), now());
        assert_eq!(plan::pending_indexes(&view, &view.tally(), count), expected, "{active} {succeeded}");
    }
}

/// Upstream's `TestAppendDuplicatedIndexPodsForRemoval`: what goes and what stays, in any order.
#[test]
fn pods_without_a_place_go() {
    for (all, go, stay) in [
        ("xP 2P 5R 6R", "xP 6R", "2P 5R"),
        ("5P 0R 3P 0R 3R 0P 6R 6P", "0P 0R 3P 6R 6P", "5P 0R 3R"),
        ("xP invalidR -2R 0P 1P 1P 1R", "xP invalidR -2R 1P 1P", "0P 1R"),
    ] {
        let job = job(indexed(6), json!({}), json!({}));
        let view = View::new(&job, job.spec.as_ref().unwrap(), pods(all), now());
        let (surplus, left) = removal::misplaced(&view);
        let words = |pods: &[Arc<Pod>]| {
            let mut words: Vec<_> = pods
                .iter()
                .map(|pod| pod.metadata.name.as_deref().unwrap().split_once('-').unwrap().1.to_owned())
                .collect();
            words.sort();
            words
        };
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!((words(&surplus), words(&left)), (sorted(go), sorted(stay)), "{all}");
    }
}

/// Upstream's `TestPodGenerateNameWithIndex`.
#[test]
fn a_long_name_gives_way_to_its_index() {
    let long = "hhhhhooooohhhhhooooohhhhhooooohhhhhooooohhhhhooooohhhhh";
    assert_eq!(made::prefix("indexed-job", 1), "indexed-job-1-");
    assert_eq!(made::prefix(&format!("{long}ooooohhhhhooooo"), 1), format!("{long}-1-"));
    assert_eq!(made::prefix(&format!("{long}oo"), 1), format!("{long}-1-"));
}

/// Upstream's `TestGetIndexFailureCount`.
#[test]
fn what_is_no_count_is_none() {
    for (text, expected) in [
        (None, 0),
        (Some("2"), 2),
        (Some("2147483647"), i32::MAX),
        (Some("2147483648"), 0),
        (Some("-1"), 0),
        (Some("xyz"), 0),
    ] {
        let annotations = text.map(|text| json!({made::FAILURES: text}));
        let pod = pod("p", "Failed", None, json!({ "annotations": annotations }), json!({}));
        assert_eq!(failures(&pod), expected, "{text:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(1000))]

    #[test]
    fn intervals_are_the_sets_they_stand_for(
        a in proptest::collection::btree_set(0_i32..40, 0..20),
        b in proptest::collection::btree_set(0_i32..40, 0..20),
        count in 0_usize..10,
    ) {
        let (ours, theirs) = (Indexes::default().with(&a), Indexes::default().with(&b));
        let union: BTreeSet<i32> = a.union(&b).copied().collect();
        let both = ours.merge(&theirs);
        proptest::prop_assert_eq!(&both, &Indexes::default().with(&union));
        proptest::prop_assert_eq!(&Indexes::parse(&both.to_string(), 100), &both);
        proptest::prop_assert_eq!(usize::try_from(ours.overlap(&theirs)).unwrap(), a.intersection(&b).count());
        proptest::prop_assert_eq!(usize::try_from(both.total()).unwrap(), union.len());
        proptest::prop_assert!((-1..41).all(|index| ours.has(index) == a.contains(&index)));
        let free: Vec<i32> = (0..30).filter(|index| !a.contains(index)).take(count).collect();
        proptest::prop_assert_eq!(ours.first_missing(count, 30), free);
    }

    #[test]
    fn any_text_is_a_set_of_indexes_below_their_number(text in "[0-9,-]{0,20}|.{0,20}", completions in 0_i32..1000) {
        let indexes = Indexes::parse(&text, completions);
        let _ = (indexes.total(), indexes.to_string(), indexes.has(completions));
    }
}
