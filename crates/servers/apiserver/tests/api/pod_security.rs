//! How much the pods of a namespace may do, as its labels say.

use serde_json::{Value, json};

use crate::region::{Region, in_region, pod};

const BARE: &str = "allowPrivilegeEscalation != false (container \"main\" must set securityContext.allowPrivilegeEscalation=false), \
     unrestricted capabilities (container \"main\" must set securityContext.capabilities.drop=[\"ALL\"]), \
     runAsNonRoot != true (pod or container \"main\" must set securityContext.runAsNonRoot=true), \
     seccompProfile (pod or container \"main\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

fn labels(all: &[(&str, &str)]) -> Value {
    all.iter().map(|(mode, value)| (format!("pod-security.kubernetes.io/{mode}"), json!(value))).collect()
}

async fn namespace(region: &Region, name: &str, modes: &[(&str, &str)]) -> String {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels(modes) } });
    region.post("/api/v1/namespaces", &object).await.expect(201);
    let uri = format!("/api/v1/namespaces/{name}");
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    region.post(&format!("{uri}/serviceaccounts"), &account).await.expect(201);
    uri
}

fn hardened(name: &str) -> Value {
    let mut object = pod(name);
    object["spec"]["securityContext"] =
        json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
    object["spec"]["containers"][0]["securityContext"] =
        json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    object
}

fn deployment(name: &str) -> Value {
    let template = pod(name);
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name }, "spec": {
        "selector": { "matchLabels": { "app": name } },
        "template": { "metadata": { "labels": { "app": name } }, "spec": template["spec"] },
    }})
}

/// A warning as its header has it.
fn header(text: &str) -> String {
    format!("299 - \"{}\"", text.replace('"', "\\\""))
}

#[test]
fn a_namespace_enforces_its_level_on_pods_and_warns_of_templates() {
    in_region(|region| async move {
        let uri = namespace(&region, "shop", &[("enforce", "restricted")]).await;
        let pods = format!("{uri}/pods");
        let refused = region.post(&pods, &pod("web")).await.expect(403);
        let told = format!("pods \"web\" is forbidden: violates PodSecurity \"restricted:latest\": {BARE}");
        assert_eq!(refused.message(), told);
        assert!(refused.warnings.is_empty());
        assert!(region.post(&pods, &hardened("web")).await.expect(201).warnings.is_empty());

        let warning = header(&format!("would violate PodSecurity \"restricted:latest\": {BARE}"));
        let deployments = "/apis/apps/v1/namespaces/shop/deployments";
        let made = region.post(deployments, &deployment("web")).await.expect(201);
        assert_eq!(made.warnings, [warning.as_str()]);
        let one = format!("{deployments}/web");
        let merged = region.merge(&one, &json!({ "spec": { "replicas": 2 } })).await.expect(200);
        assert_eq!(merged.warnings, [warning.as_str()]);
        let scaled =
            region.merge(&format!("{one}/scale"), &json!({ "spec": { "replicas": 3 } })).await.expect(200);
        assert!(scaled.warnings.is_empty());
        let applied = format!("{deployments}/api?fieldManager=test");
        assert_eq!(region.apply(&applied, &deployment("api")).await.expect(201).warnings, [warning.as_str()]);
        assert_eq!(region.apply(&applied, &deployment("api")).await.expect(200).warnings, [warning]);
    });
}

#[test]
fn a_level_may_warn_alone() {
    in_region(|region| async move {
        let uri = namespace(
            &region,
            "shop",
            &[("enforce", "baseline"), ("warn", "restricted"), ("warn-version", "v1.33")],
        )
        .await;
        let pods = format!("{uri}/pods");
        let made = region.post(&pods, &pod("web")).await.expect(201);
        assert_eq!(
            made.warnings,
            [header(&format!("would violate PodSecurity \"restricted:v1.33\": {BARE}"))]
        );
        let web = format!("{pods}/web");
        let labelled =
            region.merge(&web, &json!({ "metadata": { "labels": { "a": "b" } } })).await.expect(200);
        assert!(labelled.warnings.is_empty());
        let mut object = pod("other");
        object["spec"]["hostNetwork"] = json!(true);
        let refused = region.post(&pods, &object).await.expect(403);
        assert!(
            refused
                .message()
                .ends_with("violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"),
            "{}",
            refused.message()
        );
    });
}

#[test]
fn a_namespace_that_becomes_stricter_tells_of_the_pods_it_has_and_judges_their_changes() {
    in_region(|region| async move {
        let uri = namespace(&region, "shop", &[]).await;
        let pods = format!("{uri}/pods");
        for name in ["one", "three", "two"] {
            assert!(region.post(&pods, &pod(name)).await.expect(201).warnings.is_empty());
        }
        region.post(&pods, &hardened("good")).await.expect(201);
        let restrict = json!({ "metadata": { "labels": labels(&[("enforce", "restricted")]) } });
        let told = region.merge(&uri, &restrict).await.expect(200);
        assert_eq!(
            told.warnings,
            [
                header(
                    "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"restricted:latest\""
                ),
                header(
                    "one (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
                ),
            ]
        );
        assert!(region.merge(&uri, &restrict).await.expect(200).warnings.is_empty());

        let one = format!("{pods}/one");
        region.merge(&one, &json!({ "metadata": { "labels": { "a": "b" } } })).await.expect(200);
        let image = json!([{ "op": "replace", "path": "/spec/containers/0/image", "value": "nginx:2" }]);
        let refused = region.patch(&one, "application/json-patch+json", &image).await.expect(403);
        assert!(
            refused.message().starts_with("pods \"one\" is forbidden: violates PodSecurity"),
            "{}",
            refused.message()
        );
    });
}

#[test]
fn a_namespace_with_a_level_that_does_not_exist_is_refused() {
    in_region(|region| async move {
        let named = |modes: &[(&str, &str)]| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels(modes) } });
        let wrong = named(&[("enforce", "strict")]);
        let refused = region.post("/api/v1/namespaces", &wrong).await.expect(422);
        assert_eq!(
            refused.message(),
            "Namespace \"shop\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: \
             Invalid value: \"strict\": must be one of privileged, baseline, restricted"
        );
        region.post("/api/v1/namespaces", &named(&[])).await.expect(201);
        let patch = json!({ "metadata": { "labels": labels(&[("audit-version", "1.30")]) } });
        let refused = region.merge("/api/v1/namespaces/shop", &patch).await.expect(422);
        assert!(
            refused.message().ends_with("Invalid value: \"1.30\": must be \"latest\" or \"v1.x\""),
            "{}",
            refused.message()
        );
    });
}
