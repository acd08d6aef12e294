//! What every namespace gets: a service account, and the certificate by which the server is known.

use jiff::Timestamp;
use serde_json::json;

use super::MANAGER;
use crate::cluster::ControlPlane;
use crate::cluster::store::Key;

const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";

/// Gives a namespace what it has not.
pub(super) fn equip(plane: &mut ControlPlane, namespace: &str, now: Timestamp) {
    if plane.store.get(&Key::new("configmaps", namespace, "kube-root-ca.crt")).is_none() {
        let certificate = plane.facts.certificate_authority.clone();
        let annotations = json!({ "kubernetes.io/description": DESCRIPTION });
        let object = json!({
            "metadata": { "name": "kube-root-ca.crt", "namespace": namespace, "annotations": annotations },
            "data": { "ca.crt": certificate },
        });
        drop(plane.make(MANAGER, "configmaps", &object, now));
    }
    if plane.store.get(&Key::new("serviceaccounts", namespace, "default")).is_none() {
        let object = json!({ "metadata": { "name": "default", "namespace": namespace } });
        drop(plane.make(MANAGER, "serviceaccounts", &object, now));
    }
}
