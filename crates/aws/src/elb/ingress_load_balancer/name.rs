//! The names that the AWS Load Balancer Controller gives, and the ids of what it makes.
//!
//! The forms are those of its versions from 2 on, taken from names that it gave.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use straddle_engine::address::RemoteId;

/// How many characters of the names of a namespace and of an Ingress there are in a name.
const PART: usize = 8;
/// How many characters of the name of a group.
const GROUP_PART: usize = 17;
/// How many hexadecimal digits of the hash.
const HASH: usize = 10;

/// What a controller makes one load balancer of: an Ingress, by itself or in a group of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The name of the cluster, as the controller was told it.
    pub(super) cluster: String,
    /// The namespace of the Ingress.
    pub(super) namespace: String,
    /// The name of the Ingress.
    pub(super) ingress: String,
    /// The group that the Ingress is in, if it names one.
    pub(super) group: Option<String>,
}

impl Origin {
    /// Returns what the controller writes into the tag `ingress.k8s.aws/stack`.
    pub(super) fn stack(&self) -> String {
        self.group.clone().unwrap_or_else(|| self.path())
    }

    /// Returns the Ingress as `NAMESPACE/NAME`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.ingress)
    }

    /// Returns the name of the load balancer of a scheme: `internal` or `internet-facing`.
    pub(super) fn balancer(&self, scheme: &str) -> String {
        let hash = hash(&[&self.cluster, &self.stack(), scheme]);
        match &self.group {
            Some(group) => format!("k8s-{}-{hash}", cut(group, GROUP_PART)),
            None => format!("k8s-{}-{}-{hash}", cut(&self.namespace, PART), cut(&self.ingress, PART)),
        }
    }

    /// Returns the id: `CLUSTER/NAMESPACE/NAME`, with the group after the cluster if there is one.
    pub(super) fn id(&self) -> RemoteId {
        let Self { cluster, namespace, ingress, group } = self;
        let group = group.as_ref().map(|group| format!("{group}/")).unwrap_or_default();
        RemoteId::new(format!("{cluster}/{group}{namespace}/{ingress}"))
    }

    /// Reads an id; `None` if it is none. None of its parts can have a slash in it.
    pub(super) fn of(id: &RemoteId) -> Option<Self> {
        let parts: Vec<_> = id.as_str().split('/').map(str::to_owned).collect();
        let (cluster, group, namespace, ingress) = match parts.as_slice() {
            [cluster, namespace, ingress] => (cluster, None, namespace, ingress),
            [cluster, group, namespace, ingress] => (cluster, Some(group.clone()), namespace, ingress),
            _ => return None,
        };
        if parts.iter().any(String::is_empty) {
            return None;
        }
        let [cluster, namespace, ingress] = [cluster, namespace, ingress].map(Clone::clone);
        Some(Self { cluster, namespace, ingress, group })
    }
}

fn cut(name: &str, length: usize) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(length).collect()
}

fn hash(parts: &[&str]) -> String {
    let mut hash = HEXLOWER.encode(&Sha256::digest(parts.concat()));
    hash.truncate(HASH);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(cluster: &str, group: &str) -> Origin {
        let (namespace, ingress, group) = match group.split_once('/') {
            Some((namespace, ingress)) => (namespace, ingress, None),
            None => ("game-2048", "ingress-2048", Some(group.to_owned())),
        };
        let [cluster, namespace, ingress] = [cluster, namespace, ingress].map(str::to_owned);
        Origin { cluster, namespace, ingress, group }
    }

    /// Names that a controller of version 2.8.2 gave.
    #[test]
    fn names_are_those_that_the_controller_gave() {
        let given = [
            ("game-2048/ingress-2048", "internet-facing", "k8s-game2048-ingress2-1ae88303d5"),
            ("game-2048/ingress-2048", "internal", "k8s-game2048-ingress2-8a6e09ba2f"),
            ("shared-alb", "internet-facing", "k8s-sharedalb-52b297c9d7"),
            ("game-2048/by-annotation", "internet-facing", "k8s-game2048-byannota-ccdf3d9d55"),
        ];
        for (group, scheme, name) in given {
            assert_eq!(origin("EKSTestDrive", group).balancer(scheme), name);
        }
    }

    #[test]
    fn no_name_is_longer_than_the_service_takes() {
        let long = "a-very.long-name-of-something-that-has-more-than-63-characters";
        for group in [format!("{long}/{long}"), long.to_owned(), "--/--".to_owned()] {
            let name = origin(long, &group).balancer("internal");
            assert!(name.len() <= 32, "{name}");
        }
        assert_eq!(origin("c", "---").balancer("internal").len(), "k8s--".len() + HASH);
    }

    #[test]
    fn ids_are_read_as_they_were_written() {
        for group in ["game-2048/ingress-2048", "shared-alb"] {
            let origin = origin("EKSTestDrive", group);
            assert_eq!(Origin::of(&origin.id()), Some(origin));
        }
        for id in ["", "a", "a/b", "a//c", "a/b/c/d/e"] {
            assert_eq!(Origin::of(&RemoteId::new(id)), None, "{id}");
        }
    }
}
