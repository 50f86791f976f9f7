//! Quotas and limit ranges: what they let in, what they add, and what is charged with it.

use std::sync::Arc;

use futures::future::join_all;
use mainstay_base::disk::FaultyDisk;
use mainstay_base::{Seed, World};
use mainstay_store::Store;
use serde_json::{Value, json};

use crate::region::{CONFIG_MAPS, PODS, Region, config_map, deployment, in_region, pod};

const QUOTAS: &str = "/api/v1/namespaces/default/resourcequotas";
const RANGES: &str = "/api/v1/namespaces/default/limitranges";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";

/// A quota whose use is known.
async fn quota(region: &Region, name: &str, hard: &Value, used: &Value) {
    let object = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": name }, "spec": { "hard": hard },
    });
    region.post(QUOTAS, &object).await.expect(201);
    calculated(region, name, hard, used).await;
}

/// What a quota's controller says of it.
async fn calculated(region: &Region, name: &str, hard: &Value, used: &Value) {
    let status = json!({ "status": { "hard": hard, "used": used } });
    region.merge(&format!("{QUOTAS}/{name}/status"), &status).await.expect(200);
}

async fn used(region: &Region, name: &str) -> Value {
    region.get(&format!("{QUOTAS}/{name}")).await.expect(200).body["status"]["used"].clone()
}

fn asking(name: &str, cpu: &str) -> Value {
    let mut object = pod(name);
    object["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": cpu } });
    object
}

fn service(name: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "type": kind, "ports": [{ "port": 80, "name": "a" }, { "port": 81, "name": "b" }] },
    })
}

#[test]
fn a_pod_is_written_together_with_what_it_takes() {
    in_region(|region| async move {
        let hard = json!({ "pods": "2", "requests.cpu": "1" });
        quota(&region, "q", &hard, &json!({ "pods": "0", "requests.cpu": "0" })).await;
        let made = region.post(PODS, &asking("a", "300m")).await.expect(201);
        let charged = region.get(&format!("{QUOTAS}/q")).await.expect(200);
        assert_eq!(charged.body["status"]["used"], json!({ "pods": "1", "requests.cpu": "300m" }));
        let number = |revision: &str| revision.parse::<u64>().expect("a number");
        assert_eq!(number(charged.revision()) + 1, number(made.revision()), "one transaction");
        let managers = charged.body["metadata"]["managedFields"].as_array().expect("managers");
        let own = managers.iter().find(|own| own["manager"] == "kube-apiserver").expect("the server's");
        assert_eq!((&own["operation"], &own["subresource"]), (&json!("Update"), &json!("status")));

        let refused = region.post(PODS, &asking("b", "800m")).await.expect(403);
        assert_eq!(
            refused.message(),
            "pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=800m, used: requests.cpu=300m, \
             limited: requests.cpu=1"
        );
        assert_eq!(refused.reason(), "Forbidden");
        let silent = region.post(PODS, &pod("c")).await.expect(403);
        assert_eq!(
            silent.message(),
            "pods \"c\" is forbidden: failed quota: q: must specify requests.cpu for: main"
        );
        region.post(&format!("{PODS}?dryRun=All"), &asking("d", "1m")).await.expect(201);
        region.post(&format!("{PODS}?dryRun=All"), &asking("d", "1")).await.expect(403);
        region.post(PODS, &asking("a", "1m")).await.expect(409);
        let mut wrong = asking("e", "1m");
        wrong["spec"]["restartPolicy"] = json!("Sometimes");
        region.post(PODS, &wrong).await.expect(422);
        assert_eq!(used(&region, "q").await["pods"], "1", "what comes to nothing costs nothing");
        let mut generated = asking("", "900m");
        generated["metadata"] = json!({ "generateName": "web-" });
        let refused = region.post(PODS, &generated).await.expect(403);
        assert!(refused.message().starts_with("pods \"web-"), "{}", refused.message());
        assert!(!refused.message().starts_with("pods \"web-\""), "it has its name by then");

        region.delete_with(&format!("{PODS}/a"), &json!({ "gracePeriodSeconds": 0 })).await.expect(200);
        assert_eq!(used(&region, "q").await["pods"], "1", "to give back is the controller's");
    });
}

#[test]
fn whatever_is_named_is_counted_also_by_apply() {
    in_region(|region| async move {
        let hard = json!({ "count/deployments.apps": "1", "configmaps": "1", "count/configmaps": "5" });
        let none = json!({ "count/deployments.apps": "0", "configmaps": "0", "count/configmaps": "0" });
        quota(&region, "q", &hard, &none).await;
        let deployments = "/apis/apps/v1/namespaces/default/deployments";
        region.post(deployments, &deployment("a", 1)).await.expect(201);
        let refused = region.post(deployments, &deployment("b", 1)).await.expect(403);
        assert_eq!(
            refused.message(),
            "deployments.apps \"b\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: \
             count/deployments.apps=1, limited: count/deployments.apps=1"
        );
        let map = |name: &str| {
            let mut map = config_map(name, &json!({}));
            map["apiVersion"] = json!("v1");
            map["kind"] = json!("ConfigMap");
            map
        };
        let at = |name: &str| format!("{CONFIG_MAPS}/{name}?fieldManager=me");
        region.apply(&at("a"), &map("a")).await.expect(201);
        region.apply(&at("a"), &map("a")).await.expect(200);
        region.apply(&at("b"), &map("b")).await.expect(403);
        let counted = json!({ "count/deployments.apps": "1", "configmaps": "1", "count/configmaps": "1" });
        assert_eq!(used(&region, "q").await, counted);
    });
}

#[test]
fn a_change_takes_only_what_is_more() {
    in_region(|region| async move {
        let hard = json!({ "services.nodeports": "2", "requests.storage": "10Gi" });
        quota(&region, "q", &hard, &json!({ "services.nodeports": "0", "requests.storage": "0" })).await;
        region.post(SERVICES, &service("a", "ClusterIP")).await.expect(201);
        assert_eq!(used(&region, "q").await["services.nodeports"], "0");
        let at = format!("{SERVICES}/a");
        region.merge(&at, &json!({ "spec": { "type": "NodePort" } })).await.expect(200);
        region.merge(&at, &json!({ "metadata": { "labels": { "a": "b" } } })).await.expect(200);
        assert_eq!(used(&region, "q").await["services.nodeports"], "2");
        let refused = region.post(SERVICES, &service("b", "NodePort")).await.expect(403);
        assert!(refused.message().contains("requested: services.nodeports=2, used: services.nodeports=2"));

        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "4Gi" } } },
        });
        region.post(CLAIMS, &claim).await.expect(201);
        assert_eq!(used(&region, "q").await["requests.storage"], "4Gi");
        let resized = json!({ "status": { "allocatedResources": { "storage": "6Gi" } } });
        region.merge(&format!("{CLAIMS}/data/status"), &resized).await.expect(200);
        assert_eq!(used(&region, "q").await["requests.storage"], "6Gi");
    });
}

#[test]
fn nothing_is_let_in_while_nobody_knows_what_is_used_but_it_is_waited_for() {
    in_region(|region| async move {
        let hard = json!({ "pods": "1" });
        quota(&region, "q", &hard, &json!({})).await;
        let refused = region.post(PODS, &pod("a")).await.expect(403);
        assert_eq!(
            refused.message(),
            "pods \"a\" is forbidden: status unknown for quota: q, resources: pods"
        );
        let (object, none, other) = (pod("a"), json!({ "pods": "0" }), region.clone());
        let (made, ()) = tokio::join!(region.post(PODS, &object), async {
            other.world.clock().sleep(std::time::Duration::from_millis(100)).await;
            calculated(&other, "q", &hard, &none).await;
        });
        made.expect(201);
        region.post(PODS, &pod("b")).await.expect(403);
        region
            .post("/api/v1/namespaces/kube-public/configmaps", &config_map("a", &json!({})))
            .await
            .expect(201);
    });
}

/// Creators of which only some may succeed.
async fn race(region: &Region, count: usize) -> usize {
    let made = join_all((0..count).map(|index| {
        let region = region.clone();
        async move { region.post(PODS, &pod(&format!("p{index}"))).await }
    }))
    .await;
    for answer in &made {
        assert!(answer.code == 201 || answer.message().contains("exceeded quota: q"), "{answer:?}");
    }
    made.iter().filter(|answer| answer.code == 201).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_that_race_on_disk_as_many_succeed_as_there_is_room() {
    let store = Store::open(Arc::new(FaultyDisk::new(Seed(9))), mainstay_apiserver::index).expect("it opens");
    let region = Region::start(World::real(), Vec::new(), store).await;
    quota(&region, "q", &json!({ "pods": "17" }), &json!({ "pods": "0" })).await;
    assert_eq!(race(&region, 60).await, 17);
    assert_eq!(used(&region, "q").await["pods"], "17");
    let pods = region.get(PODS).await.expect(200);
    assert_eq!(pods.body["items"].as_array().map(Vec::len), Some(17));
}

#[test]
fn a_quota_that_comes_to_be_meanwhile_is_charged_too() {
    in_region(|region| async move {
        let (first, second) = (region.clone(), region.clone());
        let hard = json!({ "pods": "5" });
        let (made, ()) = tokio::join!(race(&first, 20), async {
            quota(&second, "q", &hard, &json!({ "pods": "0" })).await;
        });
        // Those that were in before it was are not its affair.
        let all = region.get(PODS).await.expect(200).body["items"].as_array().map_or(0, Vec::len);
        assert_eq!(all, made);
        let counted: usize =
            used(&region, "q").await["pods"].as_str().and_then(|text| text.parse().ok()).expect("a number");
        assert!(counted <= 5 && counted <= made, "{counted} of {made}");
    });
}

fn limit_range(limits: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "l" }, "spec": { "limits": limits } })
}

#[test]
fn a_pod_gets_the_defaults_of_its_namespace_and_must_keep_to_its_bounds() {
    in_region(|region| async move {
        let limits = json!([
            { "type": "Container", "max": { "cpu": "2" }, "min": { "cpu": "100m" }, "defaultRequest": { "cpu": "200m" } },
            { "type": "Pod", "max": { "cpu": "3" } },
            { "type": "PersistentVolumeClaim", "max": { "storage": "5Gi" } },
        ]);
        let made = region.post(RANGES, &limit_range(&limits)).await.expect(201);
        assert_eq!(made.body["spec"]["limits"][0]["default"], json!({ "cpu": "2" }), "the maximum");
        let made = region.post(PODS, &pod("a")).await.expect(201).body;
        let resources = &made["spec"]["containers"][0]["resources"];
        assert_eq!(resources, &json!({ "requests": { "cpu": "200m" }, "limits": { "cpu": "2" } }));
        assert_eq!(made["status"]["qosClass"], "Burstable");
        assert_eq!(
            made["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
            "LimitRanger plugin set: cpu request for container main; cpu limit for container main"
        );
        let owned = &made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"];
        assert!(!owned.to_string().contains("f:requests"), "nobody owns what the server adds: {owned}");
        let refused = region.post(PODS, &asking("b", "50m")).await.expect(403);
        assert_eq!(
            refused.message(),
            "pods \"b\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m"
        );
        let mut two = pod("c");
        let one = two["spec"]["containers"][0].clone();
        two["spec"]["containers"].as_array_mut().expect("containers").push(one);
        two["spec"]["containers"][1]["name"] = json!("d");
        let refused = region.post(PODS, &two).await.expect(403);
        assert_eq!(
            refused.message(),
            "pods \"c\" is forbidden: maximum cpu usage per Pod is 3, but limit is 4"
        );
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "6Gi" } } },
        });
        let refused = region.post(CLAIMS, &claim).await.expect(403);
        assert_eq!(
            refused.message(),
            "persistentvolumeclaims \"data\" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, \
             but request is 6Gi"
        );
    });
}

#[test]
fn a_pod_that_is_resized_keeps_to_bounds_and_quota() {
    in_region(|region| async move {
        let limits = json!([{ "type": "Container", "max": { "cpu": "2" }, "default": { "cpu": "2" } }]);
        region.post(RANGES, &limit_range(&limits)).await.expect(201);
        quota(&region, "q", &json!({ "requests.cpu": "1" }), &json!({ "requests.cpu": "0" })).await;
        region.post(PODS, &asking("a", "500m")).await.expect(201);
        let resize = |request: &str, limit: &str| {
            let resources = json!({ "requests": { "cpu": request }, "limits": { "cpu": limit } });
            json!({ "spec": { "containers": [{ "name": "main", "resources": resources }] } })
        };
        let (at, strategic) = (format!("{PODS}/a/resize"), "application/strategic-merge-patch+json");
        region.patch(&at, strategic, &resize("800m", "2")).await.expect(200);
        assert_eq!(used(&region, "q").await["requests.cpu"], "800m");
        let refused = region.patch(&at, strategic, &resize("1500m", "2")).await.expect(403);
        assert!(refused.message().contains("requested: requests.cpu=700m"), "{}", refused.message());
        let refused = region.patch(&at, strategic, &resize("800m", "3")).await.expect(403);
        assert!(refused.message().ends_with("maximum cpu usage per Container is 2, but limit is 3"));
    });
}
