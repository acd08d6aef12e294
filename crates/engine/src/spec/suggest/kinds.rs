//! The kinds and blocks of Terraform, `OpenTofu`, Pulumi and `CloudFormation`, and what they are here.

use crate::spec::suggest::snake_case;

/// The kinds that the language will have; a program may have only some of them.
const PLANNED: [&str; 29] = [
    "eks_access_entry",
    "eks_addon",
    "eks_cluster",
    "eks_fargate_profile",
    "eks_node_group",
    "eks_pod_identity_association",
    "eip",
    "helm_release",
    "iam_openid_connect_provider",
    "iam_policy",
    "iam_role",
    "ingress_load_balancer",
    "internet_gateway",
    "kubernetes_manifests",
    "kubernetes_object",
    "listener",
    "load_balancer",
    "nat_gateway",
    "ram_organization_sharing",
    "ram_resource_share",
    "ram_share_accepter",
    "route",
    "route_table",
    "route_table_association",
    "security_group",
    "security_group_rule",
    "subnet",
    "target_group",
    "vpc_endpoint",
];

/// Kinds of `CloudFormation` whose last word, in small letters, is not ours.
const CLOUDFORMATION: [(&str, &str); 16] = [
    ("AWS::EC2::VPCGatewayAttachment", "internet_gateway"),
    ("AWS::EC2::SubnetRouteTableAssociation", "route_table_association"),
    ("AWS::EC2::SecurityGroupIngress", "security_group_rule"),
    ("AWS::EC2::SecurityGroupEgress", "security_group_rule"),
    ("AWS::RAM::ResourceShare", "ram_resource_share"),
    ("AWS::IAM::OIDCProvider", "iam_openid_connect_provider"),
    ("AWS::IAM::ManagedPolicy", "iam_policy"),
    ("AWS::IAM::Policy", "iam_role"),
    ("AWS::IAM::Role", "iam_role"),
    ("AWS::EKS::Nodegroup", "eks_node_group"),
    ("AWS::EKS::Cluster", "eks_cluster"),
    ("AWS::EKS::Addon", "eks_addon"),
    ("AWS::EKS::AccessEntry", "eks_access_entry"),
    ("AWS::EKS::PodIdentityAssociation", "eks_pod_identity_association"),
    ("AWS::EKS::FargateProfile", "eks_fargate_profile"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "load_balancer"),
];

/// Kinds of Terraform without `aws_`, of Pulumi in small letters, and words of everyday use.
const WORDS: [(&str, &str); 48] = [
    ("alb", "load_balancer"),
    ("default_route_table", "route_table"),
    ("default_security_group", "security_group"),
    ("default_subnet", "subnet"),
    ("default_vpc", "vpc"),
    ("eks_access_policy_association", "eks_access_entry"),
    ("eks_nodegroup", "eks_node_group"),
    ("elastic_ip", "eip"),
    ("iam_managed_policy", "iam_policy"),
    ("iam_oidc_provider", "iam_openid_connect_provider"),
    ("iam_open_id_connect_provider", "iam_openid_connect_provider"),
    ("iam_policy_attachment", "iam_role"),
    ("iam_policy_document", "iam_policy"),
    ("iam_role_policy", "iam_role"),
    ("iam_role_policy_attachment", "iam_role"),
    ("igw", "internet_gateway"),
    ("internet_gateway_attachment", "internet_gateway"),
    ("kubectl_manifest", "kubernetes_object"),
    ("kubernetes_config_map", "kubernetes_object"),
    ("kubernetes_deployment", "kubernetes_object"),
    ("kubernetes_ingress", "kubernetes_object"),
    ("kubernetes_ingress_v1", "kubernetes_object"),
    ("kubernetes_manifest", "kubernetes_object"),
    ("kubernetes_namespace", "kubernetes_object"),
    ("kubernetes_service", "kubernetes_object"),
    ("kubernetes_service_account", "kubernetes_object"),
    ("lb", "load_balancer"),
    ("lb_listener", "listener"),
    ("lb_target_group", "target_group"),
    ("main_route_table_association", "route_table_association"),
    ("nat", "nat_gateway"),
    ("natgw", "nat_gateway"),
    ("node_group", "eks_node_group"),
    ("nodegroup", "eks_node_group"),
    ("oidc_provider", "iam_openid_connect_provider"),
    ("ram_principal_association", "ram_resource_share"),
    ("ram_resource_association", "ram_resource_share"),
    ("ram_resource_share_accepter", "ram_share_accepter"),
    ("ram_share", "ram_resource_share"),
    ("ram_sharing_with_organization", "ram_organization_sharing"),
    ("role_policy_attachment", "iam_role"),
    ("security_group_egress", "security_group_rule"),
    ("security_group_ingress", "security_group_rule"),
    ("vpc_endpoint_route_table_association", "vpc_endpoint"),
    ("vpc_endpoint_subnet_association", "vpc_endpoint"),
    ("vpc_security_group_egress_rule", "security_group_rule"),
    ("vpc_security_group_ingress_rule", "security_group_rule"),
    ("zonal_nat_gateway", "nat_gateway"),
];

/// What other tools' blocks that are no resources become, in whole sentences.
const BLOCKS: [(&str, &str); 22] = [
    ("conditions", "A choice is an expression: `\"${var.small ? 1 : 3}\"`."),
    ("config", "Variables are blocks: `[var.NAME]`, with a `default`."),
    ("count", "`for_each` makes several resources of a block; in it, `${each.key}` tells them apart."),
    (
        "data",
        "What exists already is read with `[lookup.NAME]`; until a program has that, a variable can hold its id.",
    ),
    ("locals", "Values with names go into `[local]`, and are read as `${local.NAME}`."),
    ("mappings", "Tables go into `[local]`: `zones = { a = 1 }` is `${local.zones.a}`."),
    ("module", "A folder with a `[component]` block is used by `[use.NAME]`."),
    ("outputs", "Each output is a block: `[output.NAME]`, with a `value`."),
    ("parameters", "Each variable is a block: `[var.NAME]`, with a `default` or a `type`."),
    ("path", "Files are named from the folder of the spec: `\"${file('policy.json')}\"`."),
    ("provider", "Each account is a block: `[account.NAME]`, with `id`, `region`, and how to get there."),
    ("providers", "Each account is a block: `[account.NAME]`, with `id`, `region`, and how to get there."),
    ("ref", "Something else is named by its block: `${vpc.main.id}`."),
    ("resource", "A block begins with its kind: `[vpc.main]`, without the word `resource`."),
    ("resources", "Each resource is a block that begins with its kind: `[vpc.main]`."),
    ("self", "A resource cannot refer to itself; what is used twice goes into `[local]`."),
    (
        "terraform",
        "`[stack]` has the `name` and what it `requires`; the state is a file in the folder `state`.",
    ),
    ("variable", "Variables are called `[var.NAME]` here, and `${var.NAME}`."),
    ("variables", "Each variable is a block: `[var.NAME]`."),
    ("metadata", "A file needs no head: begin with `[stack]`."),
    ("awstemplateformatversion", "A file needs no head: begin with `[stack]`."),
    ("fn", "Functions stand in expressions: `\"${join('-', local.parts)}\"`."),
];

/// Returns our kind for one of another tool.
pub(crate) fn foreign_kind(word: &str) -> Option<String> {
    let found = |table: &[(&str, &str)], word: &str| {
        table.iter().find(|(foreign, _)| *foreign == word).map(|(_, ours)| (*ours).to_owned())
    };
    if let Some(ours) = found(&CLOUDFORMATION, word) {
        return Some(ours);
    }
    if let Some((module, class)) = provider_class(word) {
        let class = snake_case(class).unwrap_or_else(|| class.to_owned());
        let long = format!("{module}_{class}");
        let is_ours = |name: &String| PLANNED.contains(&name.as_str());
        let ours = found(&WORDS, &long).or_else(|| Some(long).filter(is_ours));
        return Some(ours.or_else(|| found(&WORDS, &class)).unwrap_or(class));
    }
    let bare = word.strip_prefix("aws_");
    found(&WORDS, bare.unwrap_or(word)).or_else(|| bare.map(str::to_owned)).or_else(|| snake_case(word))
}

/// Tells whether the language has this kind, though perhaps not this program.
pub(crate) fn is_planned(kind: &str) -> bool {
    PLANNED.contains(&kind)
}

/// Returns what to write instead of a block, or the beginning of a reference, of another tool.
pub(crate) fn foreign_block(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    BLOCKS.iter().find(|(foreign, _)| *foreign == word).map(|(_, sentence)| *sentence)
}

/// Takes `AWS::EC2::VPC`, `aws:ec2/vpc:Vpc` and `aws.ec2.Vpc` apart: module and class.
fn provider_class(word: &str) -> Option<(String, &str)> {
    let mut parts = word.split([':', '/', '.']).filter(|part| !part.is_empty());
    let is_provider = parts.next().is_some_and(|first| first.eq_ignore_ascii_case("aws"));
    let module = parts.next().filter(|_| is_provider)?;
    Some((module.to_ascii_lowercase(), parts.next_back()?))
}
