//! Who asks, and what a table of rules lets them do.
//!
//! **Not here:** how an identity is proven (`pki`, the API server's authentication) and RBAC objects.

/// The group whose members may do everything.
pub const MASTERS: &str = "system:masters";
/// The group of everybody whose identity is proven.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of those whose identity is not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";

/// Who asks. It travels as a request extension, never as a header.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Identity {
    /// The user's name, `system:serviceaccount:kube-system:deployment-controller`.
    pub user: String,
    /// The groups the user is in.
    pub groups: Vec<String>,
    /// The user's uid; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

impl Identity {
    /// A user in these groups, and in [`AUTHENTICATED`].
    pub fn new(user: impl Into<String>, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Self { user: user.into(), groups, uid: String::new() }
    }

    /// A user that may do everything.
    pub fn master(user: impl Into<String>) -> Self {
        Self::new(user, [MASTERS])
    }

    /// A service account, in the groups upstream gives it.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::new(
            format!("system:serviceaccount:{namespace}:{name}"),
            ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")],
        )
    }

    /// The identity of a name as the rule tables hold it: service accounts get their groups.
    pub fn of_user(user: &str) -> Self {
        let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => Self::service_account(namespace, name),
            None if user.starts_with("system:node:") => Self::new(user, ["system:nodes"]),
            None => Self::new(user, Vec::<String>::new()),
        }
    }

    /// Somebody who did not say who they are.
    pub fn anonymous() -> Self {
        let groups = vec![UNAUTHENTICATED.to_owned()];
        Self { user: "system:anonymous".to_owned(), groups, uid: String::new() }
    }

    /// Whether the user is in this group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// What one line of a table allows. `*` allows any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The groups; the core group is the empty string.
    pub groups: &'static [&'static str],
    /// The resources, `pods`, `pods/status`, or `*/status` for that subresource of any.
    pub resources: &'static [&'static str],
    /// The verbs, `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verbs: &'static [&'static str],
}

impl Rule {
    /// Whether this line allows `verb` on `resource` (with its subresource: `pods/status`) of `group`.
    pub fn allows(&self, verb: &str, group: &str, resource: &str) -> bool {
        holds(self.verbs, verb) && holds(self.groups, group) && self.covers(resource)
    }

    fn covers(&self, resource: &str) -> bool {
        let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
        holds(self.resources, resource)
            || subresource.is_some_and(|wanted| {
                self.resources.iter().any(|own| own.strip_prefix("*/").is_some_and(|own| own == wanted))
            })
    }
}

fn holds(list: &[&str], wanted: &str) -> bool {
    list.iter().any(|entry| *entry == "*" || *entry == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: Rule = Rule { groups: &[""], resources: &["pods", "pods/status"], verbs: &["get", "patch"] };

    #[test]
    fn a_rule_allows_its_lines_alone() {
        for (verb, group, resource, allowed) in [
            ("get", "", "pods", true),
            ("patch", "", "pods/status", true),
            ("delete", "", "pods", false),
            ("get", "apps", "pods", false),
            ("get", "", "nodes", false),
            ("get", "", "pods/log", false),
        ] {
            assert_eq!(PODS.allows(verb, group, resource), allowed, "{verb} {group}/{resource}");
        }
    }

    #[test]
    fn stars_allow_any_and_a_starred_subresource_that_one_of_any() {
        let any = Rule { groups: &["*"], resources: &["*"], verbs: &["*"] };
        assert!(any.allows("delete", "apps", "deployments/scale"));
        let scale = Rule { groups: &["*"], resources: &["*/scale"], verbs: &["get"] };
        assert!(scale.allows("get", "apps", "deployments/scale"));
        assert!(!scale.allows("get", "apps", "deployments"));
        assert!(!scale.allows("get", "apps", "deployments/status"));
    }

    #[test]
    fn a_service_account_is_in_the_groups_upstream_gives_it() {
        let account = Identity::of_user("system:serviceaccount:kube-system:job-controller");
        assert_eq!(account, Identity::service_account("kube-system", "job-controller"));
        for group in ["system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED] {
            assert!(account.is_in(group), "{group}");
        }
        assert!(Identity::of_user("system:node:a").is_in("system:nodes"));
        assert!(Identity::master("admin").is_in(MASTERS));
        assert!(!Identity::anonymous().is_in(AUTHENTICATED));
    }
}
