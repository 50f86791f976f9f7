//! Platforms as they are written.

use std::time::Duration;

use mainstay_source::Source;

use super::*;

/// Reads a Platform with this spec; what is wrong as `line: message`.
fn read(spec: &str) -> Result<Platform, Vec<String>> {
    let text = format!("apiVersion: {API_VERSION}\nkind: Platform\nmetadata: {{name: shop}}\nspec:\n{spec}");
    let source = Source::from_text("mainstay.yaml", text);
    assert_eq!(source.diagnostics, []);
    let problems = match source.documents[0].read::<Platform>().into_result() {
        Ok(platform) => return Ok(platform),
        Err(problems) => problems,
    };
    let line = problems.iter().map(|problem| {
        let help = problem.help.as_deref().unwrap_or_default();
        format!("{}: {} ({help})", problem.at.as_ref().map_or(0, |at| at.line), problem.message)
    });
    Err(line.collect())
}

#[test]
fn a_platform_reads_whole_and_writes_as_it_was_read() {
    let platform = read(
        "  regions:
    - {name: us-east-1, role: primary, cluster: clusters/us-east-1.yaml}
    - name: us-west-2
      role: dr
      cluster:
        apiVersion: eksctl.io/v1alpha5
        kind: ClusterConfig
        metadata: {name: standby, region: us-west-2}
  documents:
    - {paths: [apps], kinds: [Deployment], namespaces: [shop], selector: 'tier in (web)', regions: ['*']}
  kustomizations: [{path: overlays/us-east-1, regions: [us-east-1]}]
  replacements:
    images: {ghcr.io/shop/web: localhost:5000/web}
    git: {https://github.com/shop/gitops: gitops}
    endpoints: {metrics: https://prometheus.shop.example}
  external: {namespaces: [vault], kinds: [Certificate.cert-manager.io], secrets: [shop/db], hosts: ['*.shop.example']}
  egress: [prometheus.shop.example]
  hostFiles: [/etc/ssl/shop.pem]
  objectives: {rto: 15m, rpo: 5m, availability: 99.9%, monthlyBudget: 25000 USD}
",
    )
    .unwrap();
    let spec = &platform.spec;
    assert_eq!(spec.regions[1].role, Some(Role::Dr));
    assert!(
        matches!(&spec.regions[0].cluster, Some(Cluster::Named(name)) if name == "clusters/us-east-1.yaml")
    );
    assert!(
        matches!(&spec.regions[1].cluster, Some(Cluster::Inline(config)) if config.metadata.name == "standby")
    );
    assert_eq!(spec.objectives.rto, Some(Duration::from_mins(15)));
    assert_eq!(
        spec.replacements.endpoints.given().collect::<Vec<_>>(),
        [("metrics", "https://prometheus.shop.example")]
    );
    let written = serde_json::to_value(&platform).unwrap();
    assert_eq!(written["spec"]["objectives"]["monthlyBudget"], "25000 USD");
    assert_eq!(serde_json::from_value::<Platform>(written).unwrap(), platform);
}

#[test]
fn what_does_not_fit_is_told_at_its_place() {
    let told = read(
        "  regions:
    - {name: a, role: primry}
    - name: b
      cluster: {apiVersion: x, kind: ClusterConfig, metadata: {name: b, region: b}, nodeGroup: []}
    - {name: c, cluster: [1]}
  documents: [{path: [apps], regions: [a]}]
  objectives: {rto: 15, availability: 99.9, monthlyBudget: 25000 EUR}
  replacements: {endpoints: {metric: x}}
",
    )
    .unwrap_err();
    let expected = [
        "6: `primry` is not one of the values allowed here (did you mean `primary`?)",
        "8: unknown field `nodeGroup` (did you mean `nodeGroups`?)",
        "9: expected a ClusterConfig, or the name or file of one, found a sequence (change the value shown)",
        "10: unknown field `path` (did you mean `paths`?)",
        "11: invalid duration \"15\": write it like 90s, 10m or 1h30m (change the value shown)",
        "11: expected a percentage like 99.9%, found `99.9` (change the value shown)",
        "11: invalid amount \"25000 EUR\": write it like 25000 USD (prices are in US dollars) (change the value shown)",
        "12: unknown field `metric` (did you mean `metrics`?)",
    ];
    assert_eq!(told, expected);
}
