//! What a request costs in process. Run with `--release -- --ignored --nocapture cost`.

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use mainstay_apiserver::Body;
use mainstay_base::World;
use mainstay_store::Store;
use serde_json::json;

use crate::region::{DEPLOYMENTS, Region, deployment};

const ROUNDS: u32 = 2000;

#[tokio::test]
#[ignore = "prints figures, asserts nothing"]
async fn cost_of_requests_in_process() {
    let world = World::real();
    let region = Region::start(world.clone(), Vec::new(), Store::in_memory(None)).await;
    let uri = format!("{DEPLOYMENTS}/web");
    region.post(DEPLOYMENTS, &deployment("web", 1)).await.expect(201);
    region.merge(&format!("{uri}/status"), &json!({ "status": { "replicas": 0 } })).await.expect(200);
    measure(&world, "get", |_| async { region.get(&uri).await.expect(200) }).await;
    measure(&world, "get, the answer not decoded", |_| async {
        let request = Request::get(&uri).body(Full::<Bytes>::default()).expect("a request");
        undecoded(region.send(request).await).await
    })
    .await;
    measure(&world, "merge patch of the status", |round| {
        let (region, uri) = (&region, format!("{uri}/status"));
        async move { region.merge(&uri, &json!({ "status": { "replicas": round } })).await.expect(200) }
    })
    .await;
    measure(&world, "the same, the answer not decoded", |round| {
        let body = format!(r#"{{"status":{{"replicas":{}}}}}"#, round + ROUNDS);
        let request = Request::patch(format!("{uri}/status"))
            .header("content-type", "application/merge-patch+json")
            .body(Full::from(body))
            .expect("a request");
        async { undecoded(region.send(request).await).await }
    })
    .await;
    measure(&world, "patch that changes nothing", |_| async {
        region.merge(&uri, &json!({ "spec": { "replicas": 1 } })).await.expect(200)
    })
    .await;
    measure(&world, "put", |round| {
        let mut object = deployment("web", 1);
        object["spec"]["replicas"] = json!(round);
        let (region, uri) = (&region, &uri);
        async move { region.put(uri, &object).await.expect(200) }
    })
    .await;
    measure(&world, "create", |round| {
        let object = deployment(&format!("web-{round}"), 1);
        let region = &region;
        async move { region.post(DEPLOYMENTS, &object).await.expect(201) }
    })
    .await;
    measure(&world, "apply that changes nothing", |_| async {
        region.apply(&format!("{DEPLOYMENTS}/applied?fieldManager=team"), &deployment("applied", 1)).await
    })
    .await;
}

/// Reads an answer as a client that decodes nothing.
async fn undecoded(response: Response<Body>) -> Bytes {
    assert_eq!(response.status(), 200);
    let bytes = response.into_body().collect().await.expect("it cannot fail").to_bytes();
    assert!(bytes.len() > 1000, "the whole object is answered");
    bytes
}

/// Prints the mean time of one round, reading the answer included.
#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
async fn measure<F, Fut, T>(world: &World, what: &str, mut round: F)
where
    F: FnMut(u32) -> Fut,
    Fut: Future<Output = T>,
{
    let start = world.clock().instant();
    for number in 0..ROUNDS {
        round(number).await;
    }
    let each = start.elapsed() / ROUNDS;
    println!("{what:32} {:>8.1} µs", each.as_secs_f64() * 1e6);
}
