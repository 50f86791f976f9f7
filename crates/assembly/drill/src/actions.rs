//! What a step does, through the API like anybody would.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::{Client, ResourceExt};
use mainstay_apiserver::ApiServer;
use mainstay_base::Random;
use mainstay_kinds::NodeClaim;
use mainstay_kinds::drill::{Apply, Delete, Machines, Scale, Target};
use mainstay_kinds::node_claim::{FAULT_ANNOTATION, KILLED};
use mainstay_platform::Region;
use mainstay_platform::errors::api_message;
use serde_json::{Value, json};

use crate::kind;
use crate::machines::{self, Purpose};

/// The field manager of what drills apply.
const FIELD_MANAGER: &str = "mainstay-drill";

/// Performs steps in one region.
pub(crate) struct Actions<'r> {
    client: Client,
    api: ApiServer,
    random: &'r mut Random,
}

impl<'r> Actions<'r> {
    pub(crate) fn new(region: &Region, random: &'r mut Random) -> Self {
        Self { client: region.client(), api: region.api(), random }
    }

    pub(crate) async fn apply(&self, apply: &Apply, manifests: &[Value]) -> Result<Option<String>, String> {
        if let Some(target) = &apply.target {
            return self.patch(target, apply).await;
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        for object in manifests {
            let text = |field: &str| object[field].as_str().unwrap_or_default();
            let metadata = |field: &str| object["metadata"][field].as_str();
            let api = self.objects(Some(text("apiVersion")), text("kind"), metadata("namespace"))?;
            let name = metadata("name").unwrap_or_default();
            api.patch(name, &parameters, &Patch::Apply(object)).await.map_err(|error| api_message(&error))?;
        }
        Ok(None)
    }

    async fn patch(&self, target: &Target, apply: &Apply) -> Result<Option<String>, String> {
        let api = self.objects(target.api_version.as_deref(), &target.kind, target.namespace.as_deref())?;
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patched = match (&apply.merge, &apply.strategic, &apply.json) {
            (Some(patch), _, _) => api.patch(&target.name, &parameters, &Patch::Merge(patch)).await,
            (_, Some(patch), _) => api.patch(&target.name, &parameters, &Patch::Strategic(patch)).await,
            (_, _, Some(operations)) => {
                let operations = serde_json::from_value(operations.clone())
                    .map_err(|error| format!("this is no JSON patch: {error}"))?;
                api.patch(&target.name, &parameters, &Patch::Json::<()>(operations)).await
            }
            (None, None, None) => return Err("there is no patch".to_owned()),
        };
        patched.map(|_| None).map_err(|error| api_message(&error))
    }

    pub(crate) async fn delete(&self, delete: &Delete) -> Result<Option<String>, String> {
        let api = self.objects(delete.api_version.as_deref(), &delete.kind, delete.namespace.as_deref())?;
        let deleted = api.delete(&delete.name, &DeleteParams::background()).await;
        deleted.map(|_| None).map_err(|error| api_message(&error))
    }

    pub(crate) async fn scale(&self, scale: &Scale) -> Result<Option<String>, String> {
        let api = self.objects(scale.api_version.as_deref(), &scale.kind, scale.namespace.as_deref())?;
        let patch = Patch::Merge(json!({"spec": {"replicas": scale.replicas}}));
        let scaled = api.patch_scale(&scale.name, &PatchParams::default(), &patch).await;
        scaled.map(|_| None).map_err(|error| api_message(&error))
    }

    /// Marks the machines' claims: their agent falls silent, as a dead machine's does.
    pub(crate) async fn kill_node(&mut self, meant: &Machines) -> Result<Option<String>, String> {
        self.mark(meant, Purpose::Kill, json!(KILLED)).await
    }

    /// Takes the marks off again: the machines come back.
    pub(crate) async fn restore_node(&mut self, meant: &Machines) -> Result<Option<String>, String> {
        self.mark(meant, Purpose::Restore, Value::Null).await
    }

    async fn mark(
        &mut self,
        meant: &Machines,
        purpose: Purpose,
        fault: Value,
    ) -> Result<Option<String>, String> {
        let chosen = machines::choose(&self.client, meant, purpose, self.random).await?;
        let claims: Api<NodeClaim> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"metadata": {"annotations": {FAULT_ANNOTATION: fault}}}));
        let names: Vec<String> = chosen.iter().map(ResourceExt::name_any).collect();
        for name in &names {
            claims.patch(name, &PatchParams::default(), &patch).await.map_err(|error| api_message(&error))?;
        }
        Ok(Some(names.join(", ")))
    }

    /// The Nodes of these machines.
    pub(crate) async fn nodes(&mut self, meant: &Machines) -> Result<Vec<String>, String> {
        let chosen = machines::choose(&self.client, meant, Purpose::Cut, self.random).await?;
        Ok(chosen.iter().filter_map(machines::node_of).collect())
    }

    fn objects(
        &self,
        api_version: Option<&str>,
        kind: &str,
        namespace: Option<&str>,
    ) -> Result<Api<DynamicObject>, String> {
        let info = kind::served(self.api.registry(), api_version, kind)
            .ok_or_else(|| format!("no API serves the kind {kind}"))?;
        let resource = kind::resource(&info);
        Ok(if info.namespaced {
            Api::namespaced_with(self.client.clone(), namespace.unwrap_or("default"), &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        })
    }
}
