//! A controller's writes: under its field manager, and without decoding answers nobody reads.

use kube::Resource;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ObjectMeta, Request};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::{Excerpt, Key};

/// Writes objects of built-in kinds as one controller; clones share the client.
#[derive(Clone)]
pub struct Writer {
    client: kube::Client,
    manager: Option<&'static str>,
}

/// What is read of an answer where anything is.
type Written<K> = Excerpt<K, IgnoredAny>;

impl Writer {
    /// Writes through `client` under the field manager `manager`.
    pub fn new(client: kube::Client, manager: &'static str) -> Self {
        Self { client, manager: Some(manager) }
    }

    /// Writes through `client` under whatever name the server knows it by.
    pub(crate) fn unnamed(client: kube::Client) -> Self {
        Self { client, manager: None }
    }

    /// The client it writes through.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Creates an object; returns what of its metadata tells who it is.
    pub async fn create<K>(&self, object: &K) -> Result<ObjectMeta, kube::Error>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let path = K::url_path(&(), object.meta().namespace.as_deref());
        let params = PostParams { field_manager: self.field_manager(), ..PostParams::default() };
        let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
        let created: Written<K> = self.send(Request::new(path).create(&params, body)).await?;
        Ok(created.metadata)
    }

    /// Creates a subresource of an object, such as a pod's `binding`.
    pub async fn create_at<K: Resource<DynamicType = ()>>(
        &self,
        key: &Key,
        subresource: &str,
        body: &impl Serialize,
    ) -> Result<(), kube::Error> {
        let params = PostParams { field_manager: self.field_manager(), ..PostParams::default() };
        let body = serde_json::to_vec(body).map_err(kube::Error::SerdeError)?;
        let request = request::<K>(key).create_subresource(subresource, &key.name, &params, body);
        self.send::<IgnoredAny>(request).await.map(|_| ())
    }

    /// Replaces a subresource of an object, such as a namespace's `finalize`.
    pub async fn replace_at<K>(&self, object: &K, subresource: &str) -> Result<(), kube::Error>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let key = Key::of(object);
        let params = PostParams { field_manager: self.field_manager(), ..PostParams::default() };
        let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
        let request = request::<K>(&key).replace_subresource(subresource, &key.name, &params, body);
        self.send::<IgnoredAny>(request).await.map(|_| ())
    }

    /// Merge-patches an object.
    pub async fn merge<K: Resource<DynamicType = ()>>(
        &self,
        key: &Key,
        patch: &Value,
    ) -> Result<(), kube::Error> {
        self.patch::<K>(key, None, &Patch::Merge(patch)).await
    }

    /// Merge-patches the `status` of an object with what is to change below `status`.
    pub async fn merge_status<K>(&self, key: &Key, change: Value) -> Result<(), kube::Error>
    where
        K: Resource<DynamicType = ()>,
    {
        let patch = serde_json::json!({ "status": change });
        self.patch::<K>(key, Some("status"), &Patch::Merge(patch)).await
    }

    /// Merge-patches the `status` of an object that is still at `version`; returns what of its metadata
    /// tells who it is then.
    pub async fn merge_status_at<K>(
        &self,
        key: &Key,
        version: Option<&str>,
        change: Value,
    ) -> Result<ObjectMeta, kube::Error>
    where
        K: Resource<DynamicType = ()>,
    {
        let patch = serde_json::json!({ "metadata": { "resourceVersion": version }, "status": change });
        let params = PatchParams { field_manager: self.field_manager(), ..PatchParams::default() };
        let request = request::<K>(key).patch_subresource("status", &key.name, &params, &Patch::Merge(patch));
        Ok(self.send::<Written<K>>(request).await?.metadata)
    }

    /// Patches an object or a subresource of it.
    pub async fn patch<K: Resource<DynamicType = ()>>(
        &self,
        key: &Key,
        subresource: Option<&str>,
        patch: &Patch<impl Serialize>,
    ) -> Result<(), kube::Error> {
        let request = request::<K>(key);
        let params = PatchParams { field_manager: self.field_manager(), ..PatchParams::default() };
        let request = match subresource {
            None => request.patch(&key.name, &params, patch),
            Some(subresource) => request.patch_subresource(subresource, &key.name, &params, patch),
        };
        self.send::<IgnoredAny>(request).await.map(|_| ())
    }

    /// Deletes an object; one that is gone already is no error.
    pub async fn delete<K>(&self, key: &Key, params: &DeleteParams) -> Result<(), kube::Error>
    where
        K: Resource<DynamicType = ()>,
    {
        unless_gone(self.send::<IgnoredAny>(request::<K>(key).delete(&key.name, params)).await.map(|_| ()))
    }

    fn field_manager(&self) -> Option<String> {
        self.manager.map(str::to_owned)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<T, kube::Error> {
        self.client.request::<T>(request.map_err(kube::Error::BuildRequest)?).await
    }
}

fn request<K: Resource<DynamicType = ()>>(key: &Key) -> Request {
    Request::new(K::url_path(&(), Some(&*key.namespace).filter(|namespace| !namespace.is_empty())))
}

/// Whether the object asked for is not there.
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Whether an object of that name was there before.
pub fn already_exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.reason == "AlreadyExists")
}

/// Whether nothing can be created any more because the namespace is being deleted.
pub fn is_namespace_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .any(|cause| cause.reason == "NamespaceTerminating")
}

/// What the server said, for a message to a person.
pub fn text(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

/// A write's result, where it does not matter that the object is gone already.
pub fn unless_gone(result: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(error) if is_not_found(&error) => Ok(()),
        other => other,
    }
}
