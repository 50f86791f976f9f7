//! The reference document, verbatim: what became of each of its documents and diagrams, by line.
//!
//! `reference.txt` is the table, checked by hand; `UPDATE=1` writes it anew.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Home, Kubectl, Said, seed_document, skip};

/// Ends the platform that runs in a home.
struct Down<'a>(&'a Home);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.run(&["down"]);
    }
}

fn table(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |row: &Value| {
        let fate = text(&row["fate"]);
        let code = row["code"].as_str().unwrap_or("-");
        let reason = text(&row["reason"]);
        let line = format!("{:>4}  {fate:<11}  {code:<5}  {}  {reason}", row["line"], text(&row["what"]));
        line.trim_end().to_owned()
    };
    let rows = status["documents"].as_array().unwrap();
    rows.iter().map(|row| line(row) + "\n").collect()
}

#[test]
fn each_document_and_diagram_of_the_reference_document_ends_as_in_the_table() {
    let Some(document) = seed_document() else { return };
    let home = Home::new();
    let said = home.run(&["up", document.to_str().unwrap(), "--detach", "--wait", "60s", "--api-port", "0"]);
    let _down = Down(&home);
    // Five of its objects are in namespaces that it does not make.
    assert_eq!(said.code, 1, "{}", said.err);
    let status = home.status();
    assert_eq!(status["documents"].as_array().unwrap().len(), 33 + 4);
    assert_eq!(status["regions"][0]["nodes"], 17);
    let found = table(&status);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/reference.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap());
    for code in ["M0306", "M0343", "M0344"] {
        home.run(&["explain", code]).ok();
    }
    again(&home, document.to_str().unwrap());
    in_force(&home);
}

/// A second `up` has nothing to change.
fn again(home: &Home, document: &str) {
    let Said { code, out, err } = home.run(&["up", document, "--detach"]);
    assert_eq!(code, 1, "{err}");
    let first = out.lines().next().unwrap_or_default();
    assert_eq!(first, "us-east-1: 0 created, 0 changed, 0 pruned, 5 refused, 25 unchanged");
}

/// What the document bounds is there.
fn in_force(home: &Home) {
    let Some(kubectl) = Kubectl::of("1.33", home, "us-east-1") else {
        return skip("what is in force for the reference document");
    };
    let names = |kind: &str, more: &[&str]| {
        let mut arguments = vec!["get", kind, "-o", "name"];
        arguments.extend(more);
        kubectl.run(&arguments).ok().out
    };
    assert_eq!(names("nodes", &[]).lines().count(), 17);
    for namespace in ["production", "staging", "development", "infrastructure", "monitoring", "security"] {
        assert!(names("namespaces", &[]).contains(namespace), "{namespace}");
    }
    assert!(names("resourcequotas", &["-n", "production"]).contains("production-quota"));
    assert!(names("limitranges", &["-n", "production"]).contains("default-limits"));
}
