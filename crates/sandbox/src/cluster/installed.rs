//! What EKS installs in a cluster: the objects of its add-ons.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::text;
use super::kind::{self, Kind};
use super::store::Key;
use super::user::{MASTERS, User};
use super::{ControlPlane, Request};

/// An add-on that is to be in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AddOn {
    pub(crate) name: String,
    /// Such as `v1.12.4-eksbuild.2`.
    pub(crate) version: String,
    pub(crate) namespace: String,
    /// How many pods there are of its deployment, if it has one.
    pub(crate) replicas: i64,
}

/// Who installs add-ons ("Amazon EKS add-on fields", EKS user guide: they are applied by the server, with the
/// manager `eks`).
const MANAGER: &str = "eks";

/// The account with the images of add-ons in most regions ("View Amazon container image registries for Amazon EKS
/// add-ons", EKS user guide).
const REGISTRY: &str = "602401143452";

/// The objects of each add-on. What stands in parentheses is filled in.
const OBJECTS: &[(&str, &str)] = &[
    ("aws-ebs-csi-driver", include_str!("data/add_ons/aws-ebs-csi-driver.yaml")),
    ("coredns", include_str!("data/add_ons/coredns.yaml")),
    ("eks-pod-identity-agent", include_str!("data/add_ons/eks-pod-identity-agent.yaml")),
    ("kube-proxy", include_str!("data/add_ons/kube-proxy.yaml")),
    ("metrics-server", include_str!("data/add_ons/metrics-server.yaml")),
    ("vpc-cni", include_str!("data/add_ons/vpc-cni.yaml")),
];

impl ControlPlane {
    /// Returns the version of an add-on that is installed.
    pub(crate) fn add_on_version(&self, name: &str) -> Option<&str> {
        self.add_ons
            .iter()
            .find(|installed| installed.name == name)
            .map(|installed| installed.version.as_str())
    }

    /// Tells which add-ons are to be there from now on.
    pub(crate) fn set_add_ons(&mut self, wanted: &[AddOn], now: Timestamp) {
        if self.add_ons == wanted {
            return;
        }
        let before = std::mem::replace(&mut self.add_ons, wanted.to_vec());
        let is_gone =
            |old: &&AddOn| !wanted.iter().any(|new| new.name == old.name && new.namespace == old.namespace);
        for gone in before.iter().filter(is_gone) {
            for object in self.objects_of(gone).into_iter().rev() {
                let (_, key) = place(&object);
                self.discard(&key, "Background", now);
            }
        }
        for new in wanted.iter().filter(|new| !before.contains(new)) {
            self.install(new, now);
        }
        self.settle(now);
    }

    fn install(&mut self, add_on: &AddOn, now: Timestamp) {
        let user = User::new("eks:addon-manager", &[MASTERS]);
        for object in self.objects_of(add_on) {
            let (kind, key) = place(&object);
            let request = Request {
                method: "PATCH".to_owned(),
                path: format!("{}/{}", kind.path(&key.namespace), key.name),
                query: format!("fieldManager={MANAGER}&force=true"),
                content_type: "application/apply-patch+yaml".to_owned(),
                agent: MANAGER.to_owned(),
                body: object.to_string(),
                ..Request::default()
            };
            // A namespace that goes takes no objects: EKS would say that the add-on is degraded.
            drop(self.carry_out(&user, &request, now));
        }
    }

    /// Returns the objects of an add-on, in the order in which they are made.
    fn objects_of(&self, add_on: &AddOn) -> Vec<Value> {
        let Some((_, text)) = OBJECTS.iter().find(|(name, _)| *name == add_on.name) else {
            return Vec::new();
        };
        // Such as `https://EXAMPLE.gr7.us-east-1.eks.amazonaws.com`.
        let region = self.facts.address.split('.').nth(2).unwrap_or("us-east-1");
        let dns = std::net::Ipv4Addr::from(u32::from(self.facts.service_range.network()) + 10);
        let filled = [
            ("(version)", add_on.version.clone()),
            ("(namespace)", add_on.namespace.clone()),
            ("(replicas)", add_on.replicas.to_string()),
            ("(registry)", format!("{REGISTRY}.dkr.ecr.{region}.amazonaws.com/eks")),
            ("(cluster)", self.facts.name.clone()),
            ("(endpoint)", self.facts.address.clone()),
            ("(dns)", dns.to_string()),
        ];
        let text = filled.iter().fold((*text).to_owned(), |text, (place, value)| text.replace(place, value));
        let read = |document: &str| {
            let mut object: Value = serde_saphyr::from_str(document).expect("it is written beside");
            object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("eks");
            object
        };
        let objects = text.split("\n---\n").map(read);
        let namespace = (add_on.namespace != "kube-system").then(
            || json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": add_on.namespace } }),
        );
        namespace.into_iter().chain(objects).collect()
    }
}

/// Returns the kind of an object, and where it is.
fn place(object: &Value) -> (std::sync::Arc<Kind>, Key) {
    let (of, api_version) = (text(&object["kind"]), text(&object["apiVersion"]));
    let found = kind::built_in().iter().find(|kind| kind.kind == of && kind.api_version() == api_version);
    let kind = std::sync::Arc::clone(found.expect("add-ons have kinds that every cluster has"));
    let metadata = &object["metadata"];
    let key = Key::new(&kind.stored_as(), text(&metadata["namespace"]), text(&metadata["name"]));
    (kind, key)
}
