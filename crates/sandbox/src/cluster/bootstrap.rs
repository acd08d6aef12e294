//! The objects that are in every cluster from the start.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::user::{MASTERS, User};
use super::{ControlPlane, Request};

/// Fills a cluster that is new.
pub(super) fn fill(plane: &mut ControlPlane, now: Timestamp) {
    let nodes = ["default", "kube-system", "kube-public", "kube-node-lease"];
    for name in nodes {
        create(plane, now, "/api/v1/namespaces", &json!({ "metadata": { "name": name } }));
    }
    roles(plane, now);
    let range = plane.facts.service_range;
    let address = |more: u32| std::net::Ipv4Addr::from(u32::from(range.network()) + more).to_string();
    let labels = json!({ "component": "apiserver", "provider": "kubernetes" });
    create(
        plane,
        now,
        "/api/v1/namespaces/default/services",
        &json!({
            "metadata": { "name": "kubernetes", "labels": labels },
            "spec": {
                "clusterIP": address(1),
                "ipFamilyPolicy": "SingleStack",
                "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": 443 }],
            },
        }),
    );
}

fn create(plane: &mut ControlPlane, now: Timestamp, path: &str, object: &Value) {
    let request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        content_type: "application/json".to_owned(),
        agent: "kube-apiserver".to_owned(),
        body: object.to_string(),
        ..Request::default()
    };
    let made = plane.carry_out(&User::new("system:apiserver", &[MASTERS]), &request, now);
    debug_assert!(made.is_ok(), "{path}: {made:?}");
}

const PATH: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Makes the roles that everybody has who has said who they are, and those for people
/// ("Default roles and role bindings", Kubernetes reference).
fn roles(plane: &mut ControlPlane, now: Timestamp) {
    let own = |group: &str, resources: &[&str]| json!({ "verbs": ["create"], "apiGroups": [group], "resources": resources });
    let paths = |paths: &[&str]| json!({ "verbs": ["get"], "nonResourceURLs": paths });
    let known = ["/.well-known", "/.well-known/*"];
    let version = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
    let discovery = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
    ];
    let reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    let everybody = ["system:authenticated", "system:unauthenticated"];
    let everything = json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] });
    let every_path = json!({ "verbs": ["*"], "nonResourceURLs": ["*"] });
    let reading = json!({ "verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"] });
    let roles = [
        ("cluster-admin", json!([everything, every_path]), &[MASTERS][..]),
        ("admin", json!([everything]), &[][..]),
        ("edit", json!([everything]), &[][..]),
        ("view", json!([reading]), &[][..]),
        (
            "system:basic-user",
            json!([
                own("authorization.k8s.io", &reviews),
                own("authentication.k8s.io", &["selfsubjectreviews"]),
            ]),
            &everybody[..1],
        ),
        ("system:service-account-issuer-discovery", json!([paths(&known)]), &everybody[..1]),
        ("system:public-info-viewer", json!([paths(&version)]), &everybody[..]),
        ("system:discovery", json!([paths(&discovery)]), &everybody[..1]),
        // `kube-proxy` has it.
        (
            "system:node-proxier",
            json!([{ "verbs": ["list", "watch"], "apiGroups": ["", "discovery.k8s.io"], "resources": [
                "endpoints", "endpointslices", "nodes", "services",
            ] }]),
            &[],
        ),
    ];
    for (name, rules, groups) in roles {
        let metadata = json!({ "name": name, "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" } });
        create(plane, now, &format!("{PATH}/clusterroles"), &json!({ "metadata": metadata, "rules": rules }));
        if groups.is_empty() {
            continue;
        }
        let subjects: Vec<_> = groups.iter().map(|group| json!({ "kind": "Group", "name": group })).collect();
        create(
            plane,
            now,
            &format!("{PATH}/clusterrolebindings"),
            &json!({
                "metadata": metadata, "subjects": subjects, "roleRef": { "kind": "ClusterRole", "name": name },
            }),
        );
    }
}
