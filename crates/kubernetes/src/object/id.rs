//! The ids of objects: the cluster, what the object is, and which of that name it is.

use std::fmt;

use straddle_engine::address::RemoteId;

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    /// The name of the cluster.
    pub(crate) cluster: String,
    /// Such as `apps/v1`.
    pub(crate) api_version: String,
    /// Such as `Deployment`.
    pub(crate) kind: String,
    /// `None` for what is in no namespace.
    pub(crate) namespace: Option<String>,
    /// The name.
    pub(crate) name: String,
    /// Tells it from others of this name before and after it; `None` if any is meant.
    pub(crate) uid: Option<String>,
}

impl ObjectId {
    /// Reads an id; `None` if it is none.
    pub(crate) fn read(id: &RemoteId) -> Option<Self> {
        let (path, uid) = match id.as_str().rsplit_once('@') {
            Some((path, uid)) if is_uid(uid) => (path, Some(uid.to_owned())),
            _ => (id.as_str(), None),
        };
        let (cluster, path) = path.split_once('/')?;
        let mut parts: Vec<_> = path.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) || cluster.is_empty() {
            return None;
        }
        // The core group has a version alone.
        let group_parts = if is_version(parts[0]) { 1 } else { 2 };
        let rest = parts.split_off(group_parts.min(parts.len()));
        let (kind, namespace, name) = match rest.as_slice() {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some((*namespace).to_owned()), name),
            _ => return None,
        };
        Some(Self {
            cluster: cluster.to_owned(),
            api_version: parts.join("/"),
            kind: (*kind).to_owned(),
            namespace,
            name: (*name).to_owned(),
            uid,
        })
    }

    /// Returns the id.
    pub(crate) fn write(&self) -> RemoteId {
        let uid = self.uid.as_ref().map(|uid| format!("@{uid}")).unwrap_or_default();
        RemoteId::new(format!("{}/{}/{self}{uid}", self.cluster, self.api_version))
    }
}

/// As people name it: the kind, the namespace and the name.
impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(formatter, "{}/{}", self.kind, self.name),
        }
    }
}

/// `v1`, `v1beta1`; groups never look like this.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit()))
}

fn is_uid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| {
            if [8, 13, 18, 23].contains(&index) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for id in [
            "main/v1/ConfigMap/kube-system/aws-auth",
            "main/v1/Namespace/game",
            "main/apps/v1/Deployment/game/app@0a1b2c3d-0000-4000-8000-0123456789ab",
            "main/rbac.authorization.k8s.io/v1/ClusterRole/system:node",
            "main/rbac.authorization.k8s.io/v1/RoleBinding/a/me@example.com",
        ] {
            let read = ObjectId::read(&RemoteId::new(id)).expect(id);
            assert_eq!(read.write().as_str(), id);
        }
        let deployment = ObjectId::read(&RemoteId::new("main/apps/v1/Deployment/game/app")).unwrap();
        assert_eq!(deployment.api_version, "apps/v1");
        assert_eq!(deployment.to_string(), "Deployment/game/app");
    }

    #[test]
    fn what_is_no_id_is_none() {
        for id in ["main", "main/v1/ConfigMap", "main/v1//a/b", "/v1/ConfigMap/a/b", "main/v1/a/b/c/d"] {
            assert_eq!(ObjectId::read(&RemoteId::new(id)), None, "{id}");
        }
    }
}
