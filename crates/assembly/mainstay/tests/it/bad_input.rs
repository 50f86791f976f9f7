//! Bad input ends in a Diagnostic with a code, a help line and the right exit code; nothing is lost.

use crate::harness::{Home, checkout};

/// Runs `up` on one file of this content.
fn up_on(home: &Home, content: &str) -> crate::harness::Said {
    let file = home.write("platform.yaml", content);
    home.run(&["up", file.to_str().unwrap(), "--detach", "--wait", "30s", "--api-port", "0"])
}

#[track_caller]
fn refuses(content: &str, code: i32, words: &[&str]) {
    let home = Home::new();
    let said = up_on(&home, content);
    assert_eq!(said.code, code, "{}", said.err);
    assert!(said.err.starts_with("error[M"), "{}", said.err);
    assert!(said.err.contains("help: "), "{}", said.err);
    for word in words {
        assert!(said.err.contains(word), "{word:?} is missing:\n{}", said.err);
    }
    assert!(!home.path(".local/state/mainstay/platform").exists(), "nothing is written for a refused Source");
}

#[test]
fn broken_yaml_is_refused_at_its_line() {
    refuses("apiVersion: v1\nkind: Namespace\nmetadata: {name: [\n", 2, &["platform.yaml:"]);
}

#[test]
fn a_duplicate_key_is_refused_at_its_line() {
    refuses(
        "apiVersion: v1\nkind: Namespace\nkind: Pod\nmetadata: {name: a}\n",
        2,
        &["platform.yaml:3:1", "kind"],
    );
}

#[test]
fn an_unknown_field_of_a_cluster_config_is_refused_with_a_suggestion() {
    let config = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a, region: us-east-1}\nnodeGroups:\n  - name: app\n    instanceTyp: c5.large\n    desiredCapacity: 1\n";
    refuses(config, 2, &["platform.yaml:6:5", "instanceTyp", "instanceType"]);
}

#[test]
fn a_missing_source_is_refused() {
    let home = Home::new();
    let said = home.run(&["up", "nowhere", "--detach"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("nowhere") && said.err.contains("help: "), "{}", said.err);
}

#[test]
fn without_a_cluster_config_there_is_one_region_local() {
    let home = Home::new();
    let file = home.write("plain.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    let _platform = home.up(&file);
    let status = home.status();
    assert_eq!(status["regions"][0]["name"], "local");
    assert_eq!(status["regions"][0]["nodes"], 1);
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_started() {
    let home = Home::new();
    #[allow(clippy::disallowed_methods, reason = "the test occupies a port")]
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let source = checkout("examples/enterprise");
    let said = home.run(&["up", source.to_str().unwrap(), "--detach", "--api-port", &port]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0301]") && said.err.contains(&port), "{}", said.err);
    assert!(said.err.contains("--api-port"), "{}", said.err);
}

#[test]
fn another_platforms_state_folder_is_refused() {
    let home = Home::new();
    let state = home.path("state");
    let state = state.to_str().unwrap();
    let one = home.write("one.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n");
    let two = home.write("two.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n");
    let up = |file: &std::path::Path| {
        home.run(&["up", file.to_str().unwrap(), "--detach", "--api-port", "0", "--state", state])
    };
    up(&one).ok();
    home.run(&["down", "--state", state]).ok();
    let said = up(&two);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0201]") && said.err.contains("\"one\""), "{}", said.err);
}

#[test]
fn a_state_of_another_format_is_refused_and_left_as_it_was() {
    let home = Home::new();
    let file = home.write("plain.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    drop(home.up(&file));
    let format = home.write(".local/state/mainstay/plain/format", "99\n");
    let said = home.run(&["up", file.to_str().unwrap(), "--detach", "--api-port", "0"]);
    assert_eq!(said.code, 3, "{}", said.err);
    for words in ["error[M0202]", "99", "help: "] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert_eq!(std::fs::read_to_string(format).unwrap(), "99\n");
}

#[test]
fn a_link_that_leads_out_of_the_source_is_refused_and_not_read() {
    let home = Home::new();
    let outside = home.write("outside.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: secret}\n");
    let own = home.write("source/own.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    let source = own.parent().unwrap();
    std::os::unix::fs::symlink(outside, source.join("link.yaml")).unwrap();
    let said = home.run(&["up", source.to_str().unwrap(), "--detach", "--api-port", "0"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("error[M0102]") && said.err.contains("link.yaml"), "{}", said.err);
    assert!(!said.err.contains("secret"), "{}", said.err);
    assert!(!home.path(".local/state/mainstay/source").exists(), "nothing is started");
}

#[test]
fn a_wrong_flag_ends_with_the_usage_code_and_a_suggestion() {
    let said = Home::new().run(&["up", "--detatch"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--detach"), "{}", said.err);
}

#[test]
fn a_broken_kubeconfig_is_left_alone() {
    let home = Home::new();
    home.write(".kube/config", "clusters: [");
    let file = home.write("plain.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    let said = home.run(&["up", file.to_str().unwrap(), "--detach", "--api-port", "0"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0304]"), "{}", said.err);
    assert_eq!(std::fs::read_to_string(home.kubeconfig()).unwrap(), "clusters: [");
    assert_eq!(home.run(&["status"]).code, 3, "nothing is left running");
}

#[test]
fn a_refused_document_is_shown_at_its_line_and_the_rest_runs() {
    let home = Home::new();
    let documents = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: team}\nspec:\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: b}}\n    spec: {containers: [{name: c, image: x}]}\n";
    let said = up_on(&home, documents);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("error[M0306]") && said.err.contains("platform.yaml:5"), "{}", said.err);
    assert!(said.err.contains("`selector` does not match template `labels`"), "{}", said.err);
    assert_eq!(home.status()["ready"], true);
    home.run(&["down"]).ok();
}

#[test]
fn an_unknown_instance_type_is_refused_before_anything_starts() {
    let config = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a, region: us-east-1}\nnodeGroups:\n  - name: app\n    instanceType: c5.huge\n    desiredCapacity: 1\n";
    refuses(config, 2, &["error[M0307]", "c5.huge", "platform.yaml:5"]);
}

#[test]
fn more_nodes_than_a_cluster_can_have_are_refused_before_anything_starts() {
    let config = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a, region: us-east-1}\nnodeGroups:\n  - name: app\n    instanceType: c5.large\n    desiredCapacity: 200000\n";
    refuses(config, 2, &["error[M0307]", "200000", "5000", "platform.yaml:5"]);
}

#[test]
fn down_of_a_folder_that_holds_no_platform_says_so() {
    let said = Home::new().run(&["down", "--state", "nowhere"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("error[M0205]") && said.err.contains("help: "), "{}", said.err);
}

/// A Platform document with this spec, and one cluster.
fn platform(spec: &str) -> String {
    format!(
        "apiVersion: mainstay.dev/v1alpha1\nkind: Platform\nmetadata: {{name: shop}}\nspec:\n{spec}---\napiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: main, region: us-east-1}}\n"
    )
}

#[test]
fn a_platform_document_is_refused_at_its_line_with_a_suggestion() {
    for (spec, words) in [
        (
            "  regions: [{name: us-east-1}]\n  documants: []\n",
            ["error[M0109]", "platform.yaml:6:3", "did you mean `documents`?"],
        ),
        (
            "  regions: [{name: us-east-1, role: primry}]\n",
            ["error[M0110]", "platform.yaml:5:37", "did you mean `primary`?"],
        ),
        (
            "  regions: [{name: us-east-1}, {name: us-west-2}]\n",
            ["error[M0323]", "platform.yaml:5:39", "us-west-2"],
        ),
        (
            "  regions:\n    - {name: us-east-1, role: primary}\n    - {name: b, role: primary, cluster: main}\n",
            ["error[M0322]", "platform.yaml:7:23", "first here"],
        ),
        (
            "  documents:\n    - {kinds: [Namespace], regions: [us-esat-1]}\n",
            ["error[M0321]", "platform.yaml:6:38", "did you mean `us-east-1`?"],
        ),
        (
            "  documents:\n    - {paths: [../elsewhere], regions: ['*']}\n",
            ["error[M0326]", "platform.yaml:6:16", "leads out of the Source"],
        ),
        (
            "  objectives: {rto: 15}\n",
            ["error[M0110]", "platform.yaml:5:21", "write it like 90s, 10m or 1h30m"],
        ),
    ] {
        refuses(&platform(spec), 2, &words);
    }
}

#[test]
fn a_rule_that_fits_nothing_is_a_warning_and_the_platform_runs() {
    let home = Home::new();
    let said = up_on(&home, &platform("  documents:\n    - {kinds: [Nothing], regions: ['*']}\n"));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("warning[M0325]") && said.err.contains("platform.yaml:6"), "{}", said.err);
    home.run(&["down"]).ok();
}
