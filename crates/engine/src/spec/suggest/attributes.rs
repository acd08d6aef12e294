//! The attributes of Terraform, `OpenTofu`, Pulumi and `CloudFormation`, and what they are here.

use crate::spec::suggest::snake_case;

/// Stands for every kind.
const ANY: &str = "*";

/// The kind, the name elsewhere, ours.
const NAMES: [(&str, &str, &str); 81] = [
    (ANY, "cidr", "cidr_block"),
    (ANY, "cidrs", "cidr_block"),
    (ANY, "ipv4_cidr_block", "cidr_block"),
    (ANY, "vpc", "vpc_id"),
    (ANY, "region", "account"),
    (ANY, "provider", "account"),
    (ANY, "create_before_destroy", "replace_order"),
    (ANY, "tag", "tags"),
    (ANY, "tags_all", "tags"),
    (ANY, "depends", "depends_on"),
    (ANY, "deletion_policy", "retain_on_destroy"),
    (ANY, "retain_on_delete", "retain_on_destroy"),
    (ANY, "protect", "prevent_destroy"),
    (ANY, "custom_timeouts", "timeouts"),
    ("vpc", "dns_hostnames", "enable_dns_hostnames"),
    ("vpc", "dns_support", "enable_dns_support"),
    ("subnet", "availability_zone", "availability_zone_id"),
    ("subnet", "az", "availability_zone_id"),
    ("subnet", "az_id", "availability_zone_id"),
    ("subnet", "zone", "availability_zone_id"),
    ("subnet", "public_ip", "map_public_ip_on_launch"),
    ("nat_gateway", "eip", "allocation_id"),
    ("nat_gateway", "eip_id", "allocation_id"),
    ("nat_gateway", "subnet", "subnet_id"),
    ("route_table", "route", "routes"),
    ("route_table", "subnet_ids", "subnets"),
    ("route_table", "associations", "subnets"),
    ("route", "cidr_block", "destination_cidr_block"),
    ("route", "destination", "destination_cidr_block"),
    ("route", "gateway_id", "target"),
    ("route", "nat_gateway_id", "target"),
    ("route_table_association", "subnet", "subnet_id"),
    ("ram_resource_share", "resource_arns", "resources"),
    ("ram_resource_share", "resource_arn", "resources"),
    ("ram_resource_share", "principal", "principals"),
    ("ram_resource_share", "permission_arns", "permissions"),
    ("ram_resource_share", "accounts", "principals"),
    ("ram_share_accepter", "share_arn", "resource_share_arn"),
    ("security_group", "group_name", "name"),
    ("security_group", "group_description", "description"),
    ("security_group", "security_group_ingress", "ingress"),
    ("security_group", "security_group_egress", "egress"),
    ("security_group_rule", "type", "direction"),
    ("security_group_rule", "group_id", "security_group_id"),
    ("security_group_rule", "ip_protocol", "protocol"),
    ("security_group_rule", "from_port", "ports"),
    ("security_group_rule", "to_port", "ports"),
    ("security_group_rule", "port", "ports"),
    ("security_group_rule", "cidr_blocks", "cidr"),
    ("security_group_rule", "cidr_ip", "cidr"),
    ("security_group_rule", "cidr_ipv4", "cidr"),
    ("security_group_rule", "source_security_group_id", "source"),
    ("security_group_rule", "referenced_security_group_id", "source"),
    ("security_group_rule", "security_groups", "source"),
    ("security_group_rule", "user_id", "source_account"),
    ("security_group_rule", "cidr_block", "cidr"),
    ("security_group_rule", "ipv6_cidr_blocks", "cidr"),
    ("security_group_rule", "cidr_ipv6", "cidr"),
    ("security_group_rule", "self", "source"),
    ("security_group_rule", "destination_security_group_id", "source"),
    ("security_group_rule", "source_security_group_owner_id", "source_account"),
    ("security_group_rule", "prefix_list_ids", "prefix_list_id"),
    ("security_group_rule", "source_prefix_list_id", "prefix_list_id"),
    ("security_group_rule", "destination_prefix_list_id", "prefix_list_id"),
    ("vpc_endpoint", "vpc_endpoint_type", "type"),
    ("vpc_endpoint", "service_name", "service"),
    ("iam_role", "assume_role_policy", "trust"),
    ("iam_role", "assume_role_policy_document", "trust"),
    ("iam_role", "role_name", "name"),
    ("iam_role", "managed_policy_arns", "policies"),
    ("iam_role", "policy_arn", "policies"),
    ("iam_policy", "policy", "document"),
    ("iam_policy", "policy_document", "document"),
    ("iam_policy", "managed_policy_name", "name"),
    ("iam_openid_connect_provider", "client_id_list", "audiences"),
    ("eks_cluster", "vpc_config", "subnet_ids"),
    ("eks_cluster", "resources_vpc_config", "subnet_ids"),
    ("eks_node_group", "scaling_config", "scaling"),
    ("eks_node_group", "node_role_arn", "role_arn"),
    ("eks_node_group", "node_group_name", "name"),
    ("eks_addon", "addon_name", "name"),
];

/// Attributes that are something else here, in whole sentences.
const SENTENCES: [(&str, &str); 8] = [
    (
        "count",
        "`for_each` takes a list of names or a table, and makes one resource for each: `for_each = [\"a\", \"b\"]`.",
    ),
    ("lifecycle", "`prevent_destroy`, `ignore_changes` and `replace_order` stand in the block itself."),
    ("dynamic", "A list can be an expression: `\"${[for port in var.ports : { ports = port }]}\"`."),
    (
        "provisioner",
        "Nothing is executed; what has to run on a machine belongs into its image or its user data.",
    ),
    (
        "connection",
        "Nothing is executed; what has to run on a machine belongs into its image or its user data.",
    ),
    ("properties", "Attributes stand in the block itself, without `Properties`."),
    ("type", "The kind stands in the header: `[vpc.main]`."),
    ("metadata", "What it is for goes into a comment, or into `description` where the kind has it."),
];

/// Returns our names for an attribute of another tool, most likely first.
pub(crate) fn foreign_attribute(kind: &str, word: &str) -> Vec<String> {
    let snake = snake_case(word);
    let word = snake.as_deref().unwrap_or(word);
    let table = NAMES.iter().filter(|(of, foreign, _)| (*of == ANY || *of == kind) && *foreign == word);
    let listed = table.map(|(_, _, ours)| (*ours).to_owned());
    listed.chain(snake.clone()).collect()
}

/// Returns what to write instead of an attribute of another tool that has no counterpart.
pub(crate) fn foreign_sentence(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    SENTENCES.iter().find(|(foreign, _)| *foreign == word).map(|(_, sentence)| *sentence)
}
