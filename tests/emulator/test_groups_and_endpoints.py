"""Groups that name each other and themselves, and endpoints of a VPC: made, changed in place, taken
down in an order that the service takes."""

from typing import Any

from .inventory import by_kind, inventory
from .world import World
from .straddle import Straddle

SPEC = """
[stack]
name = "groups"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[route_table.main]
vpc_id = "${vpc.main.id}"

[subnet.main]
vpc_id               = "${vpc.main.id}"
cidr_block           = "10.0.0.0/20"
availability_zone_id = "use1-az1"

[security_group.front]
name        = "front"
description = "In front"
vpc_id      = "${vpc.main.id}"
ingress     = [{ protocol = "all", source = "self" }]
egress      = [{ protocol = "tcp", ports = "443", source = "${security_group.back.id}" }]

[security_group.back]
name        = "back"
description = "Behind it"
vpc_id      = "${vpc.main.id}"
ingress     = [{ protocol = "tcp", ports = "443", source = "${security_group.front.id}" }]
egress      = [{ protocol = "icmp", ports = "8", cidr = "::/0", description = "ping" }]

[vpc_endpoint.s3]
service_name    = "com.amazonaws.us-east-1.s3"
vpc_id          = "${vpc.main.id}"
route_table_ids = ["${route_table.main.id}"]

[vpc_endpoint.sts]
service_name       = "com.amazonaws.us-east-1.sts"
vpc_id             = "${vpc.main.id}"
endpoint_type      = "Interface"
subnet_ids         = ["${subnet.main.id}"]
security_group_ids = ["${security_group.front.id}"]

[vpc_endpoint.sts.policy]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Principal = "*", Action = "sts:*", Resource = "*" }]
"""


def endpoints(client: Any) -> dict[str, Any]:
    """Returns the endpoints that are not deleted, by service."""
    found = client.describe_vpc_endpoints()["VpcEndpoints"]
    alive = [endpoint for endpoint in found if endpoint["State"] != "deleted"]
    return {str(endpoint["ServiceName"]).rsplit(".", 1)[1]: endpoint for endpoint in alive}


def test_groups_and_endpoints_live_and_die(straddle: Straddle, world: World) -> None:
    client = world.client("network")
    straddle.write_spec({"main.toml": SPEC})
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    straddle.run("plan", "--detailed-exitcode", straddle.spec).expect(0)
    assert by_kind(inventory(world, "network"))["security_group_rule"] == 4
    made = endpoints(client)
    assert set(made) == {"s3", "sts"}

    changed = SPEC.replace('"sts:*"', '"sts:AssumeRole"')
    changed = changed.replace('["${security_group.front.id}"]', '["${security_group.back.id}"]')
    straddle.write_spec({"main.toml": changed})
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    straddle.run("plan", "--detailed-exitcode", straddle.spec).expect(0)
    after = endpoints(client)
    assert after["sts"]["VpcEndpointId"] == made["sts"]["VpcEndpointId"]
    assert "sts:AssumeRole" in str(after["sts"]["PolicyDocument"])
    assert after["sts"]["Groups"] != made["sts"]["Groups"]

    straddle.run("destroy", "--auto-approve", straddle.spec).expect(0)
    assert endpoints(client) == {} and inventory(world, "network") == []
