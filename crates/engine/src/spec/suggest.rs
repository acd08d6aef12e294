//! "Did you mean": near misses, and the names that other tools give to the same things.

use crate::diagnostic::Diagnostic;

/// Adds a hint with the candidate that is nearest to `word`, if one is near.
pub(crate) fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match closest(word, candidates) {
        Some(candidate) => diagnostic.with_hint(format!("Did you mean `{candidate}`?")),
        None => diagnostic,
    }
}

/// Returns the candidate that is nearest to `word`, if one is near enough to be a slip.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 100 {
        return None;
    }
    let allowed = (length / 3).clamp(1, 3);
    let near = candidates.into_iter().filter(|candidate| candidate.len().abs_diff(word.len()) <= 4);
    near.map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns our kind for one of Terraform, `OpenTofu` or `CloudFormation`.
pub(crate) fn foreign_kind(word: &str) -> Option<String> {
    const CLOUDFORMATION: [(&str, &str); 10] = [
        ("AWS::EC2::VPC", "vpc"),
        ("AWS::EC2::Subnet", "subnet"),
        ("AWS::EC2::InternetGateway", "internet_gateway"),
        ("AWS::EC2::VPCGatewayAttachment", "internet_gateway"),
        ("AWS::EC2::EIP", "eip"),
        ("AWS::EC2::NatGateway", "nat_gateway"),
        ("AWS::EC2::RouteTable", "route_table"),
        ("AWS::EC2::Route", "route"),
        ("AWS::EC2::SubnetRouteTableAssociation", "route_table_association"),
        ("AWS::RAM::ResourceShare", "ram_resource_share"),
    ];
    const WORDS: [(&str, &str); 11] = [
        ("elastic_ip", "eip"),
        ("igw", "internet_gateway"),
        ("nat", "nat_gateway"),
        ("natgw", "nat_gateway"),
        ("internet_gateway_attachment", "internet_gateway"),
        ("default_route_table", "route_table"),
        ("ram_resource_association", "ram_resource_share"),
        ("ram_principal_association", "ram_resource_share"),
        ("ram_resource_share_accepter", "ram_share_accepter"),
        ("ram_sharing_with_organization", "ram_organization_sharing"),
        ("ram_share", "ram_resource_share"),
    ];
    let found = |table: &[(&str, &str)], word: &str| {
        table.iter().find(|(foreign, _)| *foreign == word).map(|(_, ours)| (*ours).to_owned())
    };
    let bare = word.strip_prefix("aws_");
    found(&CLOUDFORMATION, word)
        .or_else(|| found(&WORDS, bare.unwrap_or(word)))
        .or_else(|| bare.map(str::to_owned))
        .or_else(|| snake_case(word))
}

/// Returns our names for an attribute of Terraform, `OpenTofu` or `CloudFormation`, most likely first.
pub(crate) fn foreign_attribute(kind: &str, word: &str) -> Vec<String> {
    const ANY: &str = "*";
    const ATTRIBUTES: [(&str, &str, &str); 33] = [
        (ANY, "cidr", "cidr_block"),
        (ANY, "cidrs", "cidr_block"),
        (ANY, "ipv4_cidr_block", "cidr_block"),
        (ANY, "vpc", "vpc_id"),
        (ANY, "region", "account"),
        (ANY, "provider", "account"),
        (ANY, "count", "for_each"),
        (ANY, "lifecycle", "prevent_destroy"),
        (ANY, "create_before_destroy", "replace_order"),
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
    ];
    let snake = snake_case(word);
    let word = snake.as_deref().unwrap_or(word);
    let table = ATTRIBUTES.iter().filter(|(of, foreign, _)| (*of == ANY || *of == kind) && *foreign == word);
    let listed = table.map(|(_, _, ours)| (*ours).to_owned());
    listed.chain(snake.clone()).collect()
}

/// Turns `CidrBlock` into `cidr_block`; `None` for a word without capitals.
fn snake_case(word: &str) -> Option<String> {
    if !word.contains(|character: char| character.is_ascii_uppercase()) {
        return None;
    }
    let mut snake = String::new();
    let mut after_small = false;
    for character in word.chars() {
        if character.is_ascii_uppercase() && after_small {
            snake.push('_');
        }
        after_small = character.is_ascii_lowercase() || character.is_ascii_digit();
        snake.push(character.to_ascii_lowercase());
    }
    Some(snake)
}

/// Returns the words as text: "`a`, `b` and `c`".
pub(crate) fn list<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "and")
}

/// Returns the words as text: "`a`, `b` or `c`".
pub(crate) fn either<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "or")
}

fn joined<T: AsRef<str>>(words: &[T], last_word: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {last_word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        assert_eq!(closest("subent", ["subnet", "vpc"]), Some("subnet"));
        assert_eq!(closest("cidr_blok", ["cidr_block", "vpc_id"]), Some("cidr_block"));
        assert_eq!(closest("banana", ["subnet", "vpc"]), None);
        assert_eq!(closest("b", ["a"]), None);
    }

    #[test]
    fn other_dialects_are_understood() {
        assert_eq!(foreign_kind("aws_vpc").as_deref(), Some("vpc"));
        assert_eq!(foreign_kind("AWS::EC2::NatGateway").as_deref(), Some("nat_gateway"));
        assert_eq!(foreign_kind("aws_ram_principal_association").as_deref(), Some("ram_resource_share"));
        assert_eq!(foreign_attribute("ram_resource_share", "ResourceArns")[0], "resources");
        assert_eq!(foreign_kind("RouteTable").as_deref(), Some("route_table"));
        assert_eq!(foreign_kind("aws_elastic_ip").as_deref(), Some("eip"));
        assert_eq!(foreign_attribute("vpc", "cidr"), ["cidr_block"]);
        assert_eq!(foreign_attribute("vpc", "CidrBlock"), ["cidr_block"]);
        assert_eq!(
            foreign_attribute("subnet", "AvailabilityZone"),
            ["availability_zone_id", "availability_zone"]
        );
    }
}
