//! Who asks a cluster, and what they may do there.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::Kind;
use super::request::Place;
use super::status::Failure;
use super::store::Store;

/// Somebody whom a cluster knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// Access policies of EKS by their names, with the namespaces that they are for; none means all.
    #[serde(default)]
    pub(crate) policies: Vec<(String, Vec<String>)>,
}

/// The group whose members may do everything.
pub(crate) const MASTERS: &str = "system:masters";

impl User {
    /// Returns somebody with a name and groups, who has said who they are.
    pub(crate) fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().copied().chain(["system:authenticated"]);
        Self { name: name.to_owned(), groups: groups.map(str::to_owned).collect(), ..Self::default() }
    }

    /// Returns a service account.
    pub(crate) fn service_account(namespace: &str, name: &str) -> Self {
        let of_namespace = format!("system:serviceaccounts:{namespace}");
        let name = format!("system:serviceaccount:{namespace}:{name}");
        Self::new(&name, &["system:serviceaccounts", &of_namespace])
    }

    /// Returns somebody who has not said who they are.
    pub(crate) fn anonymous() -> Self {
        let groups = vec!["system:unauthenticated".to_owned()];
        Self { name: "system:anonymous".to_owned(), groups, ..Self::default() }
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    /// With the subresource, such as `pods/log`.
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// Refuses what somebody may not do with an object.
pub(super) fn check(store: &Store, user: &User, place: &Place, verb: &str) -> Result<(), Failure> {
    let Kind { group, plural, .. } = &*place.kind;
    let resource = match place.subresource.as_str() {
        "" => plural.clone(),
        part => format!("{plural}/{part}"),
    };
    let (namespace, name) = (place.namespace.as_str(), place.name.as_str());
    // Somebody who may look into a namespace may look at it.
    let namespace = if plural == "namespaces" && namespace.is_empty() { name } else { namespace };
    let deed = Deed { verb, group, resource: &resource, namespace, name };
    if may(store, user, deed) {
        return Ok(());
    }
    let scope = match place.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let why =
        format!("User {:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}", user.name);
    Err(Failure::forbidden(&place.kind, name, &why))
}

/// Refuses what somebody may not do at a path.
pub(super) fn check_path(store: &Store, user: &User, path: &str, verb: &str) -> Result<(), Failure> {
    let allowed = user.is_in(MASTERS) || {
        let rules = rules(store, user, "");
        rules.iter().any(|rule| {
            has(&rule["verbs"], verb)
                && texts(&rule["nonResourceURLs"]).any(|allowed| is_under(path, allowed))
        })
    };
    if allowed {
        return Ok(());
    }
    let message = format!("forbidden: User {:?} cannot {verb} path {path:?}", user.name);
    Err(Failure::new(403, "Forbidden", message).with_details(serde_json::json!({})))
}

fn is_under(path: &str, allowed: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == allowed,
    }
}

/// Tells whether somebody may do something.
pub(super) fn may(store: &Store, user: &User, deed: Deed<'_>) -> bool {
    user.is_in(MASTERS)
        || user.policies.iter().any(|(policy, namespaces)| {
            let is_there = namespaces.is_empty() || namespaces.iter().any(|one| is_like(one, deed.namespace));
            is_there && allows(policy, namespaces.is_empty(), deed)
        })
        || rules(store, user, deed.namespace).iter().any(|rule| permits(rule, deed))
}

fn is_like(pattern: &str, namespace: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => namespace.starts_with(prefix),
        None => pattern == namespace,
    }
}

/// Tells whether an access policy of EKS allows something ("Review access policy permissions", EKS user
/// guide: they are those of the roles `cluster-admin`, `admin`, `edit` and `view`).
fn allows(policy: &str, is_everywhere: bool, deed: Deed<'_>) -> bool {
    let reads = ["get", "list", "watch"].contains(&deed.verb);
    let is_secret = deed.group.is_empty() && deed.resource.starts_with("secrets");
    let is_of_cluster = deed.namespace.is_empty();
    let is_of_rights = deed.group == "rbac.authorization.k8s.io";
    match policy {
        "AmazonEKSClusterAdminPolicy" => true,
        "AmazonEKSAdminPolicy" => !is_of_cluster || (is_everywhere && reads),
        "AmazonEKSEditPolicy" => !is_of_rights && (!is_of_cluster || (is_everywhere && reads && !is_secret)),
        "AmazonEKSViewPolicy" => reads && !is_secret && !is_of_rights,
        "AmazonEKSAdminViewPolicy" => reads,
        _ => false,
    }
}

fn permits(rule: &Value, deed: Deed<'_>) -> bool {
    let Deed { verb, group, resource, name, .. } = deed;
    let of_all_parts = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
    let names = rule.get("resourceNames").and_then(Value::as_array).filter(|names| !names.is_empty());
    has(&rule["verbs"], verb)
        && has(&rule["apiGroups"], group)
        && (has(&rule["resources"], resource)
            || of_all_parts.is_some_and(|part| has(&rule["resources"], &part)))
        && names.is_none_or(|names| names.iter().any(|one| one == name))
}

/// Returns the rules of the roles that somebody has in a namespace and everywhere.
pub(super) fn rules(store: &Store, user: &User, namespace: &str) -> Vec<Value> {
    let everywhere = store.list("clusterrolebindings.rbac.authorization.k8s.io", "");
    let mut bindings: Vec<_> = everywhere.collect();
    if !namespace.is_empty() {
        bindings.extend(store.list("rolebindings.rbac.authorization.k8s.io", namespace));
    }
    let mut rules = Vec::new();
    for binding in bindings {
        let own = binding["metadata"]["namespace"].as_str().unwrap_or_default();
        let subjects = binding["subjects"].as_array();
        if !subjects.into_iter().flatten().any(|subject| is_subject(user, subject, own)) {
            continue;
        }
        let name = binding["roleRef"]["name"].as_str().unwrap_or_default();
        let role = if binding["roleRef"]["kind"] == "Role" {
            super::store::Key::new("roles.rbac.authorization.k8s.io", own, name)
        } else {
            super::store::Key::new("clusterroles.rbac.authorization.k8s.io", "", name)
        };
        let of_role = store.get(&role).and_then(|role| role["rules"].as_array());
        rules.extend(of_role.into_iter().flatten().cloned());
    }
    rules
}

fn is_subject(user: &User, subject: &Value, namespace: &str) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("User") => user.name == name,
        Some("Group") => user.is_in(name),
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or(namespace);
            user.name == format!("system:serviceaccount:{namespace}:{name}")
        }
        _ => false,
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has(list: &Value, wanted: &str) -> bool {
    texts(list).any(|one| one == "*" || one == wanted)
}
