//! Services against pods that come, go and fail.

use k8s_openapi::api::core::v1::{Endpoints, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::support::{Region, region};

async fn serve(region: &Region) {
    let service: Service = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }))
    .unwrap();
    Api::namespaced(region.client.clone(), "default").create(&PostParams::default(), &service).await.unwrap();
}

/// Addresses told by slices, and by Endpoints, of which ready ones.
async fn told(region: &Region) -> (usize, usize, usize) {
    let slices: Vec<EndpointSlice> = region.all().await;
    let slices =
        slices.iter().filter(|slice| {
            slice.metadata.labels.as_ref().is_some_and(|labels| {
                labels.get("kubernetes.io/service-name").is_some_and(|name| name == "web")
            })
        });
    let in_slices = slices.map(|slice| slice.endpoints.len()).sum();
    let endpoints =
        Api::<Endpoints>::namespaced(region.client.clone(), "default").get_opt("web").await.unwrap();
    let subsets = endpoints.and_then(|endpoints| endpoints.subsets).unwrap_or_default();
    let ready = subsets.iter().flat_map(|subset| subset.addresses.iter().flatten()).count();
    let unready = subsets.iter().flat_map(|subset| subset.not_ready_addresses.iter().flatten()).count();
    (in_slices, ready + unready, ready)
}

#[test]
fn a_service_tells_of_its_pods_for_as_long_as_they_are_there() {
    region(3, |region| async move {
        serve(&region).await;
        region.sleep(1).await;
        assert_eq!(told(&region).await, (0, 0, 0));
        region.deploy(4).await;
        region.sleep(30).await;
        assert_eq!(told(&region).await, (4, 4, 4));
        region.change(json!({"spec": {"replicas": 1}})).await;
        region.sleep(60).await;
        assert_eq!(told(&region).await, (1, 1, 1));
        let services = Api::<Service>::namespaced(region.client.clone(), "default");
        services.delete("web", &DeleteParams::default()).await.unwrap();
        region.sleep(5).await;
        assert_eq!(told(&region).await, (0, 0, 0), "both go with the Service");
        region.assert_well();
    });
}

#[test]
fn a_settled_service_causes_no_write_and_what_others_spoil_is_put_right() {
    region(4, |region| async move {
        serve(&region).await;
        region.deploy(3).await;
        region.sleep(60).await;
        let count = |region: &Region| {
            let writes = region.writes();
            writes.iter().filter(|(call, _)| call.contains("endpoint")).map(|(_, count)| *count).sum::<u64>()
        };
        let before = count(&region);
        // Made, then an address and readiness of each pod, in either telling.
        assert!(before <= 14, "three pods became ready in {before} writes");
        region.sleep(600).await;
        assert_eq!(count(&region), before);
        let slices = Api::<EndpointSlice>::namespaced(region.client.clone(), "default");
        for slice in region.all::<EndpointSlice>().await {
            slices.delete(&slice.metadata.name.unwrap(), &DeleteParams::default()).await.ok();
        }
        let endpoints = Api::<Endpoints>::namespaced(region.client.clone(), "default");
        endpoints.delete("web", &DeleteParams::default()).await.unwrap();
        region.sleep(5).await;
        assert_eq!(told(&region).await, (3, 3, 3));
    });
}
