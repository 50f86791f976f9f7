//! Selectors against upstream's grammar, meaning and messages.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn label(query: &str) -> LabelSelector {
    LabelSelector::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn queries_read_and_print_as_upstream() {
    for (query, printed) in [
        ("", ""),
        ("  ", ""),
        ("x", "x"),
        ("!x", "!x"),
        ("! x", "!x"),
        ("x=a", "x=a"),
        ("x==a", "x==a"),
        ("x != a", "x!=a"),
        ("x=", "x="),
        ("x=,y", "x=,y"),
        ("y=b,x=a", "x=a,y=b"),
        ("x in (c, a,b)", "x in (a,b,c)"),
        ("x in ()", "x in ()"),
        ("x in (,)", "x in ()"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("x in (a,)", "x in (,a)"),
        ("x notin (a),!y", "x notin (a),!y"),
        ("x>1,y<7", "x>1,y<7"),
        ("in in (in,notin)", "in in (in,notin)"),
        ("notin=in", "notin=in"),
        ("example.com/role = web", "example.com/role=web"),
        ("x\t=\na", "x=a"),
    ] {
        assert_eq!(label(query).to_string(), printed, "{query:?}");
    }
}

#[test]
fn broken_queries_are_refused_with_upstreams_messages() {
    for (query, message) in [
        (
            "x=a||y=b",
            "unable to parse requirement: values[0][x]: Invalid value: \"a||y\": a valid label must be",
        ),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        (
            "x<a",
            "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("x in a", "unable to parse requirement: found 'a' expected: '('"),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("x in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("x,", "found '', expected: identifier after ','"),
        (",x", "found ',', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("-x", "unable to parse requirement: <nil>: Invalid value: \"-x\": name part must consist of"),
        ("x=a b", "found 'b', expected: ',' or 'end of string'"),
        ("x>", "unable to parse requirement: values[0]: Invalid value: \"\": for 'Gt'"),
    ] {
        let error = LabelSelector::parse(query).expect_err(query).to_string();
        assert!(error.starts_with(message), "{query}: {error}");
    }
}

#[test]
fn absence_meets_only_what_asks_for_it() {
    let web = labels(&[("app", "web"), ("tier", "3"), ("empty", "")]);
    for (query, expected) in [
        ("", true),
        ("app", true),
        ("none", false),
        ("!none", true),
        ("!app", false),
        ("app=web", true),
        ("app=db", false),
        ("app!=db", true),
        ("none!=db", true),
        ("none=", false),
        ("empty=", true),
        ("app in (web,db)", true),
        ("app notin (web,db)", false),
        ("none notin (web)", true),
        ("tier>2", true),
        ("tier>3", false),
        ("tier<4", true),
        ("none<4", false),
        ("app<4", false),
        ("app=web,tier=4", false),
    ] {
        assert_eq!(label(query).matches_map(&web), expected, "{query}");
    }
}

#[test]
fn an_absent_object_meets_nothing_and_an_empty_one_everything() {
    let object = json!({"metadata": {"labels": {"app": "web"}}});
    let read = |selector| LabelSelector::from_object(&selector).unwrap();
    assert!(!read(json!(null)).matches_object(&object));
    assert!(read(json!(null)).is_nothing());
    assert!(read(json!({})).matches_object(&object));
    assert!(read(json!({})).is_everything());
    assert!(read(json!({"matchLabels": {"app": "web"}})).matches_object(&object));
    let both = read(json!({
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}, {"key": "app", "operator": "In", "values": ["web", "db"]}],
    }));
    assert!(both.matches_object(&object));
    assert_eq!(both.to_string(), "app=web,app in (db,web),!tier");
    assert_eq!(both.exact("app"), Some("web"));
    assert_eq!(LabelSelector::from_pairs([("a", "b")]).exact("a"), Some("b"));
}

#[test]
fn a_broken_object_is_refused() {
    for (selector, message) in [
        (
            json!({"matchExpressions": [{"key": "a", "operator": "Foo"}]}),
            "\"Foo\" is not a valid label selector operator",
        ),
        (
            json!({"matchExpressions": [{"key": "a", "operator": "In"}]}),
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            json!({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
            "values: Invalid value: [\"b\"]: values set must be empty for exists and does not exist",
        ),
        (json!({"matchLabels": {"a b": "c"}}), "key: Invalid value: \"a b\": name part must consist of"),
    ] {
        let error = LabelSelector::from_object(&selector).expect_err("refused").to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn field_queries_read_match_and_print() {
    let pod = |field: &str| match field {
        "metadata.name" => Some("web-1"),
        "status.phase" => Some("a,b=c\\"),
        _ => None,
    };
    for (query, matches, printed) in [
        ("", true, ""),
        ("metadata.name=web-1", true, "metadata.name=web-1"),
        ("metadata.name==web-1", true, "metadata.name=web-1"),
        ("metadata.name!=web-1", false, "metadata.name!=web-1"),
        ("spec.nodeName=", true, "spec.nodeName="),
        ("spec.nodeName!=", false, "spec.nodeName!="),
        ("status.phase=a\\,b\\=c\\\\", true, "status.phase=a\\,b\\=c\\\\"),
        ("z=1,metadata.name=web-1,", false, "metadata.name=web-1,z=1"),
        ("=x", false, "=x"),
    ] {
        let selector = FieldSelector::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(selector.matches(&pod), matches, "{query}");
        assert_eq!(selector.to_string(), printed, "{query}");
    }
    assert_eq!(FieldSelector::equal("metadata.name", "x").exact("metadata.name"), Some("x"));
    assert_eq!(FieldSelector::parse("metadata.name!=x").unwrap().exact("metadata.name"), None);
}

#[test]
fn broken_field_queries_are_refused_with_upstreams_messages() {
    for (query, message) in [
        ("name", "invalid selector: 'name'; can't understand 'name'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ] {
        assert_eq!(FieldSelector::parse(query).expect_err(query).to_string(), message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_is_a_selector_or_refused(text in any::<String>()) {
        let _ = LabelSelector::parse(&text);
        let _ = FieldSelector::parse(&text);
    }

    #[test]
    fn text_of_a_querys_words_is_a_selector_or_refused(text in "[ab/.,=!<>() \u{0}inot0-9ä\\\\]{0,24}") {
        if let Ok(selector) = LabelSelector::parse(&text) {
            let printed = selector.to_string();
            prop_assert_eq!(LabelSelector::parse(&printed).map(|again| again.to_string()), Ok(printed));
        }
        if let Ok(selector) = FieldSelector::parse(&text) {
            let printed = selector.to_string();
            // Terms are sorted as they were written, which escapes and `==` can change.
            let sorted = |selector: &FieldSelector| {
                let mut requirements = selector.requirements().to_vec();
                requirements.sort();
                requirements
            };
            prop_assert_eq!(FieldSelector::parse(&printed).map(|again| sorted(&again)), Ok(sorted(&selector)));
        }
    }
}
