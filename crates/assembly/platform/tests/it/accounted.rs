//! No document is ever dropped: whatever a Source holds, each of its documents and diagrams has a row.

use mainstay_base::{Seed, World};
use mainstay_platform::Platform;
use mainstay_platform::config::Config;
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_source::Source;
use proptest::prelude::*;

/// Documents of many kinds, some of them wrong in ways that only a server or nobody sees.
fn document() -> impl Strategy<Value = String> {
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("yes"), Just("'Bad Name'")];
    let kind = prop_oneof![
        Just("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: '1'}\n"),
        Just("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: absent}\n"),
        Just("apiVersion: v1\nkind: Namespace\nmetadata: {name: NAME}\n"),
        Just("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {replicas: many}\n"),
        Just("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: NAME}\n"),
        Just("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: NAME}\n"),
        Just("apiVersion: v1\nkind: ConfigMap\n"),
        Just(
            "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Secret, metadata: {name: NAME}}\n  - 3\n"
        ),
        Just("scrape_configs: []\n"),
        Just("apiVersion: mainstay.dev/v1alpha1\nkind: Drill\nmetadata: {name: NAME}\n"),
        Just(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: NAME, region: us-east-1}\n"
        ),
        Just("just text\n"),
        Just("- 1\n- 2\n"),
        Just("null\n"),
    ];
    (kind, name).prop_map(|(kind, name)| kind.replace("NAME", name))
}

/// A Markdown text of such documents with diagrams between them.
fn markdown() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        3 => document().prop_map(|text| format!("```yaml\n{text}```\n")),
        1 => Just("```mermaid\ngraph LR\n```\n".to_owned()),
        1 => Just("```bash\nls\n```\n".to_owned()),
    ];
    prop::collection::vec(block, 0..12).prop_map(|blocks| blocks.concat())
}

/// What each row says it is, where, and its fate.
fn rows(config: Config) -> Vec<(String, u32, String)> {
    World::enter(Seed(1), "2026-01-01T00:00:00Z".parse().unwrap(), move |world| async move {
        let started = Platform::start(world, config, Home::Memory(None), Progress::default());
        let platform = Box::pin(started).await.unwrap();
        let rows = platform.status().documents;
        rows.into_iter().map(|row| (row.file, row.line, row.fate.word().to_owned())).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_document_and_diagram_has_a_row(
        files in prop::collection::vec(prop::collection::vec(document(), 0..8), 0..4),
        page in markdown(),
    ) {
        let mut texts: Vec<(String, String)> = files
            .iter()
            .enumerate()
            .map(|(index, documents)| (format!("{index}.yaml"), documents.join("---\n")))
            .collect();
        texts.push(("page.md".to_owned(), page));
        let source = Source::from_texts(texts.iter().map(|(name, text)| (name.as_str(), text.clone())));
        let config = Config::plan("test", &source);
        let mut expected: Vec<(String, u32)> = source
            .documents
            .iter()
            .map(mainstay_source::Document::start)
            .chain(source.diagrams.clone())
            .chain(source.aside.iter().map(|one| one.at.clone()))
            .map(|at| (at.file.to_string(), at.line))
            .collect();
        let mut found: Vec<(String, u32)> =
            rows(config).into_iter().map(|(file, line, _)| (file, line)).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
