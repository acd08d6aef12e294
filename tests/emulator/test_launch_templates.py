"""Launch templates: each change is a version, the latest is the default one."""

from typing import Any

import pytest

from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "moto keeps a template's first tags, and its deletion never ends")

SPEC = """
[stack]
name = "templates"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[launch_template.nodes]
name               = "nodes"
"""

FIRST = """
instance_type      = "t3.medium"
metadata_options   = { http_tokens = "required", http_put_response_hop_limit = 2 }
user_data          = "${base64encode('#!/bin/sh')}"
tag_specifications = { instance = { team = "web" } }
"""

SECOND = """
instance_type    = "m7i.large"
description      = "larger"
metadata_options = { http_tokens = "required", http_put_response_hop_limit = 1 }
block_devices    = [{ device_name = "/dev/xvda", volume_size = 50, volume_type = "gp3", encrypted = true }]
tags             = { team = "web" }
"""


def test_a_change_is_a_version_that_becomes_the_default_one(straddle: Straddle, world: World) -> None:
    client = world.client("network")

    def run(command: str, *arguments: str) -> str:
        return straddle.run(command, straddle.spec, *arguments).expect(0).stdout

    def template() -> dict[str, Any]:
        (found,) = client.describe_launch_templates()["LaunchTemplates"]
        return dict(found)

    def data() -> dict[str, Any]:
        versions = client.describe_launch_template_versions(
            LaunchTemplateId=template()["LaunchTemplateId"], Versions=["$Default"]
        )
        return dict(versions["LaunchTemplateVersions"][0]["LaunchTemplateData"])

    straddle.write_spec({"main.toml": SPEC + FIRST})
    run("apply", "--auto-approve")
    run("plan", "--detailed-exitcode")
    made = template()
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    assert data()["MetadataOptions"]["HttpPutResponseHopLimit"] == 2

    straddle.write_spec({"main.toml": SPEC + SECOND})
    run("apply", "--auto-approve")
    run("plan", "--detailed-exitcode")
    changed = template()
    assert changed["LaunchTemplateId"] == made["LaunchTemplateId"]
    assert (changed["DefaultVersionNumber"], changed["LatestVersionNumber"]) == (2, 2)
    assert {"Key": "team", "Value": "web"} in changed["Tags"]
    assert data()["InstanceType"] == "m7i.large"
    assert data()["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 50
    assert "UserData" not in data(), "what is given up is in no later version"

    # Somebody makes another version, and takes the default back to the first one.
    client.create_launch_template_version(
        LaunchTemplateName="nodes", LaunchTemplateData={"InstanceType": "t3.nano"}
    )
    client.modify_launch_template(LaunchTemplateName="nodes", DefaultVersion="1")
    plan = run("plan")
    assert '"t3.nano" -> "m7i.large"' in plan and "latest_is_default" in plan
    run("apply", "--auto-approve")
    run("plan", "--detailed-exitcode")
    repaired = template()
    assert (repaired["DefaultVersionNumber"], repaired["LatestVersionNumber"]) == (4, 4)
    assert data()["InstanceType"] == "m7i.large"

    run("destroy", "--auto-approve")
    assert client.describe_launch_templates()["LaunchTemplates"] == []
