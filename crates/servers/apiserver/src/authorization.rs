//! The one decision whether a request may go on.
//!
//! Members of `system:masters` may do everything; whoever has a table of rules may do what a line
//! of it says; everybody with a proven identity may read discovery. What each user asked, and what
//! of it was denied, is kept for the test that compares tables with use.
//!
//! **Not here:** who the client is (`authentication`), RBAC objects.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mainstay_resource::access::{AUTHENTICATED, Identity, MASTERS, Rule};

/// Different questions kept; further new ones are not.
const CALLS: usize = 8192;

/// What a request wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// `get`, `list`, …; the lower-case method for other paths.
    pub verb: &'a str,
    /// On what.
    pub subject: Subject<'a>,
}

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A resource or an object of it.
    Resource {
        /// The API group.
        group: &'a str,
        /// The plural.
        resource: &'a str,
        /// What of the object; empty for all of it.
        subresource: &'a str,
        /// The namespace; empty for cluster scope and for all namespaces.
        namespace: &'a str,
        /// The object's name; empty for the collection.
        name: &'a str,
    },
    /// Another path.
    Path(&'a str),
}

/// Whether a request may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// It may not; the text is what the client is told.
    Denied(String),
}

/// One question asked of the rules, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Who asked.
    pub user: String,
    /// To do what.
    pub verb: String,
    /// In which group.
    pub group: String,
    /// With what: `pods`, `pods/status`.
    pub resource: String,
    /// How often it was allowed.
    pub allowed: u64,
    /// How often it was denied.
    pub denied: u64,
}

/// The rule tables, and the record of their use.
#[derive(Debug)]
pub struct Authorizer {
    tables: BTreeMap<String, &'static [Rule]>,
    calls: Mutex<Vec<Call>>,
}

impl Authorizer {
    /// An authorizer for these tables, each under a user's or a group's name.
    pub fn new(tables: impl IntoIterator<Item = (String, &'static [Rule])>) -> Self {
        Self { tables: tables.into_iter().collect(), calls: Mutex::default() }
    }

    /// Decides about one request.
    pub fn authorize(&self, identity: &Identity, attributes: &Attributes<'_>) -> Decision {
        let allowed = identity.is_in(MASTERS)
            || match attributes.subject {
                Subject::Path(path) => identity.is_in(AUTHENTICATED) && is_discovery(attributes.verb, path),
                Subject::Resource { group, resource, subresource: "", .. } => {
                    self.table_allows(identity, attributes.verb, group, resource)
                }
                Subject::Resource { group, resource, subresource, .. } => {
                    self.table_allows(identity, attributes.verb, group, &format!("{resource}/{subresource}"))
                }
            };
        self.note(identity, attributes, allowed);
        if allowed { Decision::Allowed } else { Decision::Denied(refusal(identity, attributes)) }
    }

    /// What was asked so far, sorted by user, verb, group, resource.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn table_allows(&self, identity: &Identity, verb: &str, group: &str, resource: &str) -> bool {
        std::iter::once(&identity.user)
            .chain(&identity.groups)
            .filter_map(|name| self.tables.get(name))
            .any(|table| table.iter().any(|rule| rule.allows(verb, group, resource)))
    }

    /// Counts the question; costs no allocation once it was asked before.
    fn note(&self, identity: &Identity, attributes: &Attributes<'_>, allowed: bool) {
        let Subject::Resource { group, resource, subresource, .. } = attributes.subject else { return };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = (identity.user.as_str(), attributes.verb, group);
        let found = calls.binary_search_by(|call| {
            (call.user.as_str(), call.verb.as_str(), call.group.as_str())
                .cmp(&wanted)
                .then_with(|| compare_resource(&call.resource, resource, subresource))
        });
        let index = match found {
            Ok(index) => index,
            Err(_) if calls.len() >= CALLS => return,
            Err(index) => {
                let separator = if subresource.is_empty() { "" } else { "/" };
                let call = Call {
                    user: identity.user.clone(),
                    verb: attributes.verb.to_owned(),
                    group: group.to_owned(),
                    resource: format!("{resource}{separator}{subresource}"),
                    allowed: 0,
                    denied: 0,
                };
                calls.insert(index, call);
                index
            }
        };
        if allowed {
            calls[index].allowed += 1;
        } else {
            calls[index].denied += 1;
        }
    }
}

/// Compares `pods/status` with its two parts without joining them.
fn compare_resource(joined: &str, resource: &str, subresource: &str) -> std::cmp::Ordering {
    let slash: &[u8] = if subresource.is_empty() { b"" } else { b"/" };
    joined.bytes().cmp(resource.bytes().chain(slash.iter().copied()).chain(subresource.bytes()))
}

/// The paths upstream's `system:discovery` role lets every proven identity read.
fn is_discovery(verb: &str, path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(verb, "get" | "head")
        && matches!(first, "api" | "apis" | "openapi" | "version" | "healthz" | "livez" | "readyz")
}

/// Upstream's sentence for a denied request.
fn refusal(identity: &Identity, attributes: &Attributes<'_>) -> String {
    let (user, verb) = (&identity.user, attributes.verb);
    match attributes.subject {
        Subject::Path(path) => format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""),
        Subject::Resource { group, resource, subresource, namespace, name } => {
            let qualified =
                if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
            let quoted = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
            let separator = if subresource.is_empty() { "" } else { "/" };
            let place = if namespace.is_empty() {
                "at the cluster scope".to_owned()
            } else {
                format!("in the namespace \"{namespace}\"")
            };
            format!(
                "{qualified}{quoted} is forbidden: User \"{user}\" cannot {verb} resource \
                 \"{resource}{separator}{subresource}\" in API group \"{group}\" {place}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Rule] = &[Rule {
        groups: &["apps"],
        resources: &["deployments", "deployments/status"],
        verbs: &["get", "patch"],
    }];

    fn authorizer() -> Authorizer {
        Authorizer::new([("u".to_owned(), TABLE)])
    }

    fn ask<'a>(verb: &'a str, resource: &'a str, subresource: &'a str, name: &'a str) -> Attributes<'a> {
        Attributes {
            verb,
            subject: Subject::Resource { group: "apps", resource, subresource, namespace: "d", name },
        }
    }

    fn user(name: &str) -> Identity {
        Identity::new(name, Vec::<String>::new())
    }

    #[test]
    fn a_table_allows_its_lines_and_masters_may_do_everything() {
        let rules = authorizer();
        assert_eq!(rules.authorize(&user("u"), &ask("get", "deployments", "", "x")), Decision::Allowed);
        assert_eq!(
            rules.authorize(&user("u"), &ask("patch", "deployments", "status", "x")),
            Decision::Allowed
        );
        assert_eq!(
            rules.authorize(&Identity::master("root"), &ask("delete", "x", "", "y")),
            Decision::Allowed
        );
        assert_ne!(rules.authorize(&user("v"), &ask("get", "deployments", "", "x")), Decision::Allowed);
    }

    #[test]
    fn a_denial_is_told_in_upstreams_words() {
        let rules = authorizer();
        for (attributes, expected) in [
            (
                ask("delete", "deployments", "", "x"),
                r#"deployments.apps "x" is forbidden: User "u" cannot delete resource "deployments" in API group "apps" in the namespace "d""#,
            ),
            (
                Attributes {
                    verb: "list",
                    subject: Subject::Resource {
                        group: "",
                        resource: "nodes",
                        subresource: "",
                        namespace: "",
                        name: "",
                    },
                },
                r#"nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope"#,
            ),
            (
                Attributes { verb: "get", subject: Subject::Path("/metrics") },
                r#"forbidden: User "u" cannot get path "/metrics""#,
            ),
        ] {
            assert_eq!(rules.authorize(&user("u"), &attributes), Decision::Denied(expected.to_owned()));
        }
    }

    #[test]
    fn everybody_with_a_proven_identity_reads_discovery() {
        let rules = authorizer();
        let discovery = Attributes { verb: "get", subject: Subject::Path("/apis/apps/v1") };
        assert_eq!(rules.authorize(&user("v"), &discovery), Decision::Allowed);
        assert_ne!(rules.authorize(&Identity::anonymous(), &discovery), Decision::Allowed);
    }

    #[test]
    fn what_was_asked_is_counted_per_user_verb_and_resource() {
        let rules = authorizer();
        for _ in 0..3 {
            rules.authorize(&user("u"), &ask("patch", "deployments", "status", "x"));
        }
        rules.authorize(&user("u"), &ask("delete", "deployments", "", "x"));
        let calls = rules.calls();
        let seen: Vec<_> = calls
            .iter()
            .map(|call| (call.verb.as_str(), call.resource.as_str(), call.allowed, call.denied))
            .collect();
        assert_eq!(seen, [("delete", "deployments", 0, 1), ("patch", "deployments/status", 3, 0)]);
    }
}
