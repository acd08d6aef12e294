"""The walkthrough as a person makes it with the console, the CLI and eksctl: a network in one account, a
cluster in the other, and the role for the controller. Used by the trials of imports."""

import json
from typing import Any

from . import accounts
from .world import World

ZONES = {"a": "use1-az1", "b": "use1-az2"}
CLUSTER = "EKSTestDrive"
AWS_POLICIES = "arn:aws:iam::aws:policy/"

STACK = f"""\
[stack]
name = "taken-over"

[account.network]
id      = "{accounts.NETWORK}"
region  = "us-east-1"
profile = "network-admin"

[account.apps]
id       = "{accounts.APPS}"
region   = "us-east-1"
role_arn = "{accounts.DEPLOYER}"
"""


def tagged(kind: str, name: str, **more: str) -> list[dict[str, Any]]:
    """Returns tags as the calls take them."""
    tags = [{"Key": key, "Value": value} for key, value in {"Name": name, **more}.items()]
    return [{"ResourceType": kind, "Tags": tags}]


class NetworkByHand:
    """The network of the walkthrough, and the groups of both accounts, as a person makes them."""

    def __init__(self, world: World, share: bool = True) -> None:
        self.world = world
        self.ec2 = world.client("network")
        self.ram = world.client("network", "ram")
        self.apps = world.client("apps")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", "eks-vpc", owner="anna"))
        self.vpc = vpc["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.public = {letter: self.subnet("public", letter, number) for number, letter in enumerate(ZONES)}
        self.private = {letter: self.subnet("private", letter, number + 8) for number, letter in enumerate(ZONES)}
        for subnet in self.public.values():
            self.ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
        tags = tagged("internet-gateway", "eks-igw")
        self.gateway = self.ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=self.gateway)
        self.table("public", list(self.public.values()), GatewayId=self.gateway)
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        where = {"SubnetId": self.public["a"]["SubnetId"], "AllocationId": address}
        self.nat = self.ec2.create_nat_gateway(**where, TagSpecifications=tagged("natgateway", "eks-nat"))
        self.nat = self.nat["NatGateway"]["NatGatewayId"]
        self.ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[self.nat], WaiterConfig={"Delay": 1})
        self.table("private", list(self.private.values()), NatGatewayId=self.nat)
        self.group = self.ec2.create_security_group(
            GroupName="alb-sg",
            Description="HTTP from anywhere",
            VpcId=self.vpc,
            TagSpecifications=tagged("security-group", "alb-sg"),
        )["GroupId"]
        everywhere = [{"CidrIp": "0.0.0.0/0", "Description": "HTTP"}]
        port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": everywhere}
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[port])
        if share:
            self.ram.create_resource_share(
                name="eks-private-subnets",
                resourceArns=[subnet["SubnetArn"] for subnet in self.private.values()],
                principals=[accounts.APPS],
                allowExternalPrincipals=False,
            )

    def subnet(self, tier: str, letter: str, number: int) -> dict[str, Any]:
        """Makes a subnet with a name."""
        made: dict[str, Any] = self.ec2.create_subnet(
            VpcId=self.vpc,
            CidrBlock=f"10.0.{16 * number}.0/20",
            AvailabilityZoneId=ZONES[letter],
            TagSpecifications=tagged("subnet", f"{tier}-{letter}", tier=tier),
        )["Subnet"]
        return made

    def table(self, name: str, subnets: list[dict[str, Any]], **target: str) -> None:
        """Makes a route table that leads out by a target, and lets subnets go by it."""
        tags = tagged("route-table", name)
        table = self.ec2.create_route_table(VpcId=self.vpc, TagSpecifications=tags)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])


def allow(principal: dict[str, Any], action: Any, **condition: Any) -> str:
    """Returns a trust policy of one statement, as the console writes it."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class ClusterByHand:
    """The cluster of the walkthrough in the other account, with what eksctl and a person put beside it."""

    def __init__(self, network: NetworkByHand) -> None:
        self.network = network
        world = network.world
        self.eks, self.iam = world.client("apps", "eks"), world.client("apps", "iam")
        self.subnets = [subnet["SubnetId"] for subnet in network.private.values()]
        cluster_role = self.role("eksctl-cluster-ServiceRole", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"])
        nodes = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"]
        node_role = self.role("eksctl-ng-1-NodeInstanceRole", "ec2.amazonaws.com", nodes)
        self.iam.put_role_policy(
            RoleName="eksctl-ng-1-NodeInstanceRole",
            PolicyName="PolicyLogs",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}],
                }
            ),
        )
        self.eks.create_cluster(
            name=CLUSTER,
            version="1.34",
            roleArn=cluster_role,
            resourcesVpcConfig={"subnetIds": self.subnets, "endpointPublicAccess": True, "endpointPrivateAccess": True},
            accessConfig={"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True},
            tags={"alpha.eksctl.io/cluster-name": CLUSTER},
        )
        self.wait("cluster_active")
        self.cluster = self.eks.describe_cluster(name=CLUSTER)["cluster"]
        self.add_on("vpc-cni")
        self.add_on("kube-proxy")
        self.add_on("eks-pod-identity-agent")
        self.eks.create_nodegroup(
            clusterName=CLUSTER,
            nodegroupName="ng-1-workers",
            nodeRole=node_role,
            subnets=self.subnets,
            instanceTypes=["t3.medium"],
            scalingConfig={"minSize": 2, "desiredSize": 2, "maxSize": 4},
            labels={"role": "workers"},
            tags={"alpha.eksctl.io/nodegroup-name": "ng-1-workers"},
        )
        self.wait("nodegroup_active", nodegroupName="ng-1-workers")
        self.add_on("coredns")
        self.person_lets_people_in()
        self.person_lets_the_balancer_in()

    def role(self, name: str, service: str, policies: list[str]) -> str:
        """Makes a role as eksctl does."""
        tags = [{"Key": "alpha.eksctl.io/cluster-name", "Value": CLUSTER}]
        trust = allow({"Service": service}, ["sts:AssumeRole"])
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)["Role"]["Arn"]
        for policy in policies:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=AWS_POLICIES + policy)
        return str(arn)

    def add_on(self, name: str) -> None:
        """Makes an add-on with what EKS runs by default."""
        self.eks.create_addon(clusterName=CLUSTER, addonName=name, resolveConflicts="OVERWRITE")
        self.wait("addon_active", addonName=name)

    def wait(self, what: str, **more: str) -> None:
        """Waits for the cluster or something below it."""
        named = {"clusterName": CLUSTER, **more} if more else {"name": CLUSTER}
        self.eks.get_waiter(what).wait(**named, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def person_lets_people_in(self) -> None:
        """Makes an access entry and a Pod Identity association, as the console does."""
        trust = allow({"AWS": f"arn:aws:iam::{accounts.APPS}:root"}, "sts:AssumeRole")
        admins = self.iam.create_role(RoleName="admins", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.eks.create_access_entry(clusterName=CLUSTER, principalArn=admins)
        self.eks.associate_access_policy(
            clusterName=CLUSTER,
            principalArn=admins,
            policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            accessScope={"type": "cluster"},
        )
        trust = allow({"Service": "pods.eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"])
        reports = self.iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.eks.create_pod_identity_association(
            clusterName=CLUSTER, namespace="shop", serviceAccount="reports", roleArn=reports
        )

    def person_lets_the_balancer_in(self) -> None:
        """Adds the rule to the cluster's group that the walkthrough asks for."""
        group = self.cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
        source = {"GroupId": self.network.group, "UserId": accounts.NETWORK, "Description": "from the load balancer"}
        port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [source]}
        self.network.apps.authorize_security_group_ingress(GroupId=group, IpPermissions=[port])


class ControllerByHand:
    """What the first account has for the controller that works in the second one's cluster."""

    def __init__(self, cluster: ClusterByHand, policy: dict[str, Any]) -> None:
        iam = cluster.network.world.client("network", "iam")
        issuer = cluster.cluster["identity"]["oidc"]["issuer"]
        provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"])
        provider = provider["OpenIDConnectProviderArn"]
        name = "AWSLoadBalancerControllerIAMPolicy"
        policy_arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
        host = issuer.removeprefix("https://")
        account = "system:serviceaccount:kube-system:aws-load-balancer-controller"
        trust = allow(
            {"Federated": provider},
            "sts:AssumeRoleWithWebIdentity",
            StringEquals={f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": account},
        )
        role = "AmazonEKSLoadBalancerControllerRole"
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName=role, PolicyArn=policy_arn)


class BalancersByHand:
    """A load balancer that a person has made, and one that a controller would."""

    def __init__(self, network: NetworkByHand) -> None:
        elb = network.world.client("network", "elbv2")
        where = {"Subnets": [subnet["SubnetId"] for subnet in network.public.values()], "SecurityGroups": [network.group]}
        balancer = elb.create_load_balancer(Name="front", **where)["LoadBalancers"][0]["LoadBalancerArn"]
        group = elb.create_target_group(
            Name="front", Protocol="HTTP", Port=80, VpcId=network.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
        self.tags = [
            {"Key": "elbv2.k8s.aws/cluster", "Value": CLUSTER},
            {"Key": "ingress.k8s.aws/stack", "Value": "game-2048/ingress-2048"},
        ]
        self.controllers = "k8s-game2048-ingress2-1ae88303d5"
        self.arn = elb.create_load_balancer(Name=self.controllers, Tags=self.tags, **where)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]

    def controller_cleans_up(self, network: NetworkByHand) -> None:
        """Takes away what the controller would take away with its Ingress."""
        network.world.client("network", "elbv2").delete_load_balancer(LoadBalancerArn=self.arn)
