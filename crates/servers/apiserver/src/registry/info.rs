//! What is known about one served resource.

use std::sync::Arc;

use serde_json::Value;

use crate::structural::Structural;

/// Verbs every ordinary resource has, in upstream's order.
pub const ALL_VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Everything there is to know about one served (group, version, resource).
#[derive(Clone, Debug)]
pub struct ResourceInfo {
    /// The API group; empty for the core group.
    pub group: Arc<str>,
    /// The version it is served at here.
    pub version: Arc<str>,
    /// The plural in the URL: `deployments`.
    pub resource: Arc<str>,
    /// `Deployment`.
    pub kind: Arc<str>,
    /// `deployment`.
    pub singular: Arc<str>,
    /// `DeploymentList`.
    pub list_kind: Arc<str>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// What kubectl accepts instead of the plural.
    pub short_names: Vec<Arc<str>>,
    /// Groups of resources it belongs to: `all`.
    pub categories: Vec<Arc<str>>,
    /// What can be done with it ([`ALL_VERBS`] for most).
    pub verbs: &'static [&'static str],
    /// What hangs below an object of it.
    pub subresources: Vec<Subresource>,
    /// Fields a field selector may name, besides `metadata.name` and `metadata.namespace`.
    pub fields: Vec<SelectableField>,
    /// Whether `metadata.generation` counts the changes of its spec.
    pub has_generation: bool,
    /// How a name must look.
    pub name_rule: NameRule,
    /// Who brought it.
    pub origin: Origin,
    /// How it is stored.
    pub storage: Storage,
    /// What a custom resource's definition says about this version; `None` for most built-in ones.
    pub custom: Option<Arc<CustomVersion>>,
}

/// What is said about one version beyond names: by a CustomResourceDefinition, or by the server of
/// a kind that the published definitions do not know.
#[derive(Clone, Debug, Default)]
pub struct CustomVersion {
    /// Its `additionalPrinterColumns`.
    pub columns: Vec<PrinterColumn>,
    /// Its `schema.openAPIV3Schema`, as JSON.
    pub schema: Option<Arc<str>>,
    /// The same, ready for use.
    pub structural: Option<Arc<Structural>>,
    /// Why a client should not use it any more.
    pub deprecation: Option<String>,
}

impl CustomVersion {
    /// A version with this schema and no columns of its own.
    pub fn of_schema(schema: &Value) -> Self {
        Self {
            schema: Some(schema.to_string().into()),
            structural: Some(Arc::new(Structural::compile(schema))),
            ..Self::default()
        }
    }
}

/// A column of a custom resource's table.
#[derive(Clone, Debug, PartialEq)]
pub struct PrinterColumn {
    /// Its header.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// An OpenAPI format, or empty.
    pub format: String,
    /// What it means.
    pub description: String,
    /// Shown always when zero, in wide tables otherwise.
    pub priority: i64,
    /// Where its value is: a simple JSONPath, `.spec.replicas`.
    pub path: String,
}

/// A part of an object with its own URL.
#[derive(Clone, Debug)]
pub struct Subresource {
    /// The last segment of the URL: `status`.
    pub name: Arc<str>,
    /// The group of what is read and written there.
    pub group: Arc<str>,
    /// The version of what is read and written there.
    pub version: Arc<str>,
    /// The kind of what is read and written there.
    pub kind: Arc<str>,
    /// What can be done there.
    pub verbs: &'static [&'static str],
    /// What it does.
    pub action: Action,
}

/// What a subresource does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reads the object, writes only its status.
    Status,
    /// Reads and writes the replica count as an `autoscaling/v1` Scale.
    Scale(ScalePaths),
    /// Assigns a pod to a node.
    Binding,
    /// Deletes a pod on behalf of a drain.
    Eviction,
    /// Writes a namespace's `spec.finalizers`.
    Finalize,
    /// Adds containers to a pod that runs.
    Ephemeral,
    /// Changes what the containers of a pod that runs may use.
    Resize,
    /// Reads what a container wrote.
    Log,
    /// Speaks with a process: exec, attach, portforward, proxy.
    Connect,
    /// Anything else: listed in discovery, answered with "not implemented".
    Unserved,
}

/// Where an object keeps what a Scale shows; paths from the object's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// Usually `spec.replicas`.
    pub spec_replicas: Vec<Arc<str>>,
    /// Usually `status.replicas`.
    pub status_replicas: Vec<Arc<str>>,
    /// A label selector: the object form (built-ins, `spec.selector`) or its text form (custom resources).
    pub selector: Option<Vec<Arc<str>>>,
}

/// A field a field selector may name.
#[derive(Clone, Debug)]
pub struct SelectableField {
    /// The name in the selector: `spec.nodeName`.
    pub name: Arc<str>,
    /// Where its value is; the first path with a non-empty scalar counts.
    pub paths: Vec<Vec<Arc<str>>>,
    /// Its value when no path has one.
    pub otherwise: Arc<str>,
}

/// How an object's name must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// DNS-1123 subdomain: most resources.
    Subdomain,
    /// DNS-1123 label: namespaces.
    Label,
    /// DNS-1035 label: Services.
    Label1035,
    /// Whatever fits in a URL segment: the RBAC resources.
    PathSegment,
}

/// Who brought a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This server.
    BuiltIn,
    /// The CustomResourceDefinition of this name.
    Custom {
        /// `<plural>.<group>`.
        definition: Arc<str>,
    },
}

/// How a resource's objects are stored; the served versions of one resource share it.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The store's name for it, `<group>/<resource>`: `apps/deployments`, `/pods`.
    pub resource: Arc<str>,
    /// The apiVersion in the stored bytes.
    pub api_version: Arc<str>,
    /// Turns this version into the stored one and back; `None` where only apiVersion differs.
    pub conversion: Option<Conversion>,
}

/// A change of version; neither direction touches apiVersion and kind.
#[derive(Clone, Copy, Debug)]
pub struct Conversion {
    /// From the served version to the stored one.
    pub to_stored: fn(&mut Value),
    /// From the stored version to the served one.
    pub to_served: fn(&mut Value),
}

impl ResourceInfo {
    /// A namespaced or cluster-scoped built-in resource with all verbs, stored in this version.
    /// Singular and list kind follow from the kind; everything else starts empty.
    pub fn built_in(group: &str, version: &str, resource: &str, kind: &str, namespaced: bool) -> Self {
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        Self {
            group: group.into(),
            version: version.into(),
            resource: resource.into(),
            kind: kind.into(),
            singular: kind.to_lowercase().into(),
            list_kind: format!("{kind}List").into(),
            namespaced,
            short_names: Vec::new(),
            categories: Vec::new(),
            verbs: ALL_VERBS,
            subresources: Vec::new(),
            fields: Vec::new(),
            has_generation: false,
            name_rule: NameRule::Subdomain,
            origin: Origin::BuiltIn,
            storage: Storage {
                resource: format!("{group}/{resource}").into(),
                api_version: api_version.into(),
                conversion: None,
            },
            custom: None,
        }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, or `pods` for the core group: how error messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_string()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// The subresource at this URL segment.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| &*sub.name == name)
    }

    /// Whether clients have no types of their own for its objects: protobuf cannot say them, and
    /// their lists have no merge keys.
    pub(crate) fn is_untyped(&self) -> bool {
        self.origin != Origin::BuiltIn || self.custom.is_some()
    }

    /// The schema of its objects, where the published definitions have none.
    pub(crate) fn structural(&self) -> Option<&Structural> {
        self.custom.as_ref()?.structural.as_deref()
    }

    /// Whether status is written apart from the rest.
    pub fn has_status(&self) -> bool {
        self.subresources.iter().any(|sub| sub.action == Action::Status)
    }

    /// Whether this version is what the store holds, so that stored bytes can be sent as they are.
    pub fn is_stored_version(&self) -> bool {
        let stored = &*self.storage.api_version;
        self.storage.conversion.is_none()
            && match stored.split_once('/') {
                Some((group, version)) => group == &*self.group && version == &*self.version,
                None => self.group.is_empty() && stored == &*self.version,
            }
    }

    pub(super) fn sort_key(&self) -> (&str, &str, &str) {
        (&self.group, &self.version, &self.resource)
    }
}
