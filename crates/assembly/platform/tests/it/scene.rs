//! A platform of the example's files in a virtual World, and what is done to it.

use std::path::Path;
use std::time::Duration;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use mainstay_base::{Seed, World};
use mainstay_platform::config::Config;
use mainstay_platform::progress::Progress;
use mainstay_platform::start::Home;
use mainstay_platform::{Platform, Region};
use mainstay_source::Source;
use serde_json::Value;

/// Runs `body` on the platform of the example once its nodes and Deployments are ready.
pub(crate) fn on_the_example<F, Fut, T>(seed: u64, body: F) -> T
where
    F: FnOnce(World, Platform) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/enterprise");
    let source = mainstay_platform::config::expanded(Source::load(&path));
    on(&source, seed, body)
}

/// Runs `body` on the platform of a Source once its nodes and Deployments are ready.
pub(crate) fn on<F, Fut, T>(source: &Source, seed: u64, body: F) -> T
where
    F: FnOnce(World, Platform) -> Fut + Send + 'static,
    Fut: Future<Output = T>,
    T: Send + 'static,
{
    assert!(source.is_sound(), "{:?}", source.diagnostics);
    let config = Config::plan("test", source);
    assert_eq!(config.diagnostics, []);
    World::enter(Seed(seed), "2026-01-01T00:00:00Z".parse().unwrap(), move |world| async move {
        let started = Platform::start(world.clone(), config, Home::Memory(None), Progress::default());
        let platform = Box::pin(started).await.unwrap();
        platform.ready().await;
        body(world, platform).await
    })
}

/// The API of one kind.
pub(crate) fn api(region: &Region, api_version: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    if namespace.is_empty() {
        Api::all_with(region.client(), &resource)
    } else {
        Api::namespaced_with(region.client(), namespace, &resource)
    }
}

/// Applies an object as a person would, and returns it.
pub(crate) async fn apply(region: &Region, object: Value) -> DynamicObject {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let namespace = text(&object["metadata"]["namespace"]);
    let api = api(region, &text(&object["apiVersion"]), &text(&object["kind"]), &namespace);
    let name = text(&object["metadata"]["name"]);
    api.patch(&name, &PatchParams::apply("person").force(), &Patch::Apply(&object)).await.unwrap()
}

/// Lets virtual time pass.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
