//! No text makes the builder panic, nor hang.

use mainstay_kustomize::{build, expand, roots};
use mainstay_source::Source;
use proptest::prelude::*;

/// Pieces of kustomizations and objects, right and wrong.
const PIECES: [&str; 40] = [
    "resources: [a.yaml, b]\n",
    "resources:\n- .\n- ..\n- ''\n- /etc\n- https://x/y\n",
    "components: [c]\n",
    "patches:\n- path: a.yaml\n",
    "patches:\n- patch: '[{\"op\": \"add\", \"path\": \"/a\"}]'\n  target: {name: '('}\n",
    "patches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n    data: {$patch: delete}\n",
    "patches:\n- target: {kind: .*}\n  patch: '{apiVersion: v1, kind: X, metadata: {name: x}, $patch: odd}'\n",
    "patchesStrategicMerge: [a.yaml]\n",
    "namePrefix: p-\n",
    "nameSuffix: 12\n",
    "namespace: n\n",
    "labels: [{pairs: {a: b}, includeSelectors: true, fields: [{path: ''}, {path: a//b}]}]\n",
    "commonLabels: {a: b, '': ''}\n",
    "commonAnnotations: {a: b}\n",
    "images: [{name: '[', newTag: x}]\n",
    "images: [{name: '', newName: ''}]\n",
    "replicas: [{name: a, count: -1}]\n",
    "configMapGenerator: [{name: a, literals: [a=b, =, x], files: [=, a=, a.yaml, k=a.yaml=z]}]\n",
    "secretGenerator: [{name: a, behavior: merge, envs: [a.yaml]}]\n",
    "replacements: [{source: {name: a}, targets: [{select: {name: a}, fieldPaths: ['', '[', '*.0.[a=b]', '-']}]}]\n",
    "replacements: [{source: {name: a, options: {delimiter: a, index: -5}}, targets: [{select: {}, options: {create: true, index: 99, delimiter: x}, fieldPaths: [a.99.b]}]}]\n",
    "vars: [{name: A, objref: {kind: ConfigMap, name: a, apiVersion: v1}}]\n",
    "sortOptions: {order: legacy, legacySortOptions: {orderFirst: [a, a]}}\n",
    "buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\n",
    "configurations: [a.yaml]\n",
    "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: $(A), y: [$(A], z: $}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {a: {b: c}}, labels: }\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a}, x, null, {}]}}}\n",
    "apiVersion: v1\nkind: TillList\nitems: [1, {a: b}]\n",
    "apiVersion: v1\nkind: TillList\nmetadata: x\nitems: {a: b}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nsubjects: [x, {name: default}]\nroleRef: y\n",
    "metadata: []\nkind: X\n",
    "- op: remove\n  path: /metadata\n",
    "nameReference: [{kind: ConfigMap, fieldSpecs: [{path: data, kind: ConfigMap}]}]\n",
    "---\n",
    "---\n[]\n",
    "a: [1\n",
    "spec: &a {b: *a}\n",
    "key: \"\\ufeff \\t \\u0085 \\U0001F600 --- ' : #\"\n",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[a-z:\\-\\[\\]{}|>'\"#$ \n]{0,20}",
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_makes_the_builder_panic(one in text(), two in text(), three in text(), four in text()) {
        let texts = [("kustomization.yaml", one), ("a.yaml", two), ("b/kustomization.yaml", three), ("c/kustomization.yml", four)];
        let source = Source::from_texts(texts.iter().map(|(name, text)| (*name, text.as_str())));
        for folder in ["", "b", "c", "none"] {
            if let Ok(built) = build(&source, folder) {
                let yaml = built.to_yaml();
                let again = Source::from_text("again.yaml", yaml.as_str());
                prop_assert!(again.is_sound(), "what is built can be read: {yaml:?} {:?}", again.diagnostics);
            }
        }
        let _roots = roots(&source);
        let expanded = expand(source);
        for document in &expanded.documents {
            let _value = (document.value(), document.start());
        }
    }
}
