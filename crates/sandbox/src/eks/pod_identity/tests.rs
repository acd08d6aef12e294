//! Which account of pods has which role.

use serde_json::{Value, json};

use crate::eks::testing::{Ground, add_role, role, with};
use crate::testing::text;

fn wanted(more: Value) -> Value {
    let wanted = json!({
        "clusterName": "main", "namespace": "kube-system", "serviceAccount": "controller", "roleArn": role("pods"),
    });
    with(wanted, more)
}

fn ground() -> Ground {
    let mut ground = Ground::new();
    add_role(&mut ground.account, "pods", "pods.eks.amazonaws.com", &[]);
    ground.cluster(json!({}));
    ground
}

/// DOMAIN 5, "Pod Identity with target role": the target may be another account's, and gets an external id.
#[test]
fn a_target_role_has_an_external_id() {
    let mut ground = ground();
    let target = "arn:aws:iam::222222222222:role/controller";
    let made =
        ground.account.ok("eks:CreatePodIdentityAssociation", wanted(json!({ "targetRoleArn": target })));
    let made = made["association"].clone();
    let external_id = text(&made["externalId"]);
    let id = text(&made["associationId"]);
    assert!(id.starts_with("a-") && id.len() == 19, "{id}");
    let named = |more: Value| with(json!({ "clusterName": "main", "associationId": id }), more);
    let message = ground.account.message(
        "eks:CreatePodIdentityAssociation",
        wanted(json!({})),
        "ResourceInUseException",
    );
    assert_eq!(message, format!("Association already exists: {id}"));
    let other =
        json!({ "targetRoleArn": "arn:aws:iam::222222222222:role/other", "disableSessionTags": true });
    let changed = ground.account.ok("eks:UpdatePodIdentityAssociation", named(other))["association"].clone();
    assert_eq!(text(&changed["externalId"]), external_id, "it stays");
    assert_eq!(changed["disableSessionTags"], true);
    let none = ground.account.ok("eks:UpdatePodIdentityAssociation", named(json!({ "targetRoleArn": "" })));
    assert_eq!(
        (&none["association"]["targetRoleArn"], &none["association"]["externalId"]),
        (&Value::Null, &Value::Null)
    );
    let list = |more: Value| with(json!({ "clusterName": "main" }), more);
    for (filter, count) in [
        (json!({}), 1),
        (json!({ "namespace": "kube-system", "serviceAccount": "controller" }), 1),
        (json!({ "namespace": "default" }), 0),
    ] {
        let found = ground.account.ok("eks:ListPodIdentityAssociations", list(filter));
        assert_eq!(found["associations"].as_array().map(Vec::len), Some(count));
    }
    ground.account.ok("eks:DeletePodIdentityAssociation", named(json!({})));
    ground.account.refused(
        "eks:DescribePodIdentityAssociation",
        named(json!({})),
        "ResourceNotFoundException",
    );
}

/// API reference, `CreatePodIdentityAssociation`; DOMAIN 2.4: the role is of the cluster's account.
#[test]
fn the_role_is_known_and_trusts_pods() {
    let mut ground = ground();
    for wrong in [
        json!({ "roleArn": role("none") }),
        json!({ "roleArn": role("nodes") }),
        json!({ "targetRoleArn": "controller" }),
        json!({ "policy": "{}" }),
        json!({ "namespace": "" }),
    ] {
        let wrong = wanted(wrong);
        ground.account.refused("eks:CreatePodIdentityAssociation", wrong, "InvalidParameterException");
    }
    let other = wanted(json!({ "roleArn": "arn:aws:iam::222222222222:role/pods" }));
    ground.account.refused("eks:CreatePodIdentityAssociation", other, "AccessDeniedException");
}
