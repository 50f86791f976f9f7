//! Documents inside documents: which are found, and where what is in them stands.

use crate::{Document, Source};

const MAP: &str = r#"# A ConfigMap.
apiVersion: v1
kind: ConfigMap
metadata: {name: monitoring}
data:
  prometheus.yml: |
    # Comments stay.
    global:
      scrape_interval: 15s
    scrape_configs:
      - job_name: shop
  rules: |

    groups:
      - name: shop
        rules:
          - alert: Down
  dashboard.json: |-
    {"title": "Shop",
     "panels": [{"id": 1}]}
  alertmanager.yml: "route: {receiver: a}\nreceivers: [{name: a}]\n"
  note: just a text
  key: "a: 1"
  broken.yaml: |
    a: [1
    b: 2
"#;

fn only(text: &str) -> Document {
    Source::from_text("maps.yaml", text).documents.remove(0)
}

/// `line:column` of a value inside.
fn place(document: &Document, index: usize, path: &str) -> (u32, u32) {
    let at = document.nested().documents[index].document.location(path);
    (at.line, at.column)
}

#[test]
fn a_config_maps_files_are_documents_of_their_own() {
    let inside = only(MAP).nested();
    let found: Vec<_> =
        inside.documents.iter().map(|one| (one.path.as_str(), one.document.shape.noun())).collect();
    assert_eq!(
        found,
        [
            ("/data/prometheus.yml", "Prometheus configuration"),
            ("/data/rules", "Prometheus rule file"),
            ("/data/dashboard.json", "Grafana dashboard"),
            ("/data/alertmanager.yml", "Alertmanager configuration"),
        ]
    );
}

#[test]
fn what_is_inside_stands_where_the_outer_file_has_it() {
    let outer = only(MAP);
    assert_eq!(place(&outer, 0, "/global/scrape_interval"), (9, 24));
    assert_eq!(place(&outer, 0, "/scrape_configs/0/job_name"), (11, 19));
    assert_eq!(place(&outer, 1, "/groups/0/rules/0/alert"), (17, 20));
    assert_eq!(place(&outer, 2, "/panels/0/id"), (20, 24));
    assert_eq!(place(&outer, 3, "/route/receiver"), (21, 21), "of a text in quotes, its start");
}

#[test]
fn what_is_broken_inside_is_told_at_its_line() {
    let inside = only(MAP).nested();
    let told: Vec<_> =
        inside.diagnostics.iter().map(|one| (one.code, one.at.as_ref().map(|at| at.line))).collect();
    assert_eq!(told, [("M0105", Some(26))]);
}

#[test]
fn lines_are_mapped_in_markdown_too() {
    let text = "# Shop\n\n1. Monitoring\n\n   ```yaml\n   apiVersion: v1\n   kind: ConfigMap\n   data:\n     a.yaml: |\n       b:\n         c: 3\n   ```\n";
    let outer = Source::from_text("shop.md", text).documents.remove(0);
    assert_eq!(place(&outer, 0, "/b/c"), (11, 13));
}

#[test]
fn other_kinds_hold_no_documents() {
    let secret = MAP.replace("ConfigMap", "Secret");
    assert!(only(&secret).nested().documents.is_empty());
    assert_eq!(only(&secret).inside("/data/prometheus.yml").documents.len(), 1, "unless they are asked for");
}
