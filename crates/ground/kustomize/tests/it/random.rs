//! Random compositions, compared with a live kubectl.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::cases::{ours, written};
use crate::oracle;

/// How many compositions `make test` compares; `COMPOSITIONS` says another number.
const COMPOSITIONS: u32 = 24;

/// What a kustomization may say; of each group at most one is chosen.
const SAYS: [&[&str]; 12] = [
    &["namePrefix: pre-\n", "namePrefix: a\n"],
    &["nameSuffix: -suf\n"],
    &["namespace: shop\n", "namespace: default\n"],
    &[
        "labels: [{pairs: {team: x}}]\n",
        "labels: [{pairs: {team: yes-y}, includeSelectors: true}]\n",
        "labels: [{pairs: {z: \"1\"}, includeTemplates: true}]\n",
    ],
    &["commonLabels: {c: d}\n"],
    &["commonAnnotations: {note: \"5\", long: some words}\n"],
    &[
        "images: [{name: nginx, newTag: \"2\"}]\n",
        "images: [{name: \"ng.*\", newName: x/y, digest: \"sha256:ab\"}]\n",
    ],
    &["replicas: [{name: web, count: 4}]\n"],
    &[
        "configMapGenerator: [{name: gen, literals: [a=b, c=1]}]\n",
        "configMapGenerator: [{name: cfg, behavior: merge, literals: [new=1]}]\n",
    ],
    &[
        "secretGenerator: [{name: sec, literals: [k=v]}]\n",
        "generatorOptions: {disableNameSuffixHash: true}\n",
    ],
    &[
        "patches: [{path: p.yaml}]\n",
        "patches: [{path: ops.yaml, target: {kind: Deployment}}, {path: p.yaml}]\n",
        "patches: [{path: p.yaml, target: {name: \"w.*|db\", kind: \"Deployment|StatefulSet\"}}]\n",
        "patches: [{path: ops.yaml, target: {labelSelector: \"app\"}}]\n",
    ],
    &["sortOptions: {order: fifo}\n", "sortOptions: {order: legacy}\n"],
];

const OBJECTS: [&str; 8] = [
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}, annotations: {}}\nspec:\n  replicas: 1\n  template:\n    spec:\n      serviceAccountName: sa\n      containers:\n      - {name: c, image: nginx, ports: [{containerPort: 80}], envFrom: [{configMapRef: {name: gen}}, {secretRef: {name: sec}}]}\n      volumes: [{name: v, configMap: {name: cfg}}]\n",
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, labels: {app: db}, annotations: {}}\nspec: {serviceName: web, template: {spec: {containers: [{name: c, image: \"nginx:1\"}]}}}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg}\ndata: {a: \"1\", b: yes, text: \"x\\ny\\n\"}\n",
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: sa}, {kind: ServiceAccount, name: default, namespace: x}]\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: other}\nrules: [{apiGroups: [\"\"], resources: [secrets], resourceNames: [sec, cfg], verbs: [get]}]\n",
    "apiVersion: shop.dev/v1\nkind: Till\nmetadata: {name: t}\nspec: {list: [{name: a}], n: 1.50, nothing: null}\n",
];

const PATCH: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {p: \"1\"}}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - {name: side, image: nginx}\n      - {name: c, ports: [{containerPort: 80, protocol: TCP}], resources: {limits: {cpu: 1}}}\n";
const OPERATIONS: &str =
    "- {op: add, path: /metadata/annotations/j, value: k}\n- {op: replace, path: /kind, value: Deployment}\n";

/// The files of a base and an overlay (and a component) of some numbers.
fn files(
    base: &[usize],
    overlay: &[usize],
    objects: &[bool],
    has_component: bool,
) -> BTreeMap<String, String> {
    let says = |choices: &[usize]| {
        let mut text = String::new();
        for (group, choice) in SAYS.iter().zip(choices) {
            text.push_str(group.get(*choice).unwrap_or(&""));
        }
        text
    };
    let mut files = BTreeMap::new();
    let mut all = String::new();
    for (object, _) in OBJECTS.iter().zip(objects).filter(|(_, is_there)| **is_there) {
        write!(all, "---\n{object}").unwrap();
    }
    files.insert("base/all.yaml".to_owned(), all);
    files.insert("base/kustomization.yaml".to_owned(), format!("resources: [all.yaml]\n{}", says(base)));
    let component = if has_component { "components: [../part]\n" } else { "" };
    files.insert(
        "over/kustomization.yaml".to_owned(),
        format!("resources: [../base]\n{component}{}", says(overlay)),
    );
    files.insert(
        "part/kustomization.yaml".to_owned(),
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: part-\nconfigMapGenerator: [{name: part, literals: [x=y]}]\n".to_owned(),
    );
    for folder in ["base", "over"] {
        files.insert(format!("{folder}/p.yaml"), PATCH.to_owned());
        files.insert(format!("{folder}/ops.yaml"), OPERATIONS.to_owned());
    }
    files
}

#[test]
fn random_compositions_are_what_kubectl_makes() {
    let installed = oracle::installed();
    if installed.is_empty() {
        eprintln!("skipped: no kubectl is installed");
        return;
    }
    let count = std::env::var_os("COMPOSITIONS")
        .and_then(|count| count.to_str()?.parse().ok())
        .unwrap_or(COMPOSITIONS);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config =
        Config { cases: count, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let choices = || prop::collection::vec(0_usize..6, SAYS.len());
    let objects = prop::collection::vec(prop::bool::weighted(0.8), OBJECTS.len());
    let built = std::cell::Cell::new(0);
    runner
        .run(&(choices(), choices(), objects, any::<bool>()), |(base, overlay, objects, has_component)| {
            let folder = written(&files(&base, &overlay, &objects, has_component));
            let asked = oracle::ask(installed[0], &folder.path().join("over")).expect("it is installed");
            match (asked, ours(folder.path(), "over")) {
                (Ok(told), made) => {
                    built.set(built.get() + 1);
                    prop_assert_eq!(made, Ok(told));
                }
                (Err(_), Err(_)) => {}
                (Err(error), Ok(_)) => prop_assert!(false, "kubectl refuses it: {error}"),
            }
            Ok(())
        })
        .unwrap();
    assert!(built.get() * 5 >= count, "only {} of {count} could be built", built.get());
}
