//! Tests of definitions: their status, their resources, what is refused.

use serde_json::{Value, json};

use super::*;
use crate::kinds;
use crate::registry::Action;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "nodeclaims.mainstay.dev" },
        "spec": {
            "group": "mainstay.dev", "scope": "Cluster", "conversion": { "strategy": "None" },
            "names": { "plural": "nodeclaims", "singular": "nodeclaim", "kind": "NodeClaim", "listKind": "NodeClaimList",
                "shortNames": ["nc"], "categories": ["all"] },
            "versions": [
                { "name": "v1", "served": true, "storage": true,
                  "schema": { "openAPIV3Schema": { "type": "object" } },
                  "additionalPrinterColumns": [{ "name": "Zone", "type": "string", "jsonPath": ".spec.zone" }],
                  "subresources": { "status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas" } } },
                { "name": "v1alpha1", "served": true, "storage": false, "deprecated": true,
                  "schema": { "openAPIV3Schema": { "type": "object" } } },
                { "name": "v0", "served": false, "storage": false, "schema": { "openAPIV3Schema": { "type": "object" } } },
            ],
        },
    })
}

fn prepared(registry: &Registry, live: Option<&Value>, mut definition: Value, now: &str) -> Value {
    prepare(registry, live, &mut definition, now);
    definition
}

#[test]
fn a_definition_is_established_by_its_write() {
    let registry = Registry::new(kinds::built_in());
    let first = prepared(&registry, None, definition(), "2026-01-01T00:00:00Z");
    assert_eq!(first["status"]["acceptedNames"], first["spec"]["names"]);
    assert_eq!(first["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(
        first["status"]["conditions"],
        json!([
            { "type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found",
              "lastTransitionTime": "2026-01-01T00:00:00Z" },
            { "type": "Established", "status": "True", "reason": "InitialNamesAccepted",
              "message": "the initial names have been accepted", "lastTransitionTime": "2026-01-01T00:00:00Z" },
        ])
    );
    let again = prepared(&registry, Some(&first), first.clone(), "2026-02-02T00:00:00Z");
    assert_eq!(again, first);
}

#[test]
fn its_served_versions_appear_and_vanish() {
    let registry = Registry::new(kinds::built_in());
    let count = registry.snapshot().resources().len();
    let stored = prepared(&registry, None, definition(), "2026-01-01T00:00:00Z");
    written(&registry, &stored);
    let snapshot = registry.snapshot();
    let info = snapshot.find("mainstay.dev", "v1", "nodeclaims").expect("it is served");
    assert_eq!((&*info.kind, info.namespaced, info.has_status()), ("NodeClaim", false, true));
    assert_eq!(
        (&*info.storage.resource, &*info.storage.api_version),
        ("mainstay.dev/nodeclaims", "mainstay.dev/v1")
    );
    assert_eq!(info.custom.as_ref().unwrap().columns[0].path, ".spec.zone");
    let Action::Scale(paths) = &info.subresource("scale").unwrap().action else { panic!("it scales") };
    assert_eq!(paths.spec_replicas.join("."), "spec.replicas");
    let older = snapshot.find("mainstay.dev", "v1alpha1", "nodeclaims").expect("it is served");
    assert_eq!(&*older.storage.api_version, "mainstay.dev/v1");
    assert!(snapshot.find("mainstay.dev", "v0", "nodeclaims").is_none());
    removed(&registry, "nodeclaims.mainstay.dev");
    assert_eq!(registry.snapshot().resources().len(), count);
}

#[test]
fn names_that_are_taken_are_not_accepted() {
    let registry = Registry::new(kinds::built_in());
    written(&registry, &prepared(&registry, None, definition(), "2026-01-01T00:00:00Z"));
    let mut other = definition();
    other["metadata"]["name"] = json!("claims.mainstay.dev");
    other["spec"]["names"] =
        json!({ "plural": "claims", "singular": "claim", "kind": "NodeClaim", "listKind": "X" });
    let other = prepared(&registry, None, other, "2026-01-01T00:00:00Z");
    let first = &other["status"]["conditions"][0];
    assert_eq!(
        (&first["status"], &first["reason"], &first["message"]),
        (&json!("False"), &json!("KindConflict"), &json!("\"NodeClaim\" is already in use"))
    );
    assert_eq!(other["status"]["conditions"][1]["status"], "False");
    written(&registry, &other);
    assert!(registry.snapshot().find("mainstay.dev", "v1", "claims").is_none());
}

#[test]
fn a_definition_that_makes_no_sense_is_refused() {
    let said = |edit: fn(&mut Value)| {
        let mut definition = definition();
        edit(&mut definition);
        let causes = validate(&definition, None);
        causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(said(|_| ()), "");
    assert_eq!(
        said(|it| it["metadata"]["name"] = json!("claims.mainstay.dev")),
        r#"metadata.name: Invalid value: "claims.mainstay.dev": must be spec.names.plural+"."+spec.group"#
    );
    assert_eq!(
        said(|it| it["spec"]["scope"] = json!("Galaxy")),
        r#"spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced""#
    );
    assert!(
        said(|it| it["spec"]["versions"][1]["storage"] = json!(true))
            .contains("must have exactly one version marked as storage version")
    );
    assert_eq!(
        said(|it| it["spec"]["versions"][2]["schema"] = json!({})),
        "spec.versions[2].schema.openAPIV3Schema: Required value: schemas are required"
    );
    let mut moved = definition();
    moved["spec"]["scope"] = json!("Namespaced");
    let causes = validate(&moved, Some(&definition()));
    assert_eq!(causes[0].message, r#"Invalid value: "Namespaced": field is immutable"#);
}

#[tokio::test]
async fn objects_go_with_their_definition_and_definitions_come_back_at_start() {
    let store = Store::in_memory(None);
    let registry = Registry::new(kinds::built_in());
    let stored = prepared(&registry, None, definition(), "2026-01-01T00:00:00Z");
    let put = |resource: &str, object: &Value| Write {
        key: mainstay_store::Key::new(resource, "", meta::name(object)),
        expect: Expect::Absent,
        change: Change::Put(encode::draft(object), mainstay_store::Tags::default()),
    };
    store.commit(put(STORED, &stored)).await.unwrap();
    let claim = json!({ "apiVersion": "mainstay.dev/v1", "kind": "NodeClaim", "metadata": { "name": "a", "finalizers": ["x/y"] } });
    store.commit(put("mainstay.dev/nodeclaims", &claim)).await.unwrap();
    load(&store, &registry);
    assert!(registry.snapshot().find("mainstay.dev", "v1", "nodeclaims").is_some());
    let writes = removal_of_objects(&store, &stored);
    assert_eq!(writes.len(), 1);
    store.commit_together(writes).await.unwrap();
    let query = Query { resource: "mainstay.dev/nodeclaims", ..Query::default() };
    assert!(store.list(&query, &|_| true).unwrap().records.is_empty());
}
