//! `up` over a platform that runs, and over one that was stopped: the plan, and what comes of it.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Home, Said};

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: team}}\ndata: {{key: {value}}}\n"
    )
}

/// A Source of four files.
fn four_files(home: &Home) -> std::path::PathBuf {
    home.write("shop/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    home.write("shop/a.yaml", &config_map("a", "one"));
    home.write("shop/b.yaml", &config_map("b", "one"));
    home.write("shop/c.yaml", &config_map("c", "one"));
    home.path("shop")
}

/// Changes one file, adds one, removes one.
fn edit_three(home: &Home) {
    home.write("shop/a.yaml", &config_map("a", "two"));
    home.write("shop/d.yaml", &config_map("d", "one"));
    std::fs::remove_file(home.path("shop/c.yaml")).unwrap();
}

fn up(home: &Home, source: &Path, more: &[&str]) -> Said {
    let mut arguments = vec!["up", source.to_str().unwrap(), "--api-port", "0"];
    arguments.extend(more);
    home.run(&arguments)
}

/// The lines of a plan that are steps, their columns one space apart.
fn steps(said: &Said) -> Vec<String> {
    let steps = said.out.lines().filter(|line| line.starts_with("  "));
    steps.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn rows(home: &Home) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = home.status();
    let rows = status["documents"].as_array().unwrap();
    rows.iter().map(|row| (text(&row["what"]), text(&row["fate"]))).collect()
}

#[test]
fn three_edited_files_are_exactly_the_plan_and_exactly_what_changes() {
    let home = Home::new();
    let source = four_files(&home);
    let _platform = home.up(&source);
    edit_three(&home);
    let expected = [
        "~ ConfigMap team/a shop/a.yaml:1 data.key",
        "+ ConfigMap team/d shop/d.yaml:1",
        "- ConfigMap team/c",
    ]
    .map(str::to_owned);
    let relative = Path::new("shop");
    let dry = up(&home, relative, &["--dry-run"]).ok();
    assert_eq!(steps(&dry), expected, "{}", dry.out);
    assert!(dry.out.starts_with("local: 1 created, 1 changed, 1 pruned, 3 unchanged\n"), "{}", dry.out);
    let said = up(&home, relative, &["--detach"]).ok();
    assert_eq!(steps(&said), expected, "{}", said.out);
    assert!(said.err.contains("Created 1, changed 1 and pruned 1"), "{}", said.err);
    let applied = ["Namespace team", "ConfigMap team/a", "ConfigMap team/b", "ConfigMap team/d"];
    let mut found = rows(&home);
    found.sort();
    let mut wanted: Vec<_> = applied.iter().map(|what| ((*what).to_owned(), "applied".to_owned())).collect();
    wanted.sort();
    assert_eq!(found, wanted);
    let again = up(&home, relative, &[]).ok();
    assert_eq!(steps(&again), Vec::<String>::new(), "{}", again.out);
    assert!(again.err.contains("Nothing to do"), "{}", again.err);
}

#[test]
fn a_broken_file_changes_nothing_and_is_shown_at_its_line() {
    let home = Home::new();
    let source = four_files(&home);
    let _platform = home.up(&source);
    edit_three(&home);
    home.write("shop/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n");
    let said = up(&home, Path::new("shop"), &["--detach"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("shop/b.yaml:") && said.err.starts_with("error[M01"), "{}", said.err);
    assert_eq!(said.out, "");
    assert!(rows(&home).iter().any(|(what, _)| what == "ConfigMap team/c"), "as it was");
}

#[test]
fn a_stopped_platform_prunes_what_its_source_has_lost() {
    let home = Home::new();
    let source = four_files(&home);
    drop(home.up(&source));
    edit_three(&home);
    let _platform = home.up(&source);
    // What there is now is what there would be to do without the Source.
    home.write("shop/a.yaml", "# nothing\n");
    home.write("shop/b.yaml", "# nothing\n");
    home.write("shop/d.yaml", "# nothing\n");
    let dry = up(&home, Path::new("shop"), &["--dry-run"]).ok();
    assert_eq!(steps(&dry), ["- ConfigMap team/a", "- ConfigMap team/b", "- ConfigMap team/d"]);
}

#[test]
fn a_dry_run_of_what_does_not_run_shows_that_everything_is_created() {
    let home = Home::new();
    four_files(&home);
    let dry = up(&home, Path::new("shop"), &["--dry-run"]).ok();
    let expected = [
        "+ Namespace team shop/namespace.yaml:1",
        "+ ConfigMap team/a shop/a.yaml:1",
        "+ ConfigMap team/b shop/b.yaml:1",
        "+ ConfigMap team/c shop/c.yaml:1",
    ];
    assert_eq!(steps(&dry), expected, "{}", dry.out);
    assert!(!home.path(".local").exists(), "nothing is written");
}

#[test]
fn another_platform_that_runs_in_the_folder_is_left_alone() {
    let home = Home::new();
    let source = four_files(&home);
    let _platform = home.up(&source);
    let other = home.write("other.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n");
    let state = home.path(".local/state/mainstay/shop");
    let said = up(&home, &other, &["--detach", "--state", state.to_str().unwrap()]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0201]") && said.err.contains("\"shop\""), "{}", said.err);
    std::fs::write(state.join("format"), "99\n").unwrap();
    let said = up(&home, &source, &["--detach"]);
    std::fs::write(state.join("format"), "1\n").unwrap();
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0202]"), "{}", said.err);
}
