//! Whole Sources: what is found in texts, where, and what is said of broken ones.

use std::fmt::Write as _;
use std::path::PathBuf;

use mainstay_base::diagnostic::Location;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Shape;

fn yaml(text: &str) -> Source {
    Source::from_text("a.yaml", text)
}

/// The text that a location covers.
fn covered(source: &Source, at: &Location) -> String {
    let file = source.files.iter().find(|file| *file.name() == at.file).expect("a file of the source");
    let line: Vec<char> = file.line(at.line).chars().collect();
    line.iter().skip(at.column as usize - 1).take(at.length as usize).collect()
}

/// `code line:column` of every diagnostic.
fn told(source: &Source) -> Vec<String> {
    let place = |at: &Option<Location>| {
        at.as_ref().map(|at| format!(" {}:{}", at.line, at.column)).unwrap_or_default()
    };
    source.diagnostics.iter().map(|one| format!("{}{}", one.code, place(&one.at))).collect()
}

#[test]
fn documents_are_told_apart_by_what_they_hold() {
    for (name, text, shape) in [
        ("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", "Namespace shop"),
        (
            "a.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n",
            "Deployment shop/web",
        ),
        ("a.yaml", "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n", "ClusterConfig"),
        ("a.yaml", "apiVersion: mainstay.dev/v1alpha1\nkind: Drill\n", "Drill"),
        ("a.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "kustomization"),
        ("x/kustomization.yaml", "resources: [a.yaml]\n", "kustomization"),
        (".github/workflows/ci.yml", "on: push\njobs: {build: {}}\n", "GitHub workflow"),
        ("a.yaml", "scrape_configs: []\n", "Prometheus configuration"),
        ("a.yaml", "groups:\n- name: a\n  rules: []\n", "Prometheus rule file"),
        ("a.yaml", "route: {receiver: a}\nreceivers: []\n", "Alertmanager configuration"),
        ("a.yaml", "receivers: {}\nexporters: {}\n", "OpenTelemetry collector configuration"),
        ("a.yaml", "service: {pipelines: {}}\n", "OpenTelemetry collector configuration"),
        ("a.json", "{\"title\": \"x\", \"panels\": []}\n", "Grafana dashboard"),
        ("a.yaml", "disaster_recovery_runbook: {}\n", "recovery runbook"),
        ("web/Chart.yaml", "apiVersion: v2\nname: web\n", "Helm chart"),
        ("web/values.yaml", "replicas: 3\n", "Helm values"),
        ("a.yaml", "just: this\n", "unknown document"),
        ("a.yaml", "- one\n", "unknown document"),
    ] {
        let source = Source::from_text(name, text);
        assert_eq!(told(&source), [""; 0], "{text}");
        let shapes: Vec<String> = source.documents.iter().map(|one| one.shape.to_string()).collect();
        assert_eq!(shapes, [shape], "{text}");
    }
}

#[test]
fn empty_documents_are_left_out_and_lists_stand_for_their_items() {
    let source = yaml(
        "---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n---\n...\n",
    );
    let shapes: Vec<String> = source.documents.iter().map(|one| one.shape.to_string()).collect();
    assert_eq!(shapes, ["Pod a", "Pod b"]);
    assert_eq!(source.documents[1].start().line, 8);
    let kinds = yaml(
        "apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\napiVersion: v1\nkind: PodList\nitems:\n- {metadata: {name: b}}\n",
    );
    let shapes: Vec<String> = kinds.documents.iter().map(|one| one.shape.to_string()).collect();
    assert_eq!(shapes, ["Pod a", "PodList "]);
}

#[test]
fn values_are_what_kubernetes_reads() {
    let text = "apiVersion: v1\nkind: ConfigMap\ndata:\n  on: yes\n  0777: 0x10\n  float: 1.0\n  quoted: 'yes'\n  block: |\n    a\n    b\n  folded: >-\n    a\n    b\n  nothing:\n  tagged: !!str 5\n  number: !!int \"7\"\n  list: [1, null, a]\n";
    let value = yaml(text).documents[0].value();
    assert_eq!(
        value["data"],
        json!({
            "true": true, "511": 16, "float": 1, "quoted": "yes", "block": "a\nb\n", "folded": "a b", "nothing": null,
            "tagged": "5", "number": 7, "list": [1, null, "a"],
        })
    );
    let workflow = yaml("on: push\njobs: {}\n");
    assert_eq!(workflow.documents[0].value(), json!({"on": "push", "jobs": {}}));
}

#[test]
fn aliases_and_merges_are_written_out() {
    let text = "base: &base {cpu: 1, memory: 2}\nmore: &more {disk: 3, cpu: 9}\none:\n  <<: *base\n  memory: 5\ntwo:\n  <<: [*base, *more]\nsame: *base\n'<<': plain\n";
    let source = yaml(text);
    assert_eq!(told(&source), [""; 0]);
    let document = &source.documents[0];
    let value = document.value();
    assert_eq!(value["one"], json!({"cpu": 1, "memory": 5}));
    assert_eq!(value["two"], json!({"cpu": 1, "memory": 2, "disk": 3}));
    assert_eq!(value["same"], value["base"]);
    assert_eq!(value["<<"], "plain");
    assert_eq!(covered(&source, &document.location("/one/cpu")), "1");
    assert_eq!(covered(&source, &document.node("/same").unwrap().location()), "*base");
}

#[test]
fn locations_point_at_keys_and_values() {
    let text = "# größe\nspec:\n  replicas: 3\n  größe: \"ä ö\"\n  list:\n    - a\n    - name: b\n  block: |\n    x\n    y\n  empty:\n";
    let source = yaml(text);
    let document = &source.documents[0];
    for (path, value, key) in [
        ("/spec/replicas", "3", "replicas"),
        ("/spec/größe", "\"ä ö\"", "größe"),
        ("/spec/list/0", "a", "a"),
        ("/spec/list/1/name", "b", "name"),
        ("/spec/empty", "empty", "empty"),
        ("/spec/none/deeper", "spec", "spec"),
    ] {
        assert_eq!(covered(&source, &document.location(path)), value, "{path}");
        assert_eq!(covered(&source, &document.key_location(path)), key, "{path}");
    }
    assert_eq!(covered(&source, &document.location("/spec")), "spec");
    assert_eq!(document.location("/spec/replicas").line, 3);
    let shown = document.error("M0110", "too many", "/spec/replicas");
    assert_eq!(shown.source_line.as_deref(), Some("  replicas: 3"));
}

#[test]
fn broken_sources_are_told_with_their_places_and_the_rest_is_read() {
    for (text, expected, documents) in [
        ("a: 1\n---\nb: [1\n---\nc: 3\n", &["M0105 4:1"][..], 2),
        ("a: 1\n---\nb: c: d\n", &["M0105 3:5"], 1),
        ("a:\n\t- b\n", &["M0105 2:2"], 0),
        ("a: 1\nb: 2\na: 3\n", &["M0106 3:1"], 1),
        ("a: {b: 1, b: 2}\n", &["M0106 1:11"], 1),
        ("? [a]\n: 1\n? {b: 1}\n: 2\nc: 3\n", &["M0107 1:3", "M0107 3:3"], 1),
        ("~: 1\nb: 2\n", &["M0107 1:1"], 1),
        ("a: &a [1, *a]\n", &["M0108 1:11"], 1),
        ("a: &a 1\n---\nb: *a\n", &["M0108 3:4"], 2),
        ("a: *none\n", &["M0105 1:4"], 0),
        ("a: {<<: 1}\n", &["M0108 1:9"], 1),
        ("a: 'open\n", &["M0105 1:4"], 0),
        ("a: {{ .Values.a }}\nb: 1\n", &["M0107 1:5"], 1),
    ] {
        let source = yaml(text);
        assert_eq!(told(&source), expected, "{text}: {:?}", source.diagnostics);
        assert_eq!(source.documents.len(), documents, "{text}");
        assert!(!source.is_sound());
    }
}

#[test]
fn quoted_text_may_go_on_at_any_indentation() {
    for (text, value) in [
        ("a:\n  b: 'x\n  y\n\n z\n  '\n  c: 1\n", json!({"a": {"b": "x y\nz ", "c": 1}})),
        ("a:\n  b: 'it''s\nz'\n  c: 1\n", json!({"a": {"b": "it's z", "c": 1}})),
        ("a:\n  b: \"x\\\"\\\ny\"\n  c: 1\n", json!({"a": {"b": "x\"y", "c": 1}})),
        ("a:\n  b: ['x\ny', 1, \"p\nq\"]\n  c: 1\n", json!({"a": {"b": ["x y", 1, "p q"], "c": 1}})),
        ("a:\n  - b: 'x\n y'\n    d: 'x\n y'\n", json!({"a": [{"b": "x y", "d": "x y"}]})),
    ] {
        let source = yaml(text);
        assert_eq!(told(&source), [""; 0], "{text}: {:?}", source.diagnostics);
        assert_eq!(source.documents[0].value(), value, "{text}");
        assert_eq!(source.documents.len(), 1, "{text}");
    }
    let source =
        yaml("q: 1\nq: 1\n---\nr: 2\nr: 2\na:\n  b: ['x\ny', one]\n  c: two\n---\nd: 'x\ny'\ne: three\n");
    assert_eq!(told(&source), ["M0106 2:1", "M0106 5:1"]);
    for (document, path, line, value) in
        [(1, "/a/b/1", 8, "one"), (1, "/a/c", 9, "two"), (2, "/e", 13, "three")]
    {
        let at = source.documents[document].location(path);
        assert_eq!((at.line, covered(&source, &at)), (line, value.to_owned()));
    }
}

#[test]
fn quoted_text_that_does_not_end_is_told_where_it_starts() {
    for (text, expected, documents) in [
        ("a:\n  b: 'x\nc: 1\n", "M0105 2:6", 0),
        ("a:\n  b: 'x\nc: 'y'\n", "M0105 2:6", 0),
        ("a:\n  b: 'x\n---\nc: 'y\n", "M0105 2:6", 0),
        ("a:\n  b: 'x\n y'\n  c: [\n---\nd: 1\n", "M0105 5:1", 1),
    ] {
        let source = yaml(text);
        assert_eq!(told(&source)[0], expected, "{text}: {:?}", source.diagnostics);
        assert_eq!(source.documents.len(), documents, "{text}");
    }
    let many = format!("a:\n{}", "  - 'x\n y'\n".repeat(300));
    assert_eq!(yaml(&many).documents[0].value()["a"].as_array().map(Vec::len), Some(300));
}

#[test]
fn markdown_among_data_is_no_part_of_the_source() {
    let page = "# How to\n\n```yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n```\n\n```yaml\nbroken: [\n```\n";
    let source = Source::from_texts([("README.md", page), ("a.yaml", "a: 1\n")]);
    assert!(source.is_sound(), "{:?}", source.diagnostics);
    assert_eq!(source.diagnostics.len(), 1);
    assert_eq!(source.documents.len(), 1);
    let snippets: Vec<_> = source.aside.iter().map(|one| (one.at.line, one.shape.to_string())).collect();
    assert_eq!(snippets, [(4, "Pod a".to_owned())]);
    let alone = Source::from_text("README.md", page);
    assert_eq!((alone.documents.len(), alone.aside.len(), alone.is_sound()), (1, 0, false));
}

#[test]
fn a_duplicate_key_points_to_the_first_and_the_last_counts() {
    let source = yaml("a: 1\nb: 2\na: 3\n");
    assert_eq!(source.diagnostics[0].related[0].0.line, 1);
    assert_eq!(source.documents[0].value(), json!({"a": 3, "b": 2}));
    assert_eq!(covered(&source, &source.documents[0].location("/a")), "3");
}

#[test]
fn bombs_are_refused_and_do_no_harm() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let inner = format!("*a{}", level - 1);
        writeln!(laughs, "a{level}: &a{level} [{}]", [inner.as_str(); 9].join(", ")).unwrap();
    }
    let mut merges = String::from("m0: &m0 {a0: 1, b0: 2}\n");
    for level in 1..400 {
        writeln!(merges, "m{level}: &m{level} {{<<: *m{}, a{level}: 1, b{level}: 2}}", level - 1).unwrap();
    }
    let deep = "[".repeat(5000);
    let nested = "a:\n".to_owned() + &(1..300).map(|level| " ".repeat(level) + "a:\n").collect::<String>();
    assert_eq!(told(&yaml(&laughs)), ["M0108 1:1"]);
    assert_eq!(told(&yaml(&merges)), [""; 0]);
    assert_eq!(yaml(&deep).documents.len(), 0);
    assert_eq!(told(&yaml(&nested))[0].split(' ').next(), Some("M0105"));
    let repeated = "a: 1\n".repeat(10_000);
    assert_eq!(yaml(&repeated).diagnostics.len(), mainstay_base::limits::SOURCE_PROBLEMS);
}

#[test]
fn markdown_blocks_are_documents_at_the_lines_of_the_file() {
    let text = "# Platform\n\n```yaml\nkind: Pod\napiVersion: v1\n---\na: 1\n```\n\n```mermaid\ngraph LR\n```\n\n- item\n\n  ```yml\n  b:\n    größe: 2\n  ```\n\n```sh\nls\n```\n\n```yaml\nbroken: [\n```\n";
    let source = Source::from_text("plan.md", text);
    assert_eq!((source.documents.len(), source.diagrams.len(), source.other_blocks), (3, 1, 1));
    assert_eq!(covered(&source, &source.documents[0].location("/kind")), "Pod");
    assert_eq!(source.documents[1].location("/a").line, 7);
    let inner = source.documents[2].location("/b/größe");
    assert_eq!((inner.line, inner.column, covered(&source, &inner)), (18, 12, "2".to_owned()));
    assert_eq!(source.documents[2].key_location("/b/größe").column, 5);
    assert_eq!(told(&source).len(), 1);
    assert!(source.diagnostics[0].at.as_ref().unwrap().line >= 26, "{:?}", source.diagnostics);
}

#[test]
fn the_seed_document_loads_whole() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/seed/infrastructure-architecture.md");
    if !path.exists() {
        let _ =
            std::io::Write::write_all(&mut std::io::stderr(), b"skipped: the seed document is not here\n");
        return;
    }
    let source = Source::load(&path);
    assert_eq!(told(&source), [""; 0]);
    let count = |noun: &str| source.documents.iter().filter(|one| one.shape.noun() == noun).count();
    assert_eq!(source.documents.len(), 33);
    assert_eq!((source.diagrams.len(), source.other_blocks), (4, 0));
    assert_eq!(
        (count("ClusterConfig"), count("GitHub workflow"), count("Prometheus configuration")),
        (1, 1, 1)
    );
    assert_eq!(
        (count("recovery runbook"), count("Kubernetes object"), count("unknown document")),
        (1, 29, 0)
    );
    let objects: Vec<_> = source.documents.iter().filter_map(|one| one.shape.object()).collect();
    let of = |kind: &str| objects.iter().filter(|object| object.kind.kind == kind).count();
    assert_eq!((of("Namespace"), of("NetworkPolicy"), of("ConfigMap"), of("CronJob")), (6, 4, 3, 1));
    let cluster = source.documents.iter().find(|one| one.shape == Shape::ClusterConfig).unwrap();
    assert_eq!(cluster.location("/nodeGroups/1/desiredCapacity").line, 114);
    assert_eq!(cluster.value()["metadata"]["version"], "1.28");
}

#[test]
fn the_examples_load_whole() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../examples");
    let source = Source::load(&examples.join("enterprise"));
    assert_eq!(told(&source), [""; 0]);
    let count = |kind: &str| {
        let objects = source.documents.iter().filter_map(|one| one.shape.object());
        objects.filter(|object| object.kind.kind == kind).count()
    };
    assert_eq!((count("Namespace"), count("Deployment"), count("Service")), (11, 4, 6));
    let drills = source.documents.iter().filter(|one| one.shape == Shape::Drill).count();
    assert_eq!((drills, source.documents.len() - drills), (4, 105));
    let drill = Source::load(&examples.join("drills/first-day.yaml"));
    assert_eq!(told(&drill), [""; 0]);
    assert_eq!(drill.documents[0].shape, Shape::Drill);
}

/// Scalars that read back as they are written.
fn word() -> impl Strategy<Value = String> {
    "[a-z][a-zäß0-9_.-]{0,8}[a-z0-9]".prop_filter("no reserved word", |word| {
        crate::Scalar::resolve(word, crate::scalar::Form::Plain) == crate::Scalar::Text(word)
    })
}

/// Nested YAML in block style, with its lines.
fn block() -> impl Strategy<Value = Vec<String>> {
    let leaf = prop_oneof![
        word().prop_map(|text| vec![text]),
        word().prop_map(|text| vec![format!("'{text} {text}'")])
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        proptest::collection::btree_map(word(), inner, 1..4).prop_map(|entries| {
            let mut lines = Vec::new();
            for (key, value) in entries {
                match value.as_slice() {
                    [only] if !only.contains(": ") && !only.ends_with(':') => {
                        lines.push(format!("{key}: {only}"));
                    }
                    inner => {
                        lines.push(format!("{key}:"));
                        lines.extend(inner.iter().map(|line| format!("  {line}")));
                    }
                }
            }
            lines
        })
    })
}

fn check_places(source: &Source, node: crate::Node<'_>) -> Result<(), TestCaseError> {
    if let Some(text) = node.text() {
        let shown = covered(source, &node.location());
        prop_assert_eq!(shown.trim_matches('\''), text);
    }
    for (key, value) in node.entries() {
        check_places(source, key)?;
        check_places(source, value)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_loads_without_panic(text in any::<String>()) {
        let _ = Source::from_text("a.yaml", text.as_str());
        let _ = Source::from_text("a.md", text.as_str());
    }

    #[test]
    fn text_of_yamls_signs_loads_without_panic(text in "[-:?#&*!|>'\"%@`,\\[\\]{} \n\ta1ä~<.=\r\\\\]{0,60}") {
        let source = yaml(&text);
        for document in &source.documents {
            let _ = document.value();
            let _ = document.read::<std::collections::BTreeMap<String, u8>>();
        }
        let _ = Source::from_text("a.md", format!("- x\n  ```yaml\n  {text}\n```\n> ```yaml\n> {text}"));
    }

    #[test]
    fn every_key_and_value_points_at_its_text(lines in block(), indent in 0_usize..4) {
        let source = yaml(&lines.join("\n"));
        prop_assert_eq!(told(&source), [""; 0]);
        check_places(&source, source.documents[0].root())?;
        let pad = " ".repeat(indent);
        let inner: String = lines.iter().fold(String::new(), |all, line| all + &pad + line + "\n");
        let markdown = Source::from_text("a.md", format!("text ä\n\n{pad}```yaml\n{inner}{pad}```\n"));
        prop_assert_eq!(markdown.documents.len(), 1);
        check_places(&markdown, markdown.documents[0].root())?;
        prop_assert_eq!(markdown.documents[0].value(), source.documents[0].value());
    }

    #[test]
    fn json_reads_as_json(number in any::<i64>(), text in "[ -~äö\n\"\\\\]{0,12}", flag in any::<bool>()) {
        let value = json!({"a": [number, text, flag, null], text.clone() + "k": {"b": text}});
        let source = Source::from_text("a.json", serde_json::to_string_pretty(&value).unwrap());
        prop_assert_eq!(source.documents[0].value(), value);
    }
}
