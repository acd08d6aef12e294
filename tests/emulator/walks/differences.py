"""Where moto does not do as AWS. The fact that settles each stands where the walks ask for it, or here."""

# Refusals of AWS, by operation and code: moto's code, or None if moto does what is asked. Why AWS
# refuses is said at each refusal in the walks.
REFUSALS: dict[tuple[str, str], str | None] = {
    ("AssociateAddress", "Gateway.NotAttached"): None,
    ("AssociateRouteTable", "Resource.AlreadyAssociated"): None,
    ("AssociateSubnetCidrBlock", "InvalidParameterValue"): None,
    ("AssociateVpcCidrBlock", "InvalidVpc.Range"): None,
    ("AttachInternetGateway", "InvalidParameterValue"): None,
    ("AuthorizeSecurityGroupIngress", "InvalidParameterCombination"): None,
    ("AuthorizeSecurityGroupIngress", "InvalidParameterValue"): None,
    ("AuthorizeSecurityGroupIngress", "MissingParameter"): None,
    ("CreateNatGateway", "DryRunOperation"): None,
    ("CreateNetworkInterface", "InvalidIPAddress.InUse"): None,
    ("CreateOpenIDConnectProvider", "InvalidInput"): None,
    ("CreateRole", "MalformedPolicyDocument"): None,
    ("CreateRoute", "DryRunOperation"): None,
    ("CreateRoute", "InvalidGatewayID.NotFound"): "InvalidInternetGatewayID.NotFound",
    ("CreateRoute", "InvalidNatGatewayID.NotFound"): None,
    ("CreateRoute", "InvalidParameterCombination"): None,
    ("CreateRoute", "InvalidParameterValue"): None,
    ("CreateRoute", "InvalidTransitGatewayID.NotFound"): None,
    ("CreateRoute", "InvalidVpcPeeringConnectionID.NotFound"): "InvalidVpcPeeringConnectionId.NotFound",
    ("CreateRouteTable", "DryRunOperation"): None,
    ("CreateSecurityGroup", "InvalidGroup.Reserved"): "InvalidGroup.Duplicate",
    ("CreateSecurityGroup", "InvalidParameterValue"): None,
    ("CreateSecurityGroup", "VPCIdNotSpecified"): None,
    ("CreateSubnet", "DryRunOperation"): None,
    ("CreateTags", "InvalidParameterValue"): "500",
    ("CreateTags", "InvalidSecurityGroupRuleId.NotFound"): None,
    ("CreateTags", "TagLimitExceeded"): "500",
    ("CreateVpc", "DryRunOperation"): None,
    ("DeletePolicy", "DeleteConflict"): None,
    ("DeleteRoute", "InvalidParameterValue"): None,
    ("DeleteRouteTable", "DependencyViolation"): None,
    ("DeleteSecurityGroup", "CannotDelete"): None,
    ("DeleteSecurityGroup", "DependencyViolation"): None,
    ("DeleteSubnet", "DependencyViolation"): None,
    ("DeleteUser", "DeleteConflict"): None,
    ("DeleteVpc", "DependencyViolation"): None,
    ("DescribeAvailabilityZones", "InvalidParameterValue"): None,
    ("DescribeNetworkAcls", "InvalidNetworkAclID.NotFound"): "InvalidRouteTableID.NotFound",
    ("DescribePrefixLists", "InvalidPrefixListID.NotFound"): None,
    ("DescribeVpcs", "FilterLimitExceeded"): None,
    ("DescribeVpcs", "InvalidNextToken"): None,
    ("DescribeVpcs", "InvalidParameterValue"): None,
    ("DetachInternetGateway", "DependencyViolation"): None,
    ("DisassociateRouteTable", "InvalidParameterValue"): "InvalidAssociationID.NotFound",
    ("DisassociateSubnetCidrBlock", "InvalidSubnetCidrBlockAssociationID.NotFound"): None,
    ("DisassociateVpcCidrBlock", "InvalidCidrBlock.InUse"): None,
    ("DisassociateVpcCidrBlock", "InvalidVpcCidrBlockAssociationID.NotFound"): None,
    ("ModifySubnetAttribute", "InvalidParameterCombination"): None,
    ("ModifySubnetAttribute", "InvalidParameterValue"): None,
    ("ModifyVpcAttribute", "InvalidParameterCombination"): None,
    ("ModifyVpcAttribute", "InvalidParameterValue"): None,
    ("ReleaseAddress", "InvalidIPAddress.InUse"): None,
    ("RevokeSecurityGroupIngress", "InvalidSecurityGroupRuleId.NotFound"): "InvalidPermission.NotFound",
}

# What moto answers otherwise, and why AWS's is another.
ANSWERS = {
    "paging": 'moto answers in one page whatever MaxResults says; AWS: "The maximum number of items to return '
    'for this request" (API references, MaxResults and "Pagination" of the EC2 API).',
    "zone names": "moto gives all accounts the same names of zones; AWS maps them for each account "
    "(AZ IDs for your AWS resources, RAM user guide).",
    "host bits": "moto keeps a range as it is written; AWS modifies it to its canonical form (CreateSubnet).",
    "states": "moto's NAT gateways are available at once and hold nothing; on AWS they are pending "
    "for minutes (NatGateway, State) and have an interface in their subnet (NAT gateways, VPC user guide).",
    "unknown NAT gateways": "moto lists a deleted NAT gateway for ever, keeps its address associated and answers "
    "nothing or a 500 for one that is unknown; AWS forgets it after about an hour (DeleteNatGateway).",
    "DescribeNatGateways by tag": "moto ignores filters by tag; AWS has them (DescribeNatGateways, Filter).",
    "groups for a VPC": "moto has no GetSecurityGroupsForVpc.",
    "routes of endpoints": "moto shows no prefix list in routes of gateway endpoints, and lets them be deleted; AWS "
    "adds a route to the service's prefix list (Gateway endpoints, PrivateLink guide).",
    "endpoints by id": "moto has no filter by id and forgets nothing; it cannot delete an endpoint that has left its "
    "first route table (500). AWS answers InvalidVpcEndpointId.NotFound (error codes of the EC2 API reference).",
    "interfaces of endpoints": "moto's interface endpoints have interfaces that anybody deletes and that hold no "
    "subnet; on AWS they are managed by the requester (Interface endpoints, PrivateLink guide).",
    "default groups": "moto's default group has no rules; AWS's lets in its own members and lets everything out "
    "(Default security groups for your VPCs, VPC user guide).",
    "disassociated ranges": "moto loses the local route of a range and cannot take the range away afterwards; AWS "
    "removes both (DisassociateVpcCidrBlock).",
    "ranges of prefix lists": "moto shows no ranges in DescribePrefixLists; AWS does (PrefixList, Cidrs).",
    "tags of instance profiles": "moto has no ListInstanceProfileTags.",
    "credentials": "moto takes any key; AWS refuses what is inactive (common errors of STS, InvalidClientTokenId).",
    "boundaries of users": "moto has no PutUserPermissionsBoundary.",
    "policies of AWS": "moto has AWS's managed policies only when it is told to load them.",
    "clients of providers": "moto has no AddClientIDToOpenIDConnectProvider.",
}
