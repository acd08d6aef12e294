"""The AWS part of the whole walkthrough: account B's cluster in account A's network, and the role in
account A for what runs in the cluster. Beside `specs/cross-account-alb`."""

CLUSTER = """
[defaults]
account = "apps"

[iam_role.cluster]
name     = "shop-cluster"
trust    = { service = "eks.amazonaws.com" }
policies = ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]

[iam_role.nodes]
name     = "shop-nodes"
trust    = { service = "ec2.amazonaws.com" }
policies = [
  "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
  "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
  "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
]

[eks_cluster.main]
name                          = "shop"
version                       = "1.35"
role_arn                      = "${iam_role.cluster.arn}"
subnet_ids                    = "${subnet.private[*].id}"
access                        = { authentication_mode = "API_AND_CONFIG_MAP", bootstrap_creator_admin = true }
endpoint                      = { public = true, private = true }
upgrade_policy                = "STANDARD"
bootstrap_self_managed_addons = false

[eks_addon.vpc_cni]
cluster_name = "${eks_cluster.main.name}"
name         = "vpc-cni"

[eks_addon.kube_proxy]
cluster_name = "${eks_cluster.main.name}"
name         = "kube-proxy"

[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.private[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 2, desired = 2, max = 4 }
depends_on     = ["route_table.private", "eks_addon.vpc_cni", "eks_addon.kube_proxy"]

[eks_addon.coredns]
cluster_name = "${eks_cluster.main.name}"
name         = "coredns"
depends_on   = ["eks_node_group.workers"]

[security_group_rule.pods_from_alb]
security_group_id = "${eks_cluster.main.cluster_security_group_id}"
direction         = "ingress"
protocol          = "tcp"
ports             = "80"
source            = "${security_group.alb.id}"
description       = "load balancer of account A to the pods"
"""

CONTROLLER = """
[defaults]
account = "network"

[iam_openid_connect_provider.cluster]
url       = "${eks_cluster.main.oidc_issuer}"
audiences = ["sts.amazonaws.com"]

[iam_policy.lb_controller]
name     = "LoadBalancerController"
document = { load_balancer_controller = "v2.13.4" }

[iam_role.lb_controller]
name     = "LoadBalancerController"
policies = ["${iam_policy.lb_controller.arn}"]

[iam_role.lb_controller.trust]
oidc_provider    = "${iam_openid_connect_provider.cluster.arn}"
service_accounts = ["kube-system/aws-load-balancer-controller"]
"""

FILES = {"cluster.toml": CLUSTER, "controller.toml": CONTROLLER}
