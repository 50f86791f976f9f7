//! What a Platform declares beyond its regions: replacements, what is external, objectives.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::amount::{Money, Percent};

/// What stands for what the files name. The files' objects stay as they are written; whoever pulls
/// an image, clones a repository or calls a server looks here first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replacements {
    /// Images, by the name as written or the part of it before the tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Git repositories, by their URL: another URL, or a folder relative to the Platform's file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub git: BTreeMap<String, String>,
    /// Servers that stand for the embedded ones.
    #[serde(default)]
    pub endpoints: Endpoints,
}

/// URLs of servers that stand for the embedded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoints {
    /// Prometheus, or what speaks its API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Alertmanager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<String>,
    /// Loki, or what speaks its API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
    /// Tempo or Jaeger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<String>,
    /// S3, or what speaks its API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<String>,
    /// An image registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// A git server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
}

impl Endpoints {
    /// Field and URL of those that are given.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("metrics", &self.metrics),
            ("alerts", &self.alerts),
            ("logs", &self.logs),
            ("traces", &self.traces),
            ("buckets", &self.buckets),
            ("registry", &self.registry),
            ("git", &self.git),
        ]
        .into_iter()
        .filter_map(|(field, url)| Some((field, url.as_deref()?)))
    }
}

/// What exists outside the Source, so that nobody misses it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct External {
    /// Namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Kinds that somebody else defines, `Certificate.cert-manager.io`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Services, `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Secrets, `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// ConfigMaps, `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_maps: Vec<String>,
    /// Service accounts, `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_accounts: Vec<String>,
    /// Names in DNS, `db.example.com` or `*.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Metrics that somebody else exposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// Clusters that GitOps speaks of, by name or URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
}

impl External {
    /// Field and entries of those whose entries are `namespace/name`.
    pub fn namespaced(&self) -> [(&'static str, &[String]); 4] {
        [
            ("services", &self.services),
            ("secrets", &self.secrets),
            ("configMaps", &self.config_maps),
            ("serviceAccounts", &self.service_accounts),
        ]
    }
}

/// What the platform is to achieve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objectives {
    /// After a disaster it serves again within this time.
    #[serde(default, with = "crate::duration::option", skip_serializing_if = "Option::is_none")]
    pub rto: Option<Duration>,
    /// After a disaster at most the writes of this time are lost.
    #[serde(default, with = "crate::duration::option", skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Duration>,
    /// The part of requests, or of time, it serves well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Percent>,
    /// What it may cost in a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_budget: Option<Money>,
}
