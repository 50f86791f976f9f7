//! Upstream's cases of quotas and LimitRanges, as tables.

use super::*;

/// What is wrong, each word once.
fn reasons(said: Vec<String>) -> Vec<String> {
    let mut reasons: Vec<String> =
        said.into_iter().map(|one| one.rsplit(": ").next().unwrap_or_default().to_owned()).collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

fn quota(spec: Value) -> Value {
    json!({ "metadata": { "name": "abc", "namespace": "foo" }, "spec": spec })
}

#[test]
fn a_quota_bounds_what_is_tracked_of_what_its_scopes_are_about() {
    let cpu = || json!({ "cpu": "100", "limits.cpu": "200" });
    let class = |operator: &str, values: Value| json!([{ "scopeName": "PriorityClass", "operator": operator, "values": values }]);
    let cases = [
        json!({ "hard": {
            "cpu": "100", "memory": "10000", "requests.cpu": "100", "requests.memory": "10000", "limits.cpu": "100",
            "limits.memory": "10000", "pods": "10", "services": "0", "replicationcontrollers": "10",
            "resourcequotas": "10", "configmaps": "10", "secrets": "10",
            "count/resourceclaims.resource.k8s.io": "1", "gold.deviceclass.resource.k8s.io/devices": "1",
        }}),
        json!({ "hard": {
            "ephemeral-storage": "10000", "requests.ephemeral-storage": "10000", "limits.ephemeral-storage": "10000",
        }}),
        json!({ "hard": { "cpu": "100m" } }),
        json!({ "hard": cpu(), "scopes": ["Terminating"] }),
        json!({ "hard": { "cpu": "100" }, "scopes": ["NotTerminating"] }),
        json!({ "hard": { "pods": "100" }, "scopes": ["BestEffort"] }),
        json!({ "hard": cpu(), "scopes": ["CrossNamespacePodAffinity"] }),
        json!({ "hard": { "cpu": "100" }, "scopes": ["NotBestEffort"] }),
        json!({ "scopeSelector": { "matchExpressions": class("In", json!(["cluster-services"])) } }),
    ];
    for spec in cases {
        assert_eq!(made("ResourceQuota", quota(spec.clone())), [""; 0], "{spec}");
    }
}

#[test]
fn a_quota_that_cannot_be_kept_is_refused() {
    let expressions = |scope: &str, operator: &str, values: Value| {
        json!({ "scopeSelector": { "matchExpressions": [
            { "scopeName": scope, "operator": operator, "values": values },
        ]}})
    };
    let exists = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                  ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
                  ResourceQuotaScopeCrossNamespacePodAffinity";
    let cases = [
        (
            json!({ "hard": { "cpu": "-100", "memory": "-10000", "pods": "-10", "services": "-10", "secrets": "-10" } }),
            &["must be greater than or equal to 0"][..],
        ),
        (
            json!({ "hard": { "pods": ".1", "services": ".5", "resourcequotas": "2.5" } }),
            &["must be an integer"],
        ),
        (json!({ "hard": { "storage": "10" } }), &["must be a standard resource for quota"]),
        (
            json!({ "hard": { "cpu": "1" }, "scopes": ["Terminating", "NotTerminating"] }),
            &["conflicting scopes"],
        ),
        (
            json!({ "hard": { "pods": "1" }, "scopes": ["BestEffort", "NotBestEffort"] }),
            &["conflicting scopes"],
        ),
        (json!({ "hard": { "cpu": "100" }, "scopes": ["foo"] }), &["unsupported scope"]),
        (
            json!({ "hard": { "cpu": "100" }, "scopes": ["BestEffort"] }),
            &["unsupported scope applied to resource"],
        ),
        (expressions("CrossNamespacePodAffinity", "In", json!(["cluster-services"])), &[exists]),
        (
            expressions("PriorityClass", "In", json!([])),
            &["must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"],
        ),
        (
            expressions("PriorityClass", "Exists", json!(["a"])),
            &["must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"],
        ),
        (expressions("PriorityClass", "Like", json!([])), &["not a valid selector operator"]),
    ];
    for (spec, expected) in cases {
        assert_eq!(reasons(made("ResourceQuota", quota(spec.clone()))), expected, "{spec}");
    }
    assert_eq!(
        made("ResourceQuota", quota(json!({ "hard": { "pods": "100m" } }))),
        ["spec.hard[pods]: Invalid value: resource.Quantity{i:resource.int64Amount{value:100, scale:-3}, \
          d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:\"\", Format:\"DecimalSI\"}: must be an integer"]
    );
    assert_eq!(
        made("ResourceQuota", quota(json!({ "hard": { "bananas": "1" }, "scopes": ["foo"] }))),
        [
            "spec.hard[bananas]: Invalid value: \"bananas\": must be a standard resource type or fully qualified",
            "spec.hard[bananas]: Invalid value: \"bananas\": must be a standard resource for quota",
            "spec.scopes: Invalid value: []core.ResourceQuotaScope{\"foo\"}: unsupported scope",
        ]
    );
}

#[test]
fn the_scopes_of_a_quota_do_not_change_and_its_status_has_amounts() {
    let live = quota(json!({ "hard": { "pods": "1" }, "scopes": ["Terminating"] }));
    let more = changed("ResourceQuota", &live, |object| object["spec"]["hard"]["pods"] = json!("2"));
    assert_eq!(more, [""; 0]);
    let other =
        changed("ResourceQuota", &live, |object| object["spec"]["scopes"] = json!(["NotTerminating"]));
    assert_eq!(
        other,
        ["spec.scopes: Invalid value: []core.ResourceQuotaScope{\"NotTerminating\"}: field is immutable"]
    );
    let info = info("ResourceQuota");
    let mut object = live.clone();
    object["status"] = json!({ "hard": { "pods": "1" }, "used": { "pods": "-1", "storage": "1" } });
    let wrong = said(&update(&info, &live, &object, Some(&Action::Status)));
    assert_eq!(
        wrong,
        [
            "status.used[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
            "status.used[storage]: Invalid value: \"storage\": must be a standard resource for quota",
        ]
    );
}

/// `max cpu=1 memory=2Gi; min cpu=100m` as an item of a LimitRange.
fn item(kind: &str, bounds: &str) -> Value {
    let mut item = json!({ "type": kind });
    for bound in bounds.split("; ").filter(|bound| !bound.is_empty()) {
        let mut words = bound.split(' ');
        let field = words.next().unwrap_or_default();
        item[field] = words
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, amount)| (name.to_owned(), json!(amount)))
            .collect();
    }
    item
}

fn wrong_with(items: &[Value]) -> Vec<String> {
    reasons(made("LimitRange", json!({ "metadata": { "name": "abc" }, "spec": { "limits": items } })))
}

#[test]
fn bounds_and_defaults_that_agree_are_accepted() {
    let full = "max cpu=100m memory=10000Mi; min cpu=5m memory=100Mi; default cpu=50m memory=500Mi; \
                defaultRequest cpu=10m memory=200Mi; maxLimitRequestRatio cpu=10";
    let big = "max cpu=100m memory=10000T; min cpu=5m memory=100Mi; default cpu=50m memory=500Mi; \
               defaultRequest cpu=10m memory=200Mi; maxLimitRequestRatio cpu=10";
    let pods = "max cpu=100m memory=10000Mi; min cpu=5m memory=100Mi; maxLimitRequestRatio cpu=10";
    let stored = "max storage=10000T; min storage=100Mi; default storage=500Mi; defaultRequest storage=200Mi";
    let disk = "max ephemeral-storage=10000Mi; min ephemeral-storage=100Mi";
    let cases = [
        vec![
            item("Pod", pods),
            item("Container", full),
            item("PersistentVolumeClaim", "max storage=10Gi; min storage=5Gi"),
        ],
        vec![
            item("Pod", disk),
            item(
                "Container",
                &format!("{disk}; default ephemeral-storage=500Mi; defaultRequest ephemeral-storage=200Mi"),
            ),
        ],
        vec![item("PersistentVolumeClaim", "min storage=5Gi")],
        vec![item("PersistentVolumeClaim", "max storage=10Gi")],
        vec![item("Container", big)],
        vec![item("thirdparty.com/foo", big)],
        vec![item("thirdparty.com/foo", stored)],
    ];
    for items in cases {
        assert_eq!(wrong_with(&items), [""; 0], "{items:?}");
    }
}

#[test]
fn bounds_and_defaults_that_contradict_each_other_are_refused() {
    let stored = "max storage=10000T; min storage=100Mi; default storage=500Mi; defaultRequest storage=200Mi";
    let pods = "max cpu=100m memory=10000m; min cpu=0m memory=100m";
    let not_of_pods = "may not be specified when `type` is 'Pod'";
    let cases = [
        (vec![item("Pod", pods), item("Pod", "min cpu=0m memory=100m")], "\"Pod\""),
        (vec![item("Pod", &format!("{pods}; default cpu=10m"))], not_of_pods),
        (vec![item("Pod", &format!("{pods}; defaultRequest cpu=10m"))], not_of_pods),
        (vec![item("Pod", "max cpu=10m; min cpu=100m")], "min value 100m is greater than max value 10m"),
        (
            vec![item("Container", "max cpu=1; min cpu=100m; default cpu=2000m; defaultRequest cpu=1")],
            "default value 2 is greater than max value 1",
        ),
        (
            vec![item("Container", "max cpu=1; min cpu=100m; default cpu=1; defaultRequest cpu=2000m")],
            "default request value 2 is greater than default limit value 1, default request value 2 is greater than max value 1",
        ),
        (
            vec![item("Container", "max cpu=2; min cpu=100m; default cpu=500m; defaultRequest cpu=800m")],
            "default request value 800m is greater than default limit value 500m",
        ),
        (vec![item("Pod", "maxLimitRequestRatio cpu=800m")], "ratio 800m is less than 1"),
        (
            vec![item("Container", "max memory=2Gi; min memory=512Mi; maxLimitRequestRatio memory=10")],
            "ratio 10 is greater than max/min = 4.000000",
        ),
        (vec![item("foo", stored)], "must be a standard limit type or fully qualified"),
        (
            vec![item("PersistentVolumeClaim", "")],
            "either minimum or maximum storage value is required, but neither was provided",
        ),
        (
            vec![item("PersistentVolumeClaim", "min storage=10Gi; max storage=1Gi")],
            "min value 10Gi is greater than max value 1Gi",
        ),
        (
            vec![item("Container", "default example.com/dongle=2; defaultRequest example.com/dongle=1")],
            "default value 2 must equal to defaultRequest value 1 in example.com/dongle",
        ),
        (vec![item("Container", "max storage=1Gi")], "must be a standard resource for containers"),
    ];
    for (items, expected) in cases {
        assert_eq!(wrong_with(&items).join(", "), expected, "{items:?}");
    }
}
