//! Who may ask what.

use http::Request;
use http_body_util::Full;
use mainstay_resource::{Identity, Rule};
use serde_json::json;

use crate::region::{CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, in_region, with_rules};

const TABLE: &[Rule] = &[
    Rule { groups: &["apps"], resources: &["deployments"], verbs: &["get", "list", "watch"] },
    Rule { groups: &["apps"], resources: &["deployments/status"], verbs: &["patch"] },
];

#[test]
fn a_controller_may_do_what_its_table_says_and_nothing_else() {
    const USER: &str = "system:serviceaccount:kube-system:deployment-controller";
    with_rules(vec![(USER.to_owned(), TABLE)], |region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
        let controller = region.as_user(Identity::of_user(USER));
        let uri = format!("{DEPLOYMENTS}/web");
        controller.get(&uri).await.expect(200);
        controller.merge(&format!("{uri}/status"), &json!({ "status": { "replicas": 1 } })).await.expect(200);

        let denied = controller.merge(&uri, &json!({ "spec": { "replicas": 2 } })).await.expect(403);
        assert_eq!(denied.reason(), "Forbidden");
        assert_eq!(
            denied.message(),
            format!(
                "deployments.apps \"web\" is forbidden: User \"{USER}\" cannot patch resource \"deployments\" \
                 in API group \"apps\" in the namespace \"default\""
            )
        );
        let denied = controller.get("/api/v1/nodes").await.expect(403);
        assert!(denied.message().ends_with("in API group \"\" at the cluster scope"), "{}", denied.message());

        let calls = region.server.calls();
        let of = |verb: &str, resource: &str| {
            let call =
                calls.iter().find(|call| call.user == USER && call.verb == verb && call.resource == resource);
            call.map(|call| (call.allowed, call.denied))
        };
        assert_eq!(of("get", "deployments"), Some((1, 0)));
        assert_eq!(of("patch", "deployments/status"), Some((1, 0)));
        assert_eq!(of("patch", "deployments"), Some((0, 1)));
        assert_eq!(of("list", "nodes"), Some((0, 1)));
    });
}

#[test]
fn a_user_without_a_table_reads_discovery_alone() {
    in_region(|region| async move {
        let nobody = region.as_user(Identity::new("nobody", Vec::<String>::new()));
        nobody.get(CONFIG_MAPS).await.expect(403);
        nobody.get("/metrics").await.expect(403);
        assert_eq!(nobody.get("/apis").await.code, region.get("/apis").await.code);
        nobody.post(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(403);
    });
}

#[test]
fn paths_that_are_not_served_and_methods_that_do_not_exist_are_told_apart() {
    in_region(|region| async move {
        assert_eq!(region.get("/api/v1/namespaces/default/nothings").await.expect(404).reason(), "NotFound");
        region.get("/apis/nowhere/v1/things").await.expect(404);
        region.get("/api/v1/namespaces/default/nodes").await.expect(404);
        region.delete("/api/v1/pods").await.expect(405);
        region.put(CONFIG_MAPS, &config_map("a", &json!({}))).await.expect(405);
        region.post("/api/v1/pods", &crate::region::pod("p")).await.expect(405);
    });
}

#[test]
fn a_server_that_ends_refuses_requests() {
    in_region(|region| async move {
        region.server.shut_down();
        let request = Request::builder().uri(CONFIG_MAPS).body(Full::default()).expect("a request");
        assert_eq!(region.send(request).await.status(), 503);
    });
}
