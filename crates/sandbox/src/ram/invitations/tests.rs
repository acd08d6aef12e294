//! Invitations to accounts outside of the organization.

use serde_json::{Value, json};

use crate::ram::ASSOCIATING;
use crate::testing::{Account, text};

const OUTSIDER: &str = "333333333333";
const ACCEPT: &str = "ram:AcceptResourceShareInvitation";
const REJECT: &str = "ram:RejectResourceShareInvitation";

/// Shares with an account outside of the organization; returns the ARNs of share and invitation.
fn invited(account: &mut Account) -> (String, String) {
    let made = account.ok("ram:CreateResourceShare", json!({ "name": "open", "principals": [OUTSIDER] }));
    let share = text(&made["resourceShare"]["resourceShareArn"]);
    let mut invitation = String::new();
    account.outsider(|outsider| {
        let asked = json!({ "resourceShareArns": [share] });
        let listed = outsider.ok("ram:GetResourceShareInvitations", asked);
        let found = &listed["resourceShareInvitations"][0];
        assert_eq!(found["status"], "PENDING");
        invitation = text(&found["resourceShareInvitationArn"]);
    });
    (share, invitation)
}

fn principal_status(account: &mut Account) -> Value {
    let listed = account.ok("ram:GetResourceShareAssociations", json!({ "associationType": "PRINCIPAL" }));
    let association = &listed["resourceShareAssociations"][0];
    assert_eq!(association["external"], true);
    association["status"].clone()
}

#[test]
fn an_account_outside_accepts_and_leaves() {
    let mut account = Account::new();
    let (share, invitation) = invited(&mut account);
    account.wait(3600);
    assert_eq!(principal_status(&mut account), "ASSOCIATING", "it waits as long as it takes");
    let named = json!({ "resourceShareInvitationArn": invitation });
    let received = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    account.refused(ACCEPT, named.clone(), "ResourceShareInvitationArnNotFoundException");
    account.outsider(|outsider| {
        assert_eq!(outsider.ok("ram:GetResourceShares", received.clone())["resourceShares"], json!([]));
        outsider.ok(ACCEPT, named.clone());
        outsider.refused(ACCEPT, named.clone(), "ResourceShareInvitationAlreadyAcceptedException");
        outsider.refused(REJECT, named.clone(), "ResourceShareInvitationAlreadyAcceptedException");
    });
    account.wait(ASSOCIATING.as_secs());
    assert_eq!(principal_status(&mut account), "ASSOCIATED");
    account.outsider(|outsider| {
        let seen = outsider.ok("ram:GetResourceShares", received.clone());
        assert_eq!(seen["resourceShares"][0]["status"], "ACTIVE");
        let leave = json!({ "resourceShareArn": share, "principals": [OUTSIDER] });
        outsider.ok("ram:DisassociateResourceShare", leave);
        assert_eq!(outsider.ok("ram:GetResourceShares", received)["resourceShares"], json!([]));
    });
    assert_eq!(principal_status(&mut account), "DISASSOCIATING");
}

#[test]
fn a_rejected_or_expired_invitation_lets_nobody_in() {
    let mut account = Account::new();
    let (share, invitation) = invited(&mut account);
    let named = json!({ "resourceShareInvitationArn": invitation });
    account.outsider(|outsider| {
        outsider.ok(REJECT, named.clone());
        outsider.refused(ACCEPT, named, "ResourceShareInvitationAlreadyRejectedException");
    });
    assert_eq!(principal_status(&mut account), "FAILED");
    account.ok("ram:DeleteResourceShare", json!({ "resourceShareArn": share }));
    let mut account = Account::new();
    let (share, invitation) = invited(&mut account);
    account.wait(12 * 3600);
    assert_eq!(principal_status(&mut account), "FAILED");
    account.outsider(|outsider| {
        let named = json!({ "resourceShareInvitationArn": invitation });
        outsider.refused(ACCEPT, named, "ResourceShareInvitationExpiredException");
    });
    let out = json!({ "resourceShareArn": share, "principals": [OUTSIDER] });
    account.ok("ram:DisassociateResourceShare", out.clone());
    account.ok("ram:AssociateResourceShare", out);
    account.outsider(|outsider| {
        let listed = outsider.ok("ram:GetResourceShareInvitations", json!({}));
        assert_eq!(listed["resourceShareInvitations"].as_array().map(Vec::len), Some(2));
    });
}

#[test]
fn nobody_inside_is_invited() {
    let mut account = Account::new();
    account.ok("ram:CreateResourceShare", json!({ "name": "in", "principals": ["222222222222"] }));
    account.other(|other| {
        let listed = other.ok("ram:GetResourceShareInvitations", json!({}));
        assert_eq!(listed["resourceShareInvitations"], json!([]));
        let unknown = json!({ "resourceShareInvitationArns": ["arn:x"] });
        let code = "ResourceShareInvitationArnNotFoundException";
        other.refused("ram:GetResourceShareInvitations", unknown, code);
    });
}
