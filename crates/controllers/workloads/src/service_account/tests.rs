//! Upstream's table: which namespaces get which account. Its second, managed account is one of the
//! test's own making; ours is the one there is.

use super::*;
use serde_json::json;

fn namespace(phase: &str) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": "shop"}, "status": {"phase": phase}})).unwrap()
}

#[test]
fn an_active_namespace_without_its_account_gets_it() {
    let (active, terminating) = (namespace("Active"), namespace("Terminating"));
    for (case, namespace, has_account, expected) in [
        ("active, none", Some(&active), false, true),
        ("active, there", Some(&active), true, false),
        ("terminating, none", Some(&terminating), false, false),
        ("terminating, there", Some(&terminating), true, false),
        ("deleted without a namespace", None, false, false),
    ] {
        let account = missing(namespace, has_account);
        assert_eq!(account.is_some(), expected, "{case}");
        let Some(account) = account else { continue };
        assert_eq!(account.metadata.name.as_deref(), Some("default"));
        assert_eq!(account.metadata.namespace.as_deref(), Some("shop"));
    }
}
