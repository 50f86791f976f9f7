//! Where documents go, and what is wrong with a Platform document.

use mainstay_base::Severity;
use mainstay_source::Source;

use crate::Config;

/// Three clusters, as a team would keep them.
const CLUSTERS: &str = "apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: main, region: us-east-1}
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: europe, region: eu-west-1}
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: standby, region: us-west-2}
";

const APPS: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, labels: {tier: web}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, labels: {tier: web}}}
---
{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: tls, namespace: shop}}
";

const MONITORING: &str = "{scrape_configs: []}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: rules, namespace: monitoring}}
";

const REGIONS: &str = "  regions:
    - {name: us-east-1}
    - {name: eu-west-1}
    - {name: us-west-2, role: dr}
";

fn plan(spec: &str) -> Config {
    let platform =
        format!("apiVersion: mainstay.dev/v1alpha1\nkind: Platform\nmetadata: {{name: shop}}\nspec:\n{spec}");
    let texts = [
        ("top/mainstay.yaml", platform.as_str()),
        ("top/clusters.yaml", CLUSTERS),
        ("top/apps/shop.yaml", APPS),
        ("top/monitoring/prometheus.yaml", MONITORING),
    ];
    let source = Source::from_texts(texts);
    assert_eq!(source.diagnostics, []);
    Config::plan("test", &source)
}

/// `code line: message` of each problem; `!` before those that only warn.
fn told(config: &Config) -> Vec<String> {
    let line = config.diagnostics.iter().map(|problem| {
        let mark = if problem.severity == Severity::Warning { "!" } else { "" };
        let line = problem.at.as_ref().map_or(0, |at| at.line);
        format!("{mark}{} {line}: {}", problem.code, problem.message)
    });
    line.collect()
}

/// Where Namespace, Deployment, Service, Certificate, Prometheus and ConfigMap go: the first letters
/// of the regions.
fn places(config: &Config) -> String {
    let letters =
        |placed: &crate::Placed| -> String { placed.regions.iter().map(|region| &region[..1]).collect() };
    let own = config.documents.iter().skip(4).map(letters);
    own.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_rule_that_fits_decides_and_the_rest_goes_to_the_primary() {
    for (rules, expected) in [
        ("[]", "u u u u u u"),
        ("[{regions: ['*']}]", "ueu ueu ueu ueu ueu ueu"),
        ("[{paths: [apps], regions: ['*']}]", "ueu ueu ueu ueu u u"),
        ("[{paths: [./apps/*.yaml], regions: [eu-west-1]}]", "e e e e u u"),
        ("[{kinds: [Deployment, Certificate.cert-manager.io], regions: [secondary]}]", "u e u e u u"),
        ("[{kinds: [Deployment.batch, Certificate], regions: [secondary]}]", "u u u e u u"),
        ("[{namespaces: [shop], regions: [dr, primary]}]", "uu uu uu uu u u"),
        ("[{selector: 'tier in (web, api)', regions: [eu-west-1]}]", "u e e u u u"),
        ("[{selector: '!tier', paths: [apps], regions: [eu-west-1]}]", "e u u e u u"),
        ("[{kinds: [Service], regions: []}, {paths: [apps], regions: [eu-west-1]}]", "e e  e u u"),
        ("[{kinds: [Namespace], regions: ['*']}, {paths: ['**/prom*'], regions: [dr]}]", "ueu u u u u u"),
        ("[{paths: [monitoring/prometheus.yaml], regions: [eu-west-1, secondary]}]", "u u u u e e"),
    ] {
        let config = plan(&format!("{REGIONS}  documents: {rules}\n"));
        assert_eq!(told(&config), [""; 0], "{rules}");
        assert_eq!(places(&config), expected, "{rules}");
    }
}

#[test]
fn regions_have_roles_clusters_and_the_primary_is_first() {
    for (regions, expected) in [
        ("[]", "us-east-1 primary main, eu-west-1 secondary europe, us-west-2 secondary standby"),
        (
            "[{name: us-east-1}, {name: eu-west-1}, {name: us-west-2, role: dr}]",
            "us-east-1 primary main, eu-west-1 secondary europe, us-west-2 dr standby",
        ),
        (
            "[{name: a, role: dr, cluster: main}, {name: b, role: primary, cluster: europe}, {name: standby, role: staging}]",
            "b primary europe, a dr main, standby staging standby",
        ),
    ] {
        let config = plan(&format!("  regions: {regions}\n"));
        assert_eq!(told(&config), [""; 0], "{regions}");
        let found: Vec<_> = config
            .regions
            .iter()
            .map(|region| format!("{} {} {}", region.name, region.role.word(), region.cluster.metadata.name))
            .collect();
        assert_eq!(found.join(", "), expected);
        assert_eq!(config.name, "shop");
    }
}

#[test]
fn a_cluster_can_stand_in_the_platform_document_and_be_told_wrong_there() {
    let cluster = |group: &str| {
        format!(
            "  regions:\n    - {{name: us-east-1}}\n    - {{name: eu-west-1}}\n    - {{name: us-west-2}}\n    - name: staging\n      cluster:\n        apiVersion: eksctl.io/v1alpha5\n        kind: ClusterConfig\n        metadata: {{name: small, region: us-east-1}}\n        nodeGroups: [{{name: app, {group}}}]\n"
        )
    };
    let config = plan(&cluster("instanceType: c5.large"));
    assert_eq!(told(&config), [""; 0]);
    assert_eq!(config.regions[3].document["metadata"]["name"], "small");
    assert_eq!(told(&plan(&cluster("instanceType: c5.tiny")))[0].split(':').next(), Some("M0307 14"));
}

#[test]
fn what_is_wrong_is_told_at_its_line() {
    for (spec, expected) in [
        (
            "  regions: [{name: us-east-1, role: primary}, {name: eu-west-1, role: primary}, {name: us-west-2}]\n",
            vec!["M0322 5: a second region is primary"],
        ),
        (
            "  regions: [{name: us-east-1, role: dr}, {name: eu-west-1}, {name: us-west-2}]\n",
            vec!["M0322 5: no region is primary"],
        ),
        (
            "  regions: [{name: us-east-1}, {name: eu-west-1}, {name: us-west-2}, {name: mars-1}]\n",
            vec!["M0323 5: region mars-1 has no ClusterConfig"],
        ),
        (
            "  regions: [{name: a, cluster: mian}, {name: b, cluster: clusters.yaml}, {name: c, cluster: ../main.yaml}]\n",
            vec![
                "M0323 5: there is no ClusterConfig `mian`",
                "M0323 5: 3 ClusterConfigs could be the cluster of region b",
                "M0326 5: `../main.yaml` leads out of the Source",
                "!M0328 3: no region of the platform uses ClusterConfig main",
                "!M0328 7: no region of the platform uses ClusterConfig europe",
                "!M0328 11: no region of the platform uses ClusterConfig standby",
            ],
        ),
        (
            "  regions: [{name: us-east-1}, {name: eu-west-1}, {name: us-west-2}, {name: us-east-1}, {name: ../a, cluster: main}]\n",
            vec!["M0305 5: a second region is called us-east-1", "M0324 5: `../a` cannot be a region's name"],
        ),
        (
            "  documents:\n    - {regions: [us-esat-1]}\n    - {regions: [staging]}\n    - {paths: [/etc, a/../b, ''], selector: 'a==', regions: ['*']}\n",
            vec![
                "M0321 6: there is no region `us-esat-1`",
                "M0321 7: no region has the role staging",
                "M0326 8: `/etc` leads out of the Source",
                "M0326 8: `a/../b` leads out of the Source",
                "M0326 8: `` is empty",
            ],
        ),
        (
            "  documents:\n    - {selector: 'a in b', regions: ['*']}\n",
            vec!["M0327 6: this is not a selector of labels"],
        ),
        (
            "  documents:\n    - {paths: [aps], regions: ['*']}\n    - {paths: [apps], regions: ['*']}\n    - {kinds: [Service], regions: [primary]}\n",
            vec![
                "!M0325 6: no document fits this rule",
                "!M0325 8: earlier rules take every document of this one",
            ],
        ),
        (
            "  replacements:\n    images: {a b: c}\n    git: {https://github.com/shop/gitops: ../gitops}\n    endpoints: {metrics: prometheus.example, logs: https://logs.example, traces: http://localhost:3200}\n",
            vec![
                "M0329 6: `a b: c` does not map an image to an image",
                "M0326 7: `../gitops` leads out of the Source",
                "M0329 8: `prometheus.example` is not the URL of a server",
                "!M0330 8: nothing may call logs.example: it is not named under egress",
            ],
        ),
        (
            "  external:\n    secrets: [shop/db, db]\n    kinds: [Certificate.cert-manager.io, certificates]\n    hosts: ['*.example.com', 'a b']\n    namespaces: [Shop]\n",
            vec![
                "M0329 6: `db` is not of the form namespace/name",
                "M0329 9: `Shop` is not of the form a namespace's name",
                "M0329 7: `certificates` is not of the form Kind.group",
                "M0329 8: `a b` is not of the form host.example.com or *.example.com",
            ],
        ),
        (
            "  egress: [hooks.example.com, 'https://hooks.example.com', 'a:80']\n  hostFiles: [/etc/ssl/a.pem, a.pem, /a/../b]\n",
            vec![
                "M0329 5: `https://hooks.example.com` is not a host",
                "M0329 5: `a:80` is not a host",
                "M0329 6: `a.pem` is not an absolute path",
                "M0329 6: `/a/../b` is not an absolute path",
            ],
        ),
    ] {
        assert_eq!(told(&plan(spec)), expected, "{spec}");
    }
}

#[test]
fn there_is_one_platform_document_of_a_known_version_with_a_name_that_can_be_one() {
    let platform = |version: &str, name: &str| {
        format!("apiVersion: mainstay.dev/{version}\nkind: Platform\nmetadata: {{name: {name}}}\n")
    };
    for (text, expected) in [
        (platform("v1alpha1", "a"), vec![]),
        (
            platform("v1", "a"),
            vec!["M0320 1: this version of mainstay does not read a Platform of `mainstay.dev/v1`"],
        ),
        (platform("v1alpha1", "../a"), vec!["M0324 3: `../a` cannot be a platform's name"]),
        (
            format!("{}---\n{}", platform("v1alpha1", "a"), platform("v1alpha1", "b")),
            vec!["M0320 6: a second Platform document"],
        ),
    ] {
        assert_eq!(
            told(&Config::plan("test", &Source::from_text("a.yaml", text.as_str()))),
            expected,
            "{text}"
        );
    }
}

#[test]
fn an_object_that_stands_twice_in_a_region_is_told() {
    let texts = [
        ("a.yaml", APPS),
        ("b.yaml", "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}}"),
    ];
    let config = Config::plan("test", &Source::from_texts(texts));
    assert_eq!(told(&config), ["!M0332 1: Service shop/web stands twice in local"]);
    assert_eq!(config.diagnostics[0].related[0].0.line, 5);
}

#[test]
fn what_is_declared_is_kept_for_status() {
    let config = plan("  objectives: {rto: 15m, monthlyBudget: $25000}\n  egress: [hooks.example.com]\n");
    let declared = serde_json::to_value(config.declared.unwrap()).unwrap();
    assert_eq!(declared["at"], "top/mainstay.yaml:1");
    assert_eq!(declared["objectives"], serde_json::json!({"rto": "15m0s", "monthlyBudget": "25000 USD"}));
    assert_eq!(declared["egress"][0], "hooks.example.com");
}

#[test]
fn without_a_platform_document_all_but_cluster_configs_goes_to_the_primary() {
    let texts = [
        ("clusters.yaml", CLUSTERS),
        ("a.yaml", "{apiVersion: mainstay.dev/v1alpha1, kind: Drill}"),
        ("b.yaml", MONITORING),
    ];
    let config = Config::plan("test", &Source::from_texts(texts));
    let placed: Vec<_> =
        config.documents.iter().map(|placed| (placed.regions.join(" "), placed.reason.as_deref())).collect();
    let expected = [
        ("us-east-1".to_owned(), None),
        ("eu-west-1".to_owned(), None),
        ("us-west-2".to_owned(), None),
        (String::new(), Some("`mainstay drill` runs it")),
        ("us-east-1".to_owned(), None),
        ("us-east-1".to_owned(), None),
    ];
    assert_eq!(placed, expected);
}
