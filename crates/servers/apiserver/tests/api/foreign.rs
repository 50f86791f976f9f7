//! The kinds other projects bring: what is seen of them, what is refused, what is kept.

use std::path::PathBuf;

use http::Method;
use mainstay_kinds::foreign_crds;
use mainstay_resource::meta;
use mainstay_source::Source;
use serde_json::{Value, json};

use crate::region::{Answer, Region, in_region};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn install(region: &Region) {
    for definition in foreign_crds() {
        let made = region.post(DEFINITIONS, definition).await;
        assert_eq!(made.code, 201, "{}: {}", meta::name(definition), made.body);
    }
}

async fn apply(region: &Region, uri: &str, object: &Value) -> Answer {
    let uri = format!("{uri}?fieldManager=team&fieldValidation=Strict");
    let body = object.to_string().into_bytes();
    region.ask(Method::PATCH, &uri, "application/apply-patch+yaml", "application/json", body).await
}

fn canary() -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": { "name": "order" },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "order" },
            "service": { "port": 80 },
            "analysis": { "interval": "30s", "threshold": 10, "stepWeight": 5, "sessionAffinity": { "cookieName": "c" } },
        },
    })
}

const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/default/canaries";

#[test]
fn every_foreign_kind_is_listed_with_its_own_columns() {
    in_region(|region| async move {
        install(&region).await;
        for definition in foreign_crds() {
            let spec = &definition["spec"];
            for version in spec["versions"].as_array().unwrap() {
                let (group, version_name) =
                    (spec["group"].as_str().unwrap(), version["name"].as_str().unwrap());
                let plural = spec["names"]["plural"].as_str().unwrap();
                let list = region.get_as(&format!("/apis/{group}/{version_name}/{plural}"), TABLE).await;
                assert_eq!(list.code, 200, "{plural}: {}", list.body);
                let own = version["additionalPrinterColumns"].as_array();
                let expected: Vec<&Value> =
                    own.map(|own| own.iter().map(|one| &one["name"]).collect()).unwrap_or_default();
                let columns = list.body["columnDefinitions"].as_array().unwrap();
                let shown: Vec<&Value> = columns.iter().skip(1).map(|one| &one["name"]).collect();
                if expected.is_empty() {
                    assert_eq!(shown, [&json!("Age")], "{plural}");
                } else {
                    assert_eq!(shown, expected, "{plural}");
                }
            }
        }
    });
}

#[test]
fn every_document_of_the_seed_is_accepted() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/seed/infrastructure-architecture.md");
    if !path.exists() {
        let _ =
            std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: the seed document is not here\n");
        return;
    }
    let source = Source::load(&path);
    in_region(move |region| async move {
        install(&region).await;
        let objects: Vec<(Value, &str)> = source
            .documents
            .iter()
            .filter_map(|one| Some((one.value(), &*one.shape.object()?.namespace)))
            .collect();
        assert_eq!(objects.len(), 29);
        for (_, namespace) in objects.iter().filter(|(_, namespace)| !namespace.is_empty()) {
            let object =
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
            region.post("/api/v1/namespaces", &object).await;
        }
        for (object, namespace) in &objects {
            let (version, kind) = (meta::api_version(object), meta::kind(object));
            let base =
                if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
            let resources = region.get(&base).await.body;
            let is_it = |one: &&Value| one["kind"] == kind && !one["name"].as_str().unwrap().contains('/');
            let resource = resources["resources"].as_array().and_then(|all| all.iter().find(is_it));
            let resource = resource.unwrap_or_else(|| panic!("{version} {kind} is not served"));
            let scope = if resource["namespaced"] == true {
                format!("/namespaces/{namespace}")
            } else {
                String::new()
            };
            let uri = format!("{base}{scope}/{}/{}", resource["name"].as_str().unwrap(), meta::name(object));
            let applied = apply(&region, &uri, object).await;
            assert!(matches!(applied.code, 200 | 201), "{kind} {}: {}", meta::name(object), applied.body);
            let kept = &applied.body;
            for (name, value) in object["spec"].as_object().into_iter().flatten() {
                assert!(!value.is_object() || !kept["spec"][name].is_null(), "{kind}: spec.{name} is lost");
            }
        }
    });
}

#[test]
fn a_wrong_object_is_refused_in_upstreams_words() {
    in_region(|region| async move {
        install(&region).await;
        let mut wrong = canary();
        wrong["spec"]["targetRef"] = json!({ "apiVersion": "apps/v1", "kind": "Job", "name": 7 });
        wrong["spec"]["analysis"]["interval"] = "soon".into();
        let refused = region.post(CANARIES, &wrong).await;
        assert_eq!(refused.code, 422, "{}", refused.body);
        assert_eq!(refused.body["reason"], "Invalid");
        let causes: Vec<String> = refused.body["details"]["causes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| {
                let text = |field: &str| cause[field].as_str().unwrap_or_default();
                format!("{} {}: {}", text("reason"), text("field"), text("message"))
            })
            .collect();
        assert_eq!(
            causes,
            [
                "FieldValueInvalid spec.analysis.interval: Invalid value: \"soon\": spec.analysis.interval in body should match '^[0-9]+(m|s)'",
                "FieldValueNotSupported spec.targetRef.kind: Unsupported value: \"Job\": supported values: \"DaemonSet\", \"Deployment\", \"Service\"",
                "FieldValueTypeInvalid spec.targetRef.name: Invalid value: \"integer\": spec.targetRef.name in body must be of type string: \"integer\"",
            ]
        );
        let applied = apply(&region, &format!("{CANARIES}/order"), &wrong).await;
        assert_eq!((applied.code, &applied.body["details"]["kind"]), (422, &json!("Canary")));
        assert_eq!(region.post(CANARIES, &canary()).await.code, 201);
        let patch = json!({ "spec": { "targetRef": { "kind": "Job" } } });
        let media = "application/merge-patch+json";
        let uri = format!("{CANARIES}/order");
        let patched =
            region.ask(Method::PATCH, &uri, media, "application/json", patch.to_string().into()).await;
        assert_eq!(patched.code, 422, "{}", patched.body);
        let status = json!({ "status": { "phase": "Nowhere" } });
        let uri = format!("{CANARIES}/order/status");
        let patched =
            region.ask(Method::PATCH, &uri, media, "application/json", status.to_string().into()).await;
        assert_eq!(patched.code, 422, "{}", patched.body);
        let status = json!({ "status": { "phase": "Progressing" }, "spec": null });
        let patched =
            region.ask(Method::PATCH, &uri, media, "application/json", status.to_string().into()).await;
        assert_eq!((patched.code, &patched.body["status"]["phase"]), (200, &json!("Progressing")));
    });
}

#[test]
fn defaults_of_a_schema_are_written_and_foreign_fields_stay() {
    in_region(|region| async move {
        install(&region).await;
        let mut object = canary();
        object["spec"]["ofTheirOwn"] = json!({ "kept": true });
        let made = region.post(&format!("{CANARIES}?fieldValidation=Strict"), &object).await;
        assert_eq!(made.code, 201, "{}", made.body);
        assert_eq!(made.body["spec"]["ofTheirOwn"], json!({ "kept": true }));
        assert_eq!(made.body["spec"]["analysis"]["sessionAffinity"]["maxAge"], 86400);
        let gateway = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": "front" },
            "spec": { "gatewayClassName": "istio", "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }] },
        });
        let made =
            region.post("/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways", &gateway).await;
        assert_eq!(made.code, 201, "{}", made.body);
        assert_eq!(made.body["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]["from"], "Same");
        assert_eq!(made.body["status"]["conditions"][1]["type"], "Programmed");
    });
}

fn strict_definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "parts.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "plural": "parts", "singular": "part", "kind": "Part", "listKind": "PartList" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "subresources": { "scale": { "specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count" } },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": {
                    "type": "object",
                    "properties": {
                        "count": { "type": "integer", "maximum": 5 },
                        "name": { "type": "string" },
                        "ports": { "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                            "items": { "type": "object", "required": ["name"], "properties": {
                                "name": { "type": "string" }, "port": { "type": "integer" } } } },
                    } } } } } }],
        },
    })
}

const PARTS: &str = "/apis/example.com/v1/namespaces/default/parts";

fn part(spec: &Value) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Part", "metadata": { "name": "p" }, "spec": spec })
}

#[test]
fn what_a_schema_does_not_know_is_dropped_and_said() {
    in_region(|region| async move {
        assert_eq!(region.post(DEFINITIONS, &strict_definition()).await.code, 201);
        let odd = part(&json!({ "count": 1, "colour": "red", "name": null }));
        let refused = region.post(&format!("{PARTS}?fieldValidation=Strict"), &odd).await;
        assert_eq!(refused.code, 400);
        assert_eq!(
            refused.body["message"],
            "Part in version \"v1\" cannot be handled as a Part: strict decoding error: unknown field \"spec.colour\""
        );
        let made = region.post(PARTS, &odd).await;
        assert_eq!((made.code, &made.body["spec"]), (201, &json!({ "count": 1 })));
        assert_eq!(made.warnings.len(), 1, "{:?}", made.warnings);
        assert!(made.warnings[0].contains("unknown field \\\"spec.colour\\\""), "{:?}", made.warnings);
        let patch = json!({ "spec": { "colour": "blue", "count": 2 } }).to_string();
        let uri = format!("{PARTS}/p");
        let patched = region
            .ask(Method::PATCH, &uri, "application/merge-patch+json", "application/json", patch.into())
            .await;
        assert_eq!(patched.body["spec"], json!({ "count": 2 }));
        let scale = json!({ "spec": { "replicas": 9 } }).to_string();
        let uri = format!("{PARTS}/p/scale");
        let scaled = region
            .ask(Method::PATCH, &uri, "application/merge-patch+json", "application/json", scale.into())
            .await;
        assert_eq!(scaled.code, 422, "{}", scaled.body);
    });
}

#[test]
fn lists_with_keys_are_applied_item_by_item() {
    in_region(|region| async move {
        assert_eq!(region.post(DEFINITIONS, &strict_definition()).await.code, 201);
        let uri = format!("{PARTS}/p");
        let one = part(&json!({ "ports": [{ "name": "a", "port": 1 }] }));
        assert_eq!(apply(&region, &uri, &one).await.code, 201);
        let two = part(&json!({ "ports": [{ "name": "b", "port": 2 }] })).to_string();
        let uri = format!("{uri}?fieldManager=other");
        let both = region
            .ask(Method::PATCH, &uri, "application/apply-patch+yaml", "application/json", two.into())
            .await;
        assert_eq!(
            both.body["spec"]["ports"],
            json!([{ "name": "a", "port": 1 }, { "name": "b", "port": 2 }])
        );
        let twice = part(&json!({ "ports": [{ "name": "a" }, { "name": "a" }] }));
        let mut twice = twice;
        twice["metadata"]["name"] = "q".into();
        let refused = region.post(PARTS, &twice).await;
        assert_eq!(
            refused.body["details"]["causes"][0]["message"],
            "Duplicate value: map[string]interface {}{\"name\":\"a\"}"
        );
    });
}

#[test]
fn a_pod_security_policy_is_kept_as_a_kind_of_old() {
    in_region(|region| async move {
        let uri = "/apis/policy/v1beta1/podsecuritypolicies";
        let rule = |rule: &str| json!({ "rule": rule });
        let mut policy = json!({
            "apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": { "name": "restricted" },
            "spec": { "privileged": false, "requiredDropCapabilities": ["ALL"], "volumes": ["configMap", "secret"],
                "runAsUser": rule("MustRunAsNonRoot"), "seLinux": rule("RunAsAny"),
                "supplementalGroups": rule("RunAsAny"), "fsGroup": rule("RunAsAny"), "readOnlyRootFilesystem": true },
        });
        let made = region.post(uri, &policy).await;
        assert_eq!(made.code, 201, "{}", made.body);
        assert_eq!(made.body["spec"]["allowPrivilegeEscalation"], true);
        let table = region.get_as(uri, TABLE).await.body;
        let names: Vec<&str> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names.join(" ").to_uppercase(),
            "NAME PRIV CAPS SELINUX RUNASUSER FSGROUP SUPGROUP READONLYROOTFS VOLUMES"
        );
        assert_eq!(
            table["rows"][0]["cells"],
            json!([
                "restricted",
                "false",
                "",
                "RunAsAny",
                "MustRunAsNonRoot",
                "RunAsAny",
                "RunAsAny",
                true,
                "configMap,secret"
            ])
        );
        policy["metadata"]["name"] = "wrong".into();
        policy["spec"]["fsGroup"] = rule("Whatever");
        policy["spec"].as_object_mut().unwrap().remove("seLinux");
        let refused = region.post(uri, &policy).await;
        assert_eq!(refused.code, 422);
        assert_eq!(
            refused.body["message"],
            "PodSecurityPolicy.policy \"wrong\" is invalid: [\
             spec.fsGroup.rule: Unsupported value: \"Whatever\": supported values: \"MayRunAs\", \"MustRunAs\", \"RunAsAny\", \
             spec.seLinux.rule: Unsupported value: \"\": supported values: \"MustRunAs\", \"RunAsAny\"]"
        );
    });
}
