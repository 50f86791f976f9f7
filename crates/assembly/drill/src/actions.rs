//! What a step does, through the API like anybody would.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{ApiCapabilities, Discovery, Scope};
use kube::{Client, ResourceExt};
use mainstay_kinds::drill::{Action, Delete, Expect, KillNode, Scale, Step};
use mainstay_kinds::node_claim::{FAULT_ANNOTATION, KILLED, NODE_GROUP_LABEL, NodeClaim};
use mainstay_platform::errors::api_message;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::expect;

/// The field manager of what drills apply.
const FIELD_MANAGER: &str = "mainstay-drill";
/// How often an expectation with time left looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Performs steps in one region.
pub(crate) struct Actions {
    client: Client,
}

impl Actions {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Performs one step: `Ok` with what there is to say, `Err` with why it failed.
    pub(crate) async fn perform(&self, step: &Step, manifests: &[Value]) -> Result<Option<String>, String> {
        match &step.action {
            Action::Apply(_) => self.apply(manifests).await,
            Action::Delete(delete) => self.delete(delete).await,
            Action::Scale(scale) => self.scale(scale).await,
            Action::KillNode(kill) => self.kill_node(kill).await,
            Action::Expect(expect) => self.expect(expect).await,
        }
    }

    async fn apply(&self, manifests: &[Value]) -> Result<Option<String>, String> {
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        for object in manifests {
            let text = |field: &str| object[field].as_str().unwrap_or_default();
            let metadata = |field: &str| object["metadata"][field].as_str();
            let api = self.api(Some(text("apiVersion")), text("kind"), metadata("namespace")).await?;
            let name = metadata("name").unwrap_or_default();
            api.patch(name, &parameters, &Patch::Apply(object)).await.map_err(|error| api_message(&error))?;
        }
        Ok(None)
    }

    async fn delete(&self, delete: &Delete) -> Result<Option<String>, String> {
        let api = self.api(delete.api_version.as_deref(), &delete.kind, delete.namespace.as_deref()).await?;
        let deleted = api.delete(&delete.name, &DeleteParams::background()).await;
        deleted.map(|_| None).map_err(|error| api_message(&error))
    }

    async fn scale(&self, scale: &Scale) -> Result<Option<String>, String> {
        let api = self.api(scale.api_version.as_deref(), &scale.kind, scale.namespace.as_deref()).await?;
        let patch = Patch::Merge(json!({"spec": {"replicas": scale.replicas}}));
        let scaled = api.patch_scale(&scale.name, &PatchParams::default(), &patch).await;
        scaled.map(|_| None).map_err(|error| api_message(&error))
    }

    /// Marks the machines' claims: their agent falls silent, as a dead machine's does.
    async fn kill_node(&self, kill: &KillNode) -> Result<Option<String>, String> {
        let claims: Api<NodeClaim> = Api::all(self.client.clone());
        let mut list = claims.list(&ListParams::default()).await.map_err(|error| api_message(&error))?.items;
        list.sort_by_key(|claim| (group_ordinal(claim), claim.name_any()));
        let chosen = self.choose(kill, &list).await?;
        if chosen.is_empty() {
            return Err("no machine is meant by this step".to_owned());
        }
        let fault = Patch::Merge(json!({"metadata": {"annotations": {FAULT_ANNOTATION: KILLED}}}));
        for name in &chosen {
            claims.patch(name, &PatchParams::default(), &fault).await.map_err(|error| api_message(&error))?;
        }
        Ok(Some(chosen.join(", ")))
    }

    async fn choose(&self, kill: &KillNode, claims: &[NodeClaim]) -> Result<Vec<String>, String> {
        let node_of = |claim: &NodeClaim| claim.status.as_ref().and_then(|status| status.node_name.clone());
        if let Some(name) = &kill.name {
            let meant =
                |claim: &&NodeClaim| claim.name_any() == *name || node_of(claim).as_ref() == Some(name);
            return Ok(claims.iter().find(meant).map(ResourceExt::name_any).into_iter().collect());
        }
        if let Some(group) = &kill.node_group {
            let index = usize::try_from(kill.index.unwrap_or(0)).unwrap_or(usize::MAX);
            let members = claims.iter().filter(|claim| claim.labels().get(NODE_GROUP_LABEL) == Some(group));
            return Ok(members.skip(index).take(1).map(ResourceExt::name_any).collect());
        }
        let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(self.client.clone());
        let selector = ListParams::default().labels(kill.selector.as_deref().unwrap_or_default());
        let nodes = nodes.list(&selector).await.map_err(|error| api_message(&error))?;
        let names: Vec<String> = nodes.items.iter().map(ResourceExt::name_any).collect();
        let meant = claims.iter().filter(|claim| node_of(claim).is_some_and(|node| names.contains(&node)));
        Ok(meant.map(ResourceExt::name_any).collect())
    }

    /// Looks until it is so or the time is over.
    async fn expect(&self, expected: &Expect) -> Result<Option<String>, String> {
        let deadline = Instant::now() + expected.within;
        let started = Instant::now();
        loop {
            let objects = self.observe(expected).await?;
            let Err(problem) = expect::judge(expected, &objects) else {
                let waited = started.elapsed();
                return Ok((!waited.is_zero()).then(|| format!("after {:.1} s", waited.as_secs_f64())));
            };
            if Instant::now() >= deadline {
                return Err(problem);
            }
            tokio::time::sleep(LOOK_AGAIN.min(deadline - Instant::now())).await;
        }
    }

    /// The objects an expectation is about.
    async fn observe(&self, expected: &Expect) -> Result<Vec<Value>, String> {
        let is_one = expected.name.is_some();
        let api = if is_one || expected.namespace.is_some() {
            self.api(expected.api_version.as_deref(), &expected.kind, expected.namespace.as_deref()).await?
        } else {
            let (resource, _) = self.resolve(expected.api_version.as_deref(), &expected.kind).await?;
            Api::all_with(self.client.clone(), &resource)
        };
        let objects = if let Some(name) = &expected.name {
            api.get_opt(name).await.map_err(|error| api_message(&error))?.into_iter().collect()
        } else {
            let parameters = ListParams::default().labels(expected.selector.as_deref().unwrap_or_default());
            api.list(&parameters).await.map_err(|error| api_message(&error))?.items
        };
        objects.iter().map(|object| serde_json::to_value(object).map_err(|error| error.to_string())).collect()
    }

    async fn api(
        &self,
        api_version: Option<&str>,
        kind: &str,
        namespace: Option<&str>,
    ) -> Result<Api<DynamicObject>, String> {
        let (resource, capabilities) = self.resolve(api_version, kind).await?;
        Ok(match capabilities.scope {
            Scope::Cluster => Api::all_with(self.client.clone(), &resource),
            Scope::Namespaced => {
                Api::namespaced_with(self.client.clone(), namespace.unwrap_or("default"), &resource)
            }
        })
    }

    /// The served resource of a kind.
    async fn resolve(
        &self,
        api_version: Option<&str>,
        kind: &str,
    ) -> Result<(ApiResource, ApiCapabilities), String> {
        let discovery = Discovery::new(self.client.clone())
            .run_aggregated()
            .await
            .map_err(|error| api_message(&error))?;
        let found = match api_version {
            Some(version) => {
                let (group, version) = version.split_once('/').unwrap_or(("", version));
                discovery.resolve_gvk(&GroupVersionKind::gvk(group, version, kind))
            }
            None => {
                discovery.groups_alphabetical().into_iter().find_map(|group| group.recommended_kind(kind))
            }
        };
        found.ok_or_else(|| format!("no API serves the kind {kind}"))
    }
}

fn group_ordinal(claim: &NodeClaim) -> u32 {
    let ordinal = claim.labels().get(mainstay_kinds::node_claim::ORDINAL_LABEL);
    ordinal.and_then(|ordinal| ordinal.parse().ok()).unwrap_or(0)
}
