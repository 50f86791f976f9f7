//! up, status, down, reset, kubeconfig, explain.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Home, checkout};

#[test]
fn the_example_comes_up_with_its_nodes_and_deployments() {
    let home = Home::new();
    let platform = home.up(&checkout("examples/enterprise"));
    assert!(platform.said.err.contains("Ready in"), "{}", platform.said.err);
    assert!(platform.said.err.contains("mainstay-us-east-1"), "{}", platform.said.err);
    let status = home.status();
    assert_eq!(status["ready"], true);
    assert!(status["pid"].as_u64().unwrap() > 1);
    let region = &status["regions"][0];
    assert_eq!(region["name"], "us-east-1");
    assert_eq!(region["role"], "primary");
    assert_eq!(region["nodes"], 17);
    assert!(region["endpoints"]["api"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert_eq!(region["deployments"], 8, "the shop and its way in, in production and in staging");
    let others = [("eu-west-1", "secondary", 6, 4), ("us-west-2", "dr", 5, 4)];
    for (region, (name, role, nodes, deployments)) in
        status["regions"].as_array().unwrap()[1..].iter().zip(others)
    {
        assert_eq!((&region["name"], &region["role"]), (&name.into(), &role.into()));
        assert_eq!((&region["nodes"], &region["deployments"]), (&nodes.into(), &deployments.into()));
    }
}

#[test]
fn state_and_keys_are_private_and_the_kubeconfig_has_no_current_context() {
    let home = Home::new();
    let _platform = home.up(&checkout("examples/enterprise"));
    let state = home.path(".local/state/mainstay/enterprise");
    let mode = |name: &str| std::fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for file in ["kubeconfig", "platform.json", "control.sock", "mainstay.log", "regions/us-east-1/ca.key"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    let config = std::fs::read_to_string(home.kubeconfig()).unwrap();
    assert!(config.contains("mainstay-us-east-1"));
    assert!(!config.contains("current-context"), "{config}");
}

#[test]
fn down_keeps_the_state_and_the_next_up_finds_the_same_objects() {
    let home = Home::new();
    let source = checkout("examples/enterprise");
    let first = home.up(&source);
    let revision = || home.run(&["kubeconfig"]).ok().out;
    let before = revision();
    drop(first);
    assert_eq!(home.run(&["status"]).code, 3);
    let _second = home.up(&source);
    let authority = |text: &str| {
        text.lines().find(|line| line.contains("certificate-authority-data")).map(str::to_owned).unwrap()
    };
    assert_eq!(authority(&before), authority(&revision()), "the region's authority survives");
}

#[test]
fn reset_removes_the_state_and_our_contexts_and_nothing_else() {
    let home = Home::new();
    home.write(".kube/config", "apiVersion: v1\nkind: Config\ncurrent-context: work\ncontexts:\n- name: work\n  context: {cluster: work, user: me}\n");
    drop(home.up(&checkout("examples/enterprise")));
    let would = home.run(&["reset", "--dry-run"]).ok();
    assert!(would.out.contains("would remove"), "{}", would.out);
    assert!(home.path(".local/state/mainstay/enterprise").exists());
    home.run(&["reset", "--yes"]).ok();
    assert!(!home.path(".local/state/mainstay/enterprise").exists());
    let config = std::fs::read_to_string(home.kubeconfig()).unwrap();
    assert!(!config.contains("mainstay"), "{config}");
    assert!(config.contains("current-context: work"), "{config}");
}

#[test]
fn every_code_is_explained() {
    let home = Home::new();
    let list = home.run(&["explain"]).ok().out;
    assert!(list.lines().count() > 15, "{list}");
    for code in list.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(home.run(&["explain", code]).ok().out.starts_with(&format!("# {code}: ")));
    }
}
