//! Short forms, and the documents that they stand for.

use straddle_engine::address::Address;
use straddle_engine::json;

use super::*;
use crate::iam::testing::{json as value, place};

fn whole(trust: Value) -> Result<Value, Problem> {
    let inputs = ValueMap::from([("trust".to_owned(), trust)]);
    let mut inputs = canonical("trust", &place(), inputs).map_err(|mut problems| problems.remove(0))?;
    Ok(inputs.remove("trust").expect("it was there"))
}

#[track_caller]
fn check(short: &str, statements: &str) {
    let expected = value(&format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#));
    let found = whole(value(short)).expect("the form is right");
    assert_eq!(json::encode(&found), json::encode(&expected));
}

#[track_caller]
fn check_refused(short: &str, parts: &[&str]) {
    let problem = whole(value(short)).expect_err("the form is wrong");
    let told = format!("{} {}", problem.message, problem.hint.unwrap_or_default());
    for part in parts {
        assert!(told.contains(part), "{part} is missing in: {told}");
    }
}

#[test]
fn services_assume_roles() {
    check(
        r#"{"service": "eks.amazonaws.com"}"#,
        r#"[{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]"#,
    );
    check(
        r#"{"service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}"#,
        r#"[{"Effect": "Allow", "Principal": {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]},
             "Action": "sts:AssumeRole"}]"#,
    );
}

#[test]
fn pod_identity_says_with_tags_for_whom() {
    check(
        r#"{"service": "pods.eks.amazonaws.com"}"#,
        r#"[{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"},
             "Action": ["sts:AssumeRole", "sts:TagSession"]}]"#,
    );
}

#[test]
fn tokens_are_pinned_by_audience_and_subject() {
    check(
        r#"{"oidc_provider": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A1",
            "service_accounts": ["kube-system/aws-load-balancer-controller"]}"#,
        r#"[{"Effect": "Allow",
             "Principal": {"Federated":
                "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A1"},
             "Action": "sts:AssumeRoleWithWebIdentity",
             "Condition": {"StringEquals": {
                "oidc.eks.us-east-1.amazonaws.com/id/A1:aud": "sts.amazonaws.com",
                "oidc.eks.us-east-1.amazonaws.com/id/A1:sub":
                    ["system:serviceaccount:kube-system:aws-load-balancer-controller"]}}}]"#,
    );
    check(
        r#"{"oidc_provider": "arn:aws:iam::1:oidc-provider/o", "service_accounts": "a/b", "audiences": ["c"]}"#,
        r#"[{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/o"},
             "Action": "sts:AssumeRoleWithWebIdentity",
             "Condition": {"StringEquals": {"o:aud": ["c"], "o:sub": "system:serviceaccount:a:b"}}}]"#,
    );
}

#[test]
fn accounts_and_roles_assume_roles() {
    check(
        r#"{"account": "222233334444"}"#,
        r#"[{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
             "Action": "sts:AssumeRole"}]"#,
    );
    let role = "arn:aws:iam::222233334444:role/pods";
    check(
        &format!(r#"{{"role": "{role}", "external_id": "x", "session_tags": true}}"#),
        &format!(
            r#"[{{"Effect": "Allow", "Principal": {{"AWS": "{role}"}}, "Action": "sts:AssumeRole",
                  "Condition": {{"StringEquals": {{"sts:ExternalId": "x"}}}}}},
                {{"Effect": "Allow", "Principal": {{"AWS": "{role}"}}, "Action": "sts:TagSession"}}]"#
        ),
    );
    check(
        &format!(r#"{{"account": ["222233334444"], "role": "{role}", "service": "ec2.amazonaws.com"}}"#),
        &format!(
            r#"[{{"Effect": "Allow", "Principal": {{"Service": "ec2.amazonaws.com"}}, "Action": "sts:AssumeRole"}},
                {{"Effect": "Allow", "Principal": {{"AWS": ["arn:aws:iam::222233334444:root", "{role}"]}},
                  "Action": "sts:AssumeRole"}}]"#
        ),
    );
}

#[test]
fn the_partition_is_that_of_the_region() {
    let place = Place { partition: "aws-cn".to_owned(), ..place() };
    let inputs = ValueMap::from([("trust".to_owned(), value(r#"{"account": "222233334444"}"#))]);
    let inputs = canonical("trust", &place, inputs).expect("the form is right");
    let text = json::encode(&inputs["trust"]).expect("it is known");
    assert!(text.contains("arn:aws-cn:iam::222233334444:root"), "{text}");
}

#[test]
fn what_is_unknown_stays_so_and_where_it_is() {
    let unknown = |attribute| Value::unknown(Address::new("iam_openid_connect_provider", "main"), attribute);
    let entries = [
        ("oidc_provider".to_owned(), unknown("arn")),
        ("service_accounts".to_owned(), Value::from(vec!["a/b"])),
    ];
    let found = whole(Value::Map(entries.into())).expect("the form is right");
    let statement = &found.as_map().expect("a table")["Statement"].as_list().expect("a list")[0];
    let statement = statement.as_map().expect("a table");
    assert_eq!(statement["Principal"].as_map().expect("a table")["Federated"], unknown("arn"));
    assert!(matches!(&statement["Condition"], Value::Unknown(part) if !part.exact));
    // What comes true has the same shape.
    let arn = "arn:aws:iam::1:oidc-provider/o";
    let known = whole(value(&format!(r#"{{"oidc_provider": "{arn}", "service_accounts": ["a/b"]}}"#)));
    let known = known.expect("the form is right");
    let keys = |value: &Value| value.as_map().expect("a table").keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&known.as_map().expect("a table")["Statement"].as_list().expect("a list")[0]),
        keys(&Value::Map(statement.clone()))
    );
    assert_eq!(whole(unknown("arn")), Ok(unknown("arn")));
    let services = ValueMap::from([("service".to_owned(), unknown("arn"))]);
    let text = format!("{:?}", whole(Value::Map(services)).expect("the form is right"));
    assert!(!text.contains("sts:AssumeRole"), "it may have to be more: {text}");
}

#[test]
fn whole_documents_stay_as_they_are() {
    let document = value(
        r#"{"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}"#,
    );
    assert_eq!(whole(document.clone()), Ok(document));
}

#[test]
fn wrong_forms_come_with_what_to_write() {
    check_refused("{}", &["`service`", "`Statement`"]);
    check_refused(r#"{"services": "ec2.amazonaws.com"}"#, &["no `services`", "`service`"]);
    check_refused(r#"{"oidc_provider": "arn:aws:iam::1:oidc-provider/o"}"#, &["service_accounts = ["]);
    check_refused(r#"{"service_accounts": ["a/b"]}"#, &["`oidc_provider`"]);
    check_refused(r#"{"service": "a", "external_id": "x"}"#, &["`account` or `role`"]);
    check_refused(
        r#"{"oidc_provider": "https://oidc.example", "service_accounts": ["a/b"]}"#,
        &["https://oidc.example", "iam_openid_connect_provider.NAME.arn"],
    );
    for account in ["kube-system", "kube-system/*", "a/b/c", "/a", "A/b"] {
        check_refused(
            &format!(
                r#"{{"oidc_provider": "arn:aws:iam::1:oidc-provider/o", "service_accounts": ["{account}"]}}"#
            ),
            &["NAMESPACE/NAME", "StringLike"],
        );
    }
    check_refused(r#"{"account": "1"}"#, &["12 digits"]);
    check_refused(r#"{"account": 222233334444}"#, &["12 digits"]);
    check_refused(r#"{"role": "cluster"}"#, &["iam_role.NAME.arn"]);
    check_refused(r#"{"role": "arn:aws:sts::1:assumed-role/x/y"}"#, &["session"]);
    check_refused(r#"{"service": 1}"#, &["`service`"]);
    check_refused(r#"{"service": "a", "session_tags": "yes"}"#, &["boolean"]);
}

#[test]
fn nobody_can_assume_a_role_that_trusts_nobody() {
    let text = json::encode(&nobody()).expect("it is known");
    assert!(text.contains(r#""Effect":"Deny""#) && !text.contains("Allow"), "{text}");
}

#[test]
fn documents_have_the_short_form_that_stands_for_them() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0A";
    let tokens = format!(r#"{{"oidc_provider": "{provider}", "service_accounts": ["shop/reports"]}}"#);
    let other = format!(
        r#"{{"oidc_provider": "{provider}", "service_accounts": ["a/b", "a/c"], "audiences": ["x"]}}"#
    );
    for short in [
        r#"{"service": "eks.amazonaws.com"}"#,
        r#"{"service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}"#,
        r#"{"service": "pods.eks.amazonaws.com"}"#,
        r#"{"account": "222222222222", "external_id": "x"}"#,
        r#"{"role": "arn:aws:iam::222222222222:role/pods", "external_id": "x", "session_tags": true}"#,
        r#"{"service": "ec2.amazonaws.com", "account": "222222222222"}"#,
        &tokens,
        &other,
    ] {
        let document = whole(value(short)).expect("the form is right");
        let found = shorthand(&document).unwrap_or_else(|| panic!("{short} has none"));
        let again = whole(found.clone()).expect("the form is right");
        assert_eq!(json::encode(&again), json::encode(&document), "{found:?}");
    }
    // What says more has a short form that stands for something else, or none.
    let more = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ec2.amazonaws.com"}, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}"#;
    let found = shorthand(&value(more)).expect("there is one");
    assert_ne!(json::encode(&whole(found).expect("the form is right")), json::encode(&value(more)));
    assert_eq!(shorthand(&value(r#"{"Statement": [{"NotPrincipal": {"AWS": "*"}}]}"#)), None);
}
