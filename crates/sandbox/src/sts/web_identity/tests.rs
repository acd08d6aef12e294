//! The way of a controller: a token of a cluster in one account, a role in the other.

use serde_json::{Value, json};

use crate::testing::{Account, text};

const ISSUER: &str = "https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE";
const SUBJECT: &str = "system:serviceaccount:kube-system:aws-load-balancer-controller";

/// Makes the provider and a role that trusts one service account, and returns the role's ARN.
fn with_role() -> (Account, String) {
    let mut account = Account::new();
    let provider = json!({ "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"] });
    let made = account.ok("iam:CreateOpenIDConnectProvider", provider);
    let address = ISSUER.trim_start_matches("https://");
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Federated": made["OpenIDConnectProviderArn"] },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
            format!("{address}:aud"): "sts.amazonaws.com",
            format!("{address}:sub"): SUBJECT,
        } },
    }] });
    let role = json!({ "RoleName": "controller", "AssumeRolePolicyDocument": trust.to_string() });
    let arn = text(&account.ok("iam:CreateRole", role)["Role"]["Arn"]);
    (account, arn)
}

fn token(account: &mut Account, change: &Value) -> String {
    let mut claims = json!({ "iss": ISSUER, "aud": ["sts.amazonaws.com"], "sub": SUBJECT, "exp": 3600 });
    claims.as_object_mut().expect("a table").extend(change.as_object().cloned().expect("a table"));
    account.world().issuer(ISSUER).issue(&claims)
}

fn assuming(role: &str, token: &str) -> Value {
    json!({ "RoleArn": role, "RoleSessionName": "controller", "WebIdentityToken": token })
}

const OPERATION: &str = "sts:AssumeRoleWithWebIdentity";

#[test]
fn a_token_of_the_trusted_account_gets_the_role() {
    let (mut account, role) = with_role();
    let token = token(&mut account, &json!({}));
    let assumed = account.nobody(|nobody| nobody.ok(OPERATION, assuming(&role, &token)));
    assert_eq!(assumed["SubjectFromWebIdentityToken"], SUBJECT);
    assert_eq!(assumed["Audience"], "sts.amazonaws.com");
    account.with(&assumed["Credentials"], |controller| {
        let identity = controller.ok("sts:GetCallerIdentity", json!({}));
        assert_eq!(identity["Arn"], "arn:aws:sts::111111111111:assumed-role/controller/controller");
    });
}

#[test]
fn other_tokens_do_not() {
    let (mut account, role) = with_role();
    for (change, code, said) in [
        (json!({ "sub": "system:serviceaccount:default:other" }), "AccessDenied", "Not authorized"),
        (json!({ "aud": "other" }), "InvalidIdentityToken", "Incorrect token audience"),
        (json!({ "iss": "https://other.example" }), "InvalidIdentityToken", "No OpenIDConnect provider"),
        (json!({ "exp": 0 }), "ExpiredTokenException", "Token expired"),
        (json!({ "exp": null }), "InvalidIdentityToken", "exp"),
    ] {
        let token = token(&mut account, &change);
        let message = account.message(OPERATION, assuming(&role, &token), code);
        assert!(message.contains(said), "{message}");
    }
    let good = token(&mut account, &json!({}));
    account.refused(OPERATION, assuming("arn:aws:iam::111111111111:role/none", &good), "AccessDenied");
    account.refused(OPERATION, assuming(&role, "no.real.token"), "InvalidIdentityToken");
    let (signed, _) = good.rsplit_once('.').expect("it has three parts");
    let other = token(&mut account, &json!({ "exp": 7200 }));
    let (_, signature) = other.rsplit_once('.').expect("it has three parts");
    let forged = format!("{signed}.{signature}");
    account.refused(OPERATION, assuming(&role, &forged), "InvalidIdentityToken");
}

/// An audience that the provider has, but the trust policy does not, is another refusal.
#[test]
fn the_trust_policy_has_the_last_word_on_the_audience() {
    let (mut account, role) = with_role();
    let arn = format!("arn:aws:iam::111111111111:oidc-provider/{}", &ISSUER["https://".len()..]);
    let client = json!({ "OpenIDConnectProviderArn": arn, "ClientID": "other" });
    account.ok("iam:AddClientIDToOpenIDConnectProvider", client);
    let token = token(&mut account, &json!({ "aud": "other" }));
    account.refused(OPERATION, assuming(&role, &token), "AccessDenied");
}

#[test]
fn a_provider_is_of_one_account_and_known_late() {
    let (mut account, role) = with_role();
    let token = token(&mut account, &json!({}));
    let elsewhere = role.replace("111111111111:role/controller", "222222222222:role/Deployer");
    account.refused(OPERATION, assuming(&elsewhere, &token), "InvalidIdentityToken");
    let named = json!({
        "OpenIDConnectProviderArn":
            format!("arn:aws:iam::111111111111:oidc-provider/{}", &ISSUER["https://".len()..]),
    });
    account.ok("iam:DeleteOpenIDConnectProvider", named);
    account.refused(OPERATION, assuming(&role, &token), "InvalidIdentityToken");
    account.world().rules.iam_delay = 5.0;
    let again = json!({ "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"] });
    account.ok("iam:CreateOpenIDConnectProvider", again);
    account.refused(OPERATION, assuming(&role, &token), "InvalidIdentityToken");
    account.wait(5);
    account.ok(OPERATION, assuming(&role, &token));
}

#[test]
fn nobody_may_do_nothing_else() {
    let (mut account, role) = with_role();
    account.nobody(|nobody| {
        nobody.refused("ec2:DescribeVpcs", json!({}), "MissingAuthenticationToken");
        nobody.refused("sts:GetCallerIdentity", json!({}), "MissingAuthenticationToken");
        let call = json!({ "RoleArn": role, "RoleSessionName": "run" });
        nobody.refused("sts:AssumeRole", call, "MissingAuthenticationToken");
    });
}
