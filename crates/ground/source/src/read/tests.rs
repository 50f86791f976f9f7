//! Reading into types: values, and everything that does not fit in one go.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::Source;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default)]
    desired_capacity: Option<u32>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    effect: Effect,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
enum Effect {
    #[default]
    NoSchedule,
    NoExecute,
    For(u32),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cluster {
    version: String,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    node_groups: Vec<Group>,
    #[serde(default)]
    ports: BTreeMap<u16, bool>,
}

fn read_text(text: &str) -> Read<Cluster> {
    let source = Source::from_text("a.yaml", text);
    assert_eq!(source.diagnostics, []);
    source.documents[0].read()
}

/// `code line:column message (help)`.
fn told(read: &Read<Cluster>) -> Vec<String> {
    let line = |one: &mainstay_base::Diagnostic| {
        let at = one.at.as_ref().expect("a place");
        let help = one.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{} {}:{} {}{help}", one.code, at.line, at.column, one.message)
    };
    read.diagnostics.iter().map(line).collect()
}

#[test]
fn what_fits_is_read_and_numbers_are_text_where_text_is_wanted() {
    let read = read_text(
        "version: 1.30\nratio: 2\nports: {80: yes}\nnodeGroups:\n- name: on\n  desiredCapacity: 3\n  labels: {tier: 1}\n- name: b\n  effect: {For: 5}\n",
    );
    assert_eq!(told(&read), [""; 0]);
    let cluster = read.into_result().unwrap();
    assert_eq!((cluster.version.as_str(), cluster.ratio, cluster.ports[&80]), ("1.30", Some(2.0), true));
    assert_eq!(cluster.node_groups[0].name, "on");
    assert_eq!(cluster.node_groups[0].labels["tier"], "1");
    assert_eq!(cluster.node_groups[1].effect, Effect::For(5));
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let read = read_text(
        "version: 1\nnodeGroups:\n- name: a\n  desiredCapacty: 3\n  zebra: 1\n- name: b\n  desiredCapacity: three\n  effect: NoSchedul\n- name: [c]\n",
    );
    assert_eq!(
        told(&read),
        [
            "M0109 4:3 unknown field `desiredCapacty` (did you mean `desiredCapacity`?)",
            "M0109 5:3 unknown field `zebra` (there are: name, desiredCapacity, labels, effect)",
            "M0110 7:20 expected a whole number, found the text `three` (change the value shown)",
            "M0110 8:11 `NoSchedul` is not one of the values allowed here (did you mean `NoSchedule`?)",
            "M0110 9:9 expected text, found a sequence (change the value shown)",
        ]
    );
    let cluster = read.value.expect("what fits");
    assert_eq!(cluster.node_groups.len(), 2);
}

#[test]
fn a_field_that_must_be_there_is_missed_once() {
    for (text, expected) in [
        ("nodeGroups: []\n", &["M0110 1:1 the field `version` is missing (add it)"][..]),
        ("version: {a: 1}\n", &["M0110 1:10 expected text, found a mapping (change the value shown)"]),
        (
            "version: 1\nnodeGroups:\n- desiredCapacity: 1\n",
            &["M0110 3:3 the field `name` is missing (add it)"],
        ),
        ("[]\n", &["M0110 1:1 expected a mapping, found a sequence (change the value shown)"]),
        ("version:\n", &["M0110 1:8 expected text, found nothing (change the value shown)"]),
    ] {
        assert_eq!(told(&read_text(text)), expected, "{text}");
    }
}

#[test]
fn a_number_out_of_range_is_told_its_range() {
    let read = read_text("version: 1\nnodeGroups:\n- name: a\n  desiredCapacity: -1\n");
    let expected = "expected a whole number from 0 to 4294967295, found `-1`";
    assert_eq!(read.diagnostics[0].message, expected);
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
struct Step;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    apply: Option<String>,
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.apply.map(|_| Self).ok_or_else(|| "a step has an action".to_owned())
    }
}

#[test]
fn what_follows_from_a_part_left_out_is_not_told() {
    let source = Source::from_text("a.yaml", "- aply: x\n- {}\n- apply: y\n");
    let read: Read<Vec<Step>> = source.documents[0].read();
    let told: Vec<&str> = read.diagnostics.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(told, ["unknown field `aply`", "a step has an action"]);
    assert_eq!(read.diagnostics[1].at.as_ref().map(|at| at.line), Some(2));
    assert_eq!(read.value.map(|steps| steps.len()), Some(1));
}

#[test]
fn suggestions_are_near_or_none() {
    assert_eq!(suggest("replica", &["replicas", "name"]).as_deref(), Some("did you mean `replicas`?"));
    assert_eq!(suggest("Replicas", &["replicas"]).as_deref(), Some("did you mean `replicas`?"));
    assert_eq!(suggest("colour", &["name", "size"]).as_deref(), Some("there are: name, size"));
    assert_eq!(suggest("x", &[]), None);
}
