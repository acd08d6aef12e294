"""What trials of load balancers have in common: a network that they can stand in, whose two subnets the internet
reaches."""

STACK = """
[stack]
name = "balancers"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[vpc.main]
cidr_block = "10.0.0.0/16"

[internet_gateway.main]
vpc_id = "${vpc.main.id}"

[subnet.public]
for_each             = { use1-az1 = "10.0.0.0/24", use1-az2 = "10.0.1.0/24" }
vpc_id               = "${vpc.main.id}"
cidr_block           = "${each.value}"
availability_zone_id = "${each.key}"

[security_group.web]
name        = "web"
description = "HTTP from everywhere"
vpc_id      = "${vpc.main.id}"
ingress     = [{ protocol = "tcp", ports = "80", cidr = "0.0.0.0/0" }]
"""

# The ranges of its subnets.
RANGES = ["10.0.0.0/24", "10.0.1.0/24"]
