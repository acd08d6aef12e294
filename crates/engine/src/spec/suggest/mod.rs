//! "Did you mean": near misses, and the names that other tools give to the same things.

mod attributes;
mod kinds;
mod syntax;

use crate::diagnostic::Diagnostic;

pub(crate) use attributes::{foreign_attribute, foreign_sentence};
pub(crate) use kinds::{foreign_block, foreign_kind, is_planned};
pub(crate) use syntax::{foreign_line, foreign_text};

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
        for (word, ours) in [
            ("aws_vpc", "vpc"),
            ("AWS::EC2::VPC", "vpc"),
            ("AWS::EC2::NatGateway", "nat_gateway"),
            ("aws:ec2/vpc:Vpc", "vpc"),
            ("aws.ec2.SecurityGroup", "security_group"),
            ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "iam_openid_connect_provider"),
            ("aws:eks/nodeGroup:NodeGroup", "eks_node_group"),
            ("AWS::EKS::Nodegroup", "eks_node_group"),
            ("aws_iam_role_policy_attachment", "iam_role"),
            ("aws_vpc_security_group_ingress_rule", "security_group_rule"),
            ("RouteTable", "route_table"),
            ("aws_elastic_ip", "eip"),
        ] {
            assert_eq!(foreign_kind(word).as_deref(), Some(ours), "{word}");
        }
        assert_eq!(foreign_attribute("vpc", "cidr"), ["cidr_block"]);
        assert_eq!(foreign_attribute("vpc", "CidrBlock"), ["cidr_block"]);
        assert_eq!(
            foreign_attribute("subnet", "AvailabilityZone"),
            ["availability_zone_id", "availability_zone"]
        );
        assert_eq!(foreign_attribute("iam_role", "AssumeRolePolicyDocument")[0], "trust");
    }

    #[test]
    fn the_syntax_of_others_is_recognised_and_ours_is_not() {
        for line in [
            "resource \"aws_vpc\" \"main\" {",
            "  lifecycle {",
            "}",
            "Resources:",
            "  VpcId: !Ref Vpc",
            "vpc_id = aws_vpc.main.id",
            "name = var.name",
            "x = !GetAtt Vpc.Id",
            "  Type: AWS::EC2::VPC",
        ] {
            assert!(foreign_line(line).is_some(), "{line}");
        }
        for line in ["[vpc.main", "cidr_block = 10.0.0.0/16", "name = \"x", "tags = { a = 1", "x = 1.5.2"] {
            assert_eq!(foreign_line(line), None, "{line}");
        }
        assert!(foreign_text("!Ref Vpc").is_some());
        assert_eq!(foreign_text("!important"), None);
    }
}
