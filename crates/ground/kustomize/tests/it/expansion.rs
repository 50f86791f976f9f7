//! Sources whose kustomizations are built in their place.

use mainstay_kustomize::{expand, expand_chosen, roots};
use mainstay_source::{Document, Source};

const BASE: &str = "resources: [web.yaml]\nconfigMapGenerator: [{name: cfg, files: [app.yaml]}]\n";
const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - name: web\n        image: web:1\n";
const OVERLAY: &str = "resources: [../../base]\nnamespace: shop\nimages:\n- name: web\n  newTag: v2\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      replicas: 6\n";

fn source(more: &[(&'static str, &'static str)]) -> Source {
    let mut texts = vec![
        ("base/kustomization.yaml", BASE),
        ("base/web.yaml", WEB),
        ("base/app.yaml", "not: [yaml\n"),
        ("cluster.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"),
        ("overlays/prod/kustomization.yaml", OVERLAY),
    ];
    texts.extend(more);
    Source::from_texts(texts)
}

fn shown(source: &Source) -> Vec<String> {
    let line = |document: &Document| {
        let via = document.via.as_ref().map(|via| format!(" via {via}")).unwrap_or_default();
        format!("{}{via}", document.shape)
    };
    source.documents.iter().map(line).collect()
}

fn codes(source: &Source) -> Vec<&str> {
    source.diagnostics.iter().map(|one| one.code).collect()
}

/// `file:line` of a value.
fn place(document: &Document, path: &str) -> String {
    let at = document.location(path);
    format!("{}:{}", at.file, at.line)
}

#[test]
fn what_a_kustomization_makes_takes_the_place_of_its_files() {
    let source = source(&[]);
    assert_eq!(roots(&source).iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["overlays/prod"]);
    let expanded = expand(source);
    let cfg = expanded.documents[1].shape.to_string();
    assert!(cfg.starts_with("ConfigMap shop/cfg-"), "{cfg}");
    assert_eq!(
        shown(&expanded),
        [
            "Namespace shop".to_owned(),
            format!("{cfg} via overlays/prod"),
            "Deployment shop/web via overlays/prod".to_owned()
        ]
    );
    assert_eq!(codes(&expanded), [""; 0], "of a file that is taken as it is, nothing is told");
}

#[test]
fn what_is_built_or_left_out_is_still_told_of() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n";
    let over = "resources: [../base]\npatches: [{path: patch.yaml}]\n";
    let expanded = expand(source(&[
        ("base/beside.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"),
        ("over/kustomization.yaml", over),
        ("over/patch.yaml", patch),
    ]));
    let aside: Vec<_> =
        expanded.aside.iter().map(|one| format!("{}:{} {}", one.at.file, one.at.line, one.reason)).collect();
    assert_eq!(
        aside,
        [
            "base/kustomization.yaml:1 it is a part of a kustomization, or lies beside one",
            "overlays/prod/kustomization.yaml:1 what it makes is used in its place",
            "base/beside.yaml:1 it is a part of a kustomization, or lies beside one",
            "over/kustomization.yaml:1 what it makes is used in its place",
            "over/patch.yaml:1 it is a part of a kustomization, or lies beside one",
        ]
    );
}

#[test]
fn every_value_stands_where_it_was_written() {
    let expanded = expand(source(&[]));
    let web = &expanded.documents[2];
    assert_eq!(place(web, ""), "base/web.yaml:1");
    assert_eq!(place(web, "/metadata/name"), "base/web.yaml:4");
    assert_eq!(place(web, "/spec/replicas"), "overlays/prod/kustomization.yaml:12", "of an inline patch");
    assert_eq!(place(web, "/metadata/namespace"), "overlays/prod/kustomization.yaml:2");
    let image = "/spec/template/spec/containers/0/image";
    assert_eq!(place(web, image), "overlays/prod/kustomization.yaml:5");
    assert_eq!(place(web, "/spec/template/spec/containers/0/name"), "base/web.yaml:10");
    assert_eq!(place(&expanded.documents[1], ""), "base/kustomization.yaml:2");
}

#[test]
fn overlays_of_one_base_ask_for_a_choice() {
    let staging = ("overlays/staging/kustomization.yaml", "resources: [../../base]\nnamespace: shop\n");
    let expanded = expand(source(&[staging]));
    assert_eq!(codes(&expanded), ["M0126"]);
    let told = expanded.diagnostics[0].to_string();
    assert!(told.contains("`overlays/prod` and `overlays/staging` both make Deployment shop/web"), "{told}");
    assert_eq!(shown(&expanded), ["Namespace shop", "kustomization", "kustomization"]);
    let chosen = expand_chosen(source(&[staging]), &["overlays/staging/".into()]);
    assert_eq!(codes(&chosen), [""; 0]);
    assert_eq!(shown(&chosen).len(), 4, "the other one stays a kustomization: {:?}", shown(&chosen));
    let both = expand_chosen(source(&[staging]), &["overlays/staging".into(), "overlays/prod".into()]);
    assert_eq!((codes(&both).len(), shown(&both).len()), (0, 5));
}

#[test]
fn overlays_that_do_not_meet_are_all_built() {
    let other = ("overlays/test/kustomization.yaml", "resources: [../../base]\nnamespace: test\n");
    let expanded = expand(source(&[other]));
    assert_eq!(codes(&expanded), [""; 0]);
    assert_eq!(shown(&expanded).len(), 5);
    let same = ("overlays/same/kustomization.yaml", OVERLAY);
    assert_eq!(shown(&expand(source(&[same]))).len(), 3, "what is made alike is there once");
}

#[test]
fn what_a_kustomization_does_not_name_is_left_out_with_a_word() {
    let debug = ("base/debug.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: debug}\n");
    let expanded = expand(source(&[debug]));
    assert_eq!(codes(&expanded), ["M0128"]);
    assert!(expanded.is_sound());
    assert!(!shown(&expanded).iter().any(|one| one.contains("debug")));
}

#[test]
fn what_cannot_be_built_stays_a_kustomization_and_is_told_at_its_line() {
    let remote = ("remote/kustomization.yaml", "resources:\n- https://example.com/base?ref=v1\n");
    let wrong = ("wrong/kustomization.yaml", "resources: [gone.yaml]\nnamePrefx: x\n");
    let component =
        ("part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
    let expanded = expand(source(&[remote, wrong, component]));
    assert_eq!(codes(&expanded), ["M0123", "M0109"]);
    assert_eq!(expanded.diagnostics[0].at.as_ref().map(|at| at.line), Some(2));
    assert_eq!(expanded.diagnostics[1].help.as_deref(), Some("did you mean `namePrefix`?"));
    assert_eq!(shown(&expanded).iter().filter(|one| *one == "kustomization").count(), 3);
}

#[test]
fn a_source_without_kustomizations_stays_as_it_is() {
    let source = Source::from_text("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    assert_eq!(shown(&expand(source)), ["Pod a"]);
}
