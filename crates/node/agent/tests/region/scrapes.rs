//! What pods serve at their own addresses.

use http::Request;
use http_body_util::{BodyExt as _, Full};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, PostParams};
use mainstay_base::net::Place;
use serde_json::json;

use crate::support::{Region, region};

/// Asks a pod for its metrics; the status, and what it says.
async fn scrape(region: &Region, at: &str) -> Option<(u16, String)> {
    let client = region.world.net().http(Place::new(region.world.scope(), "prometheus"));
    let request = Request::get(format!("http://{at}")).body(Full::default()).unwrap();
    let response = client.send(request).await.ok()?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Some((status, String::from_utf8(body.to_vec()).unwrap()))
}

fn value(text: &str, line: &str) -> f64 {
    text.lines()
        .find_map(|one| one.strip_prefix(line))
        .unwrap_or_else(|| panic!("{text}"))
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn a_pod_serves_its_metrics_for_as_long_as_it_runs() {
    region(|region| async move {
        region.configure(json!([{ "name": "g", "instanceType": "t3.large", "desiredCapacity": 1 }])).await;
        region.start();
        region.sleep(2).await;
        let node = region.nodes().await[0].metadata.name.clone().unwrap();
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "orders-1", "labels": { "app": "orders" }, "annotations": {
                "prometheus.io/port": "9102", "mainstay.dev/request-rate": "20", "mainstay.dev/error-ratio": "0.1",
                "mainstay.dev/latency": "20ms", "mainstay.dev/cpu-per-request": "1ms", "mainstay.dev/memory": "64Mi",
            }},
            "spec": { "nodeName": node, "containers": [
                { "name": "orders", "image": "orders:1", "ports": [{ "containerPort": 8080 }] },
            ]},
        }))
        .unwrap();
        region.pods().create(&PostParams::default(), &pod).await.unwrap();
        region.sleep(105).await;
        let address = region.pods().get("orders-1").await.unwrap().status.unwrap().pod_ip.unwrap();
        let (status, first) = scrape(&region, &format!("{address}:9102/metrics")).await.unwrap();
        assert_eq!(status, 200);
        let failed = "http_requests_total{service=\"orders\",method=\"GET\",status=\"500\"}";
        let count = "http_request_duration_seconds_count{service=\"orders\"}";
        let all = value(&first, count);
        assert!((1_850.0..2_200.0).contains(&all), "{first}");
        assert!((all / 10.0 - value(&first, failed)).abs() < 2.0, "{first}");
        assert!((value(&first, "process_cpu_seconds_total ") - all / 1000.0).abs() < 0.1, "{first}");
        assert!(value(&first, "process_resident_memory_bytes ") > 67_000_000.0);
        region.sleep(10).await;
        let (_, second) = scrape(&region, &format!("{address}:9102/metrics")).await.unwrap();
        assert!((185.0..215.0).contains(&(value(&second, count) - all)), "{second}");
        assert_eq!(scrape(&region, &format!("{address}:9102/")).await.unwrap().0, 404);
        assert!(scrape(&region, &format!("{address}:8080/metrics")).await.is_none(), "another port");
        region.pods().delete("orders-1", &DeleteParams::default()).await.unwrap();
        region.sleep(5).await;
        assert!(scrape(&region, &format!("{address}:9102/metrics")).await.is_none());
        region.assert_well();
    });
}
