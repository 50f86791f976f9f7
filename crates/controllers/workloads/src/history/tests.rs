//! Revisions among each other.

use serde_json::json;

use super::*;

fn of(name: &str, number: i64, image: &str, created: &str) -> Arc<ControllerRevision> {
    let value = json!({
        "metadata": {"name": name, "creationTimestamp": created}, "data": {"image": image}, "revision": number,
    });
    Arc::new(serde_json::from_value(value).unwrap())
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-01T00:00:01Z";

#[test]
fn they_are_sorted_by_number_then_age_then_name() {
    let names = |mut revisions: Vec<Arc<ControllerRevision>>| {
        sort(&mut revisions);
        revisions.iter().map(|revision| name(revision).to_owned()).collect::<Vec<_>>()
    };
    let (first, second, third) = (of("c", 1, "x", LATE), of("b", 2, "x", LATE), of("d", 3, "x", EARLY));
    let (later, twin) = (of("f", 3, "x", LATE), of("e", 3, "x", LATE));
    assert_eq!(names(vec![second.clone(), first.clone(), third.clone()]), ["c", "b", "d"]);
    assert_eq!(names(vec![first.clone(), second.clone(), third.clone()]), ["c", "b", "d"]);
    assert_eq!(names(vec![third.clone(), second.clone(), first.clone()]), ["c", "b", "d"]);
    assert_eq!(names(vec![later, twin, third, second, first]), ["c", "b", "d", "e", "f"]);
    assert!(names(Vec::new()).is_empty());
}

#[test]
fn the_current_template_is_the_latest_an_earlier_or_a_new_one() {
    let all =
        [of("a", 1, "x", EARLY), of("b", 2, "y", EARLY), of("c", 3, "x", EARLY), of("d", 4, "z", EARLY)];
    assert_eq!(record(&all, &json!({"image": "z"})), Record::Same(all[3].clone()));
    assert_eq!(record(&all, &json!({"image": "x"})), Record::Again(all[2].clone(), 5));
    assert_eq!(record(&all, &json!({"image": "y"})), Record::Again(all[1].clone(), 5));
    assert_eq!(record(&all, &json!({"image": "new"})), Record::New(5));
    assert_eq!(record(&[], &json!({"image": "x"})), Record::New(1));
}

#[test]
fn the_oldest_that_nothing_is_of_go_first() {
    let all =
        [of("a", 1, "x", EARLY), of("b", 2, "y", EARLY), of("c", 3, "z", EARLY), of("d", 4, "w", EARLY)];
    let names = |live: &[&str], limit: i32| {
        let surplus = surplus(&all, &live.iter().copied().collect(), limit);
        surplus.iter().map(|revision| name(revision).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["d"], 3), Vec::<String>::new());
    assert_eq!(names(&["d"], 1), ["a", "b"]);
    assert_eq!(names(&["a", "d"], 1), ["b"]);
    assert_eq!(names(&[], 0), ["a", "b", "c", "d"]);
    assert_eq!(names(&[], -1), Vec::<String>::new());
}

#[test]
fn data_is_written_as_upstream_writes_it() {
    let template: PodTemplateSpec = serde_json::from_value(json!({
        "metadata": {"labels": {"b": "2", "a": "1"}},
        "spec": {"containers": [{"name": "c", "image": "x", "resources": {}}]},
    }))
    .unwrap();
    let expected = r#"{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"image":"x","name":"c","resources":{}}]}}}}"#;
    assert_eq!(data(&template).to_string(), expected);
}

#[test]
fn a_hash_depends_on_the_data_and_on_the_probe_and_names_stay_within_bounds() {
    let (one, other) = (json!({"a": 1}), json!({"a": 2}));
    assert_eq!(hash(&one, 0), hash(&one, 0));
    assert_ne!(hash(&one, 0), hash(&other, 0));
    assert_ne!(hash(&one, 0), hash(&one, 1));
    assert_eq!(revision_name("web", "abc"), "web-abc");
    assert_eq!(revision_name(&"w".repeat(300), "abc").len(), 223 + 4);
}
