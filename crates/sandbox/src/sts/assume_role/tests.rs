//! Who gets the credentials of a role, for how long, and what they are worth.

use serde_json::{Value, json};

use crate::testing::{Account, text};

/// Makes a role whose trust policy has these statements, and returns its ARN.
fn role(account: &mut Account, name: &str, statements: &Value) -> String {
    let trust = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let made = account.ok("iam:CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": trust }));
    text(&made["Role"]["Arn"])
}

fn trusting(principal: &Value) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" })
}

fn assuming(role: &str) -> Value {
    json!({ "RoleArn": role, "RoleSessionName": "run" })
}

#[test]
fn the_management_account_acts_in_every_account() {
    let mut manager = Account::new();
    for name in ["OrganizationAccountAccessRole", "Deployer"] {
        let arn = format!("arn:aws:iam::222222222222:role/{name}");
        let assumed = manager.ok("sts:AssumeRole", assuming(&arn));
        assert_eq!(
            assumed["AssumedRoleUser"]["Arn"],
            format!("arn:aws:sts::222222222222:assumed-role/{name}/run")
        );
        manager.with(&assumed["Credentials"], |session| {
            let identity = session.ok("sts:GetCallerIdentity", json!({}));
            assert_eq!(identity["Account"], "222222222222");
            assert_eq!(identity["UserId"], assumed["AssumedRoleUser"]["AssumedRoleId"]);
        });
    }
    manager.other(|member| {
        let arn = "arn:aws:iam::111111111111:role/Deployer";
        member.refused("sts:AssumeRole", assuming(arn), "AccessDenied");
    });
}

/// "The external ID … condition in a trust policy" (How to use an external ID, IAM user guide).
#[test]
fn an_external_id_has_to_be_the_agreed_one() {
    let mut owner = Account::new();
    let mut statement = trusting(&json!({ "AWS": "222222222222" }));
    statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": "agreed" } });
    let arn = role(&mut owner, "guest", &statement);
    owner.other(|guest| {
        guest.refused("sts:AssumeRole", assuming(&arn), "AccessDenied");
        let mut wrong = assuming(&arn);
        wrong["ExternalId"] = json!("another");
        let message = guest.message("sts:AssumeRole", wrong, "AccessDenied");
        assert_eq!(
            message,
            format!(
                "User: arn:aws:iam::222222222222:root is not authorized to perform: sts:AssumeRole on \
                 resource: {arn}"
            )
        );
        let mut right = assuming(&arn);
        right["ExternalId"] = json!("agreed");
        guest.ok("sts:AssumeRole", right);
    });
}

#[test]
fn unknown_roles_are_denied_and_malformed_ones_are_invalid() {
    let mut account = Account::new();
    for arn in ["arn:aws:iam::222222222222:role/none", "arn:aws:iam::999999999999:role/Deployer"] {
        account.refused("sts:AssumeRole", assuming(arn), "AccessDenied");
    }
    account.refused("sts:AssumeRole", assuming("Deployer"), "ValidationError");
    let arn = "arn:aws:iam::222222222222:role/Deployer";
    for name in ["a", "with space", &"long".repeat(17)] {
        let call = json!({ "RoleArn": arn, "RoleSessionName": name });
        account.refused("sts:AssumeRole", call, "ValidationError");
    }
    account.refused("sts:AssumeRole", json!({ "RoleArn": arn }), "ValidationError");
}

/// "The value can range from 900 seconds up to the maximum session duration set for the role …
/// role chaining limits your role session to a maximum of one hour" (API reference, `AssumeRole`).
#[test]
fn sessions_last_as_long_as_the_role_lets_them() {
    let mut account = Account::new();
    let arn = role(&mut account, "long", &trusting(&json!({ "AWS": "*" })));
    let lasting = |seconds: i64| {
        let mut call = assuming(&arn);
        call["DurationSeconds"] = json!(seconds);
        call
    };
    account.refused("sts:AssumeRole", lasting(899), "ValidationError");
    account.refused("sts:AssumeRole", lasting(43_201), "ValidationError");
    let message = account.message("sts:AssumeRole", lasting(3601), "ValidationError");
    assert!(message.contains("MaxSessionDuration"), "{message}");
    account.ok("iam:UpdateRole", json!({ "RoleName": "long", "MaxSessionDuration": 7200 }));
    let session = account.ok("sts:AssumeRole", lasting(7200));
    assert_eq!(session["Credentials"]["Expiration"], "1970-01-01T02:00:00Z");
    account.with(&session["Credentials"], |chained| {
        let message = chained.message("sts:AssumeRole", lasting(3601), "ValidationError");
        assert!(message.contains("role chaining"), "{message}");
        chained.ok("sts:AssumeRole", lasting(3600));
    });
}

/// Session tags need `sts:TagSession` in the trust policy, and transitive ones stay ("Pass session
/// tags in AWS STS").
#[test]
fn session_tags_are_trusted_and_passed_on() {
    let mut account = Account::new();
    let plain = role(&mut account, "plain", &trusting(&json!({ "AWS": "111111111111" })));
    let mut tagging = trusting(&json!({ "AWS": "*" }));
    tagging["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let tagged = role(&mut account, "tagged", &tagging);
    tagging["Condition"] = json!({ "StringEquals": { "aws:PrincipalTag/team": "a" } });
    let of_team = role(&mut account, "of-team", &tagging);
    let with_tag = |arn: &str| {
        json!({
            "RoleArn": arn,
            "RoleSessionName": "run",
            "Tags": [{ "Key": "team", "Value": "a" }],
            "TransitiveTagKeys": ["team"],
        })
    };
    account.refused("sts:AssumeRole", with_tag(&plain), "AccessDenied");
    account.refused("sts:AssumeRole", assuming(&of_team), "AccessDenied");
    let session = account.ok("sts:AssumeRole", with_tag(&tagged));
    account.with(&session["Credentials"], |session| {
        session.refused("sts:AssumeRole", with_tag(&tagged), "InvalidParameterValue");
        let next = session.ok("sts:AssumeRole", assuming(&tagged));
        session.with(&next["Credentials"], |next| {
            next.ok("sts:AssumeRole", assuming(&of_team));
        });
    });
}

/// A role is its unique id: who was deleted is not trusted any more, whoever has its name now
/// ("AWS JSON policy elements: Principal").
#[test]
fn a_deleted_principal_is_not_trusted_any_more() {
    let mut account = Account::new();
    let first = role(&mut account, "first", &trusting(&json!({ "AWS": "*" })));
    let second = role(&mut account, "second", &trusting(&json!({ "AWS": first })));
    let as_first = |account: &mut Account, check: &dyn Fn(&mut Account)| {
        let session = account.ok("sts:AssumeRole", assuming(&first));
        account.with(&session["Credentials"], |session| check(session));
    };
    as_first(&mut account, &|session| {
        session.ok("sts:AssumeRole", assuming(&second));
    });
    account.ok("iam:DeleteRole", json!({ "RoleName": "first" }));
    role(&mut account, "first", &trusting(&json!({ "AWS": "*" })));
    as_first(&mut account, &|session| {
        session.refused("sts:AssumeRole", assuming(&second), "AccessDenied");
    });
}

#[test]
fn new_roles_are_known_late() {
    let mut account = Account::new();
    account.world().rules.iam_delay = 5.0;
    let arn = role(&mut account, "new", &trusting(&json!({ "AWS": "*" })));
    account.refused("sts:AssumeRole", assuming(&arn), "AccessDenied");
    let trust = json!({ "Statement": [trusting(&json!({ "AWS": arn }))] }).to_string();
    let depending = json!({ "RoleName": "next", "AssumeRolePolicyDocument": trust });
    account.refused("iam:CreateRole", depending.clone(), "MalformedPolicyDocument");
    account.wait(5);
    account.ok("sts:AssumeRole", assuming(&arn));
    account.ok("iam:CreateRole", depending);
}

#[test]
fn session_policies_are_read_before_anything_is_issued() {
    let mut account = Account::new();
    let with = |name: &str, value: Value| {
        let mut call = assuming("arn:aws:iam::222222222222:role/Deployer");
        call[name] = value;
        call
    };
    account.refused("sts:AssumeRole", with("Policy", json!("{")), "MalformedPolicyDocument");
    let unknown = json!([{ "arn": "arn:aws:iam::aws:policy/None" }]);
    account.refused("sts:AssumeRole", with("PolicyArns", unknown), "MalformedPolicyDocument");
    let known = json!([{ "arn": "arn:aws:iam::aws:policy/ReadOnlyAccess" }]);
    account.ok("sts:AssumeRole", with("PolicyArns", known));
}
