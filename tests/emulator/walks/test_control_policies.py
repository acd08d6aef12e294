"""Service control policies: what the accounts of the organization may do at most."""

import json

from .walk import Walk, ids, number, only_sandbox

pytestmark = only_sandbox("moto has no organization until somebody makes one")

_TYPE = "SERVICE_CONTROL_POLICY"
_FULL = "p-FullAWSAccess"


def _content(effect: str, action: str) -> str:
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def test_policies_are_made_attached_and_taken_away(walk: Walk) -> None:
    home, apps = walk.client("home", "organizations"), number("apps")
    wanted = {"Name": "no-vpcs", "Description": "", "Type": _TYPE, "Content": _content("Deny", "ec2:CreateVpc")}
    policy = home.create_policy(**wanted)["Policy"]["PolicySummary"]["Id"]
    walk.refused("DuplicatePolicyException", "CreatePolicy: errors", home.create_policy, **wanted)
    broken = {**wanted, "Name": "broken", "Content": "{}"}
    walk.refused("MalformedPolicyDocumentException", "CreatePolicy: errors", home.create_policy, **broken)
    assert set(ids(home.list_policies(Filter=_TYPE)["Policies"], "Id")) == {policy, _FULL}
    assert len(walk.pages(home, "list_policies", "Policies", 1, Filter=_TYPE)) == 2
    both = {"PolicyId": policy, "TargetId": apps}
    home.attach_policy(**both)
    walk.refused("DuplicatePolicyAttachmentException", "AttachPolicy: errors", home.attach_policy, **both)
    attached = home.list_policies_for_target(TargetId=apps, Filter=_TYPE)["Policies"]
    assert set(ids(attached, "Id")) == {policy, _FULL}
    assert ids(home.list_targets_for_policy(PolicyId=policy)["Targets"], "TargetId") == [apps]
    [described] = [home.describe_policy(PolicyId=policy)["Policy"]]
    assert json.loads(described["Content"])["Statement"][0]["Effect"] == "Deny"
    walk.refused("PolicyInUseException", "DeletePolicy: errors", home.delete_policy, PolicyId=policy)
    nobody = {"PolicyId": policy, "TargetId": "123456789012"}
    walk.refused("TargetNotFoundException", "AttachPolicy: errors", home.attach_policy, **nobody)
    home.detach_policy(**both)
    walk.refused("PolicyNotAttachedException", "DetachPolicy: errors", home.detach_policy, **both)
    last = "DetachPolicy: every root, OU, and account must have at least one SCP"
    full = {"PolicyId": _FULL, "TargetId": apps}
    walk.refused("ConstraintViolationException", last, home.detach_policy, **full)
    home.update_policy(PolicyId=policy, Name="none", Content=_content("Deny", "*"))
    home.delete_policy(PolicyId=policy)
    walk.refused("PolicyNotFoundException", "DescribePolicy: errors", home.describe_policy, PolicyId=policy)


def test_a_simulation_tells_what_the_organization_says(walk: Walk) -> None:
    home = walk.client("home", "organizations")
    wanted = {"Name": "p", "Description": "", "Type": _TYPE, "Content": _content("Deny", "ec2:*")}
    policy = home.create_policy(**wanted)["Policy"]["PolicySummary"]["Id"]
    home.attach_policy(PolicyId=policy, TargetId=number("apps"))
    iam = walk.client("apps", "iam")
    asked = {"PolicySourceArn": f"arn:aws:iam::{number('apps')}:role/Deployer", "ActionNames": ["ec2:CreateVpc"]}
    [result] = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    assert not result["OrganizationsDecisionDetail"]["AllowedByOrganizations"]
