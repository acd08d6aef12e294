//! Names for things that have none in a spec.

use std::collections::BTreeSet;

use crate::address::{Address, Kind};
use crate::erased::ObservedValues;
use crate::spec::Spec;
use crate::value::Value;

/// The names that are taken, by kind.
pub(super) struct Names {
    taken: BTreeSet<(Kind, String)>,
}

impl Names {
    /// Starts with those that the spec has.
    pub(super) fn of(spec: &Spec) -> Self {
        let blocks = spec.resources.keys().map(Address::block);
        Self { taken: blocks.map(|block| (block.kind.clone(), block.name.to_string())).collect() }
    }

    /// Returns an address that nothing has: made of the tag `Name`, of what people call the thing, or of
    /// nothing but its kind.
    pub(super) fn address(&mut self, kind: &Kind, name: Option<&str>, observed: &ObservedValues) -> Address {
        let tags = observed.inputs.get("tags").and_then(Value::as_map);
        let tag = tags.and_then(|tags| tags.get("Name")).and_then(Value::as_str);
        let own = || observed.inputs.get("name").and_then(Value::as_str);
        let word = word(tag.or(name).or_else(own).unwrap_or_default());
        let word = if word.is_empty() { "main".to_owned() } else { word };
        let numbered = (2..).map(|number| format!("{word}_{number}"));
        let mut names = std::iter::once(word.clone()).chain(numbered);
        let name = names.find(|name| self.taken.insert((kind.clone(), name.clone())));
        Address::new(kind.as_str(), name.expect("there are more numbers than things"))
    }
}

/// Returns a text in the alphabet of names; empty if nothing is left of it.
fn word(text: &str) -> String {
    let mut word = String::new();
    let characters: Vec<char> = text.chars().collect();
    for (position, character) in characters.iter().enumerate() {
        if character.is_ascii_alphanumeric() {
            let before = position.checked_sub(1).map(|before| characters[before]);
            let after = characters.get(position + 1);
            // A word begins: `loadBalancer`, or `EKSCluster`.
            let begins = character.is_ascii_uppercase()
                && before.is_some_and(|before| {
                    before.is_ascii_lowercase()
                        || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
                });
            if begins {
                word.push('_');
            }
            word.push(character.to_ascii_lowercase());
        } else if !word.is_empty() && !word.ends_with('_') {
            word.push('_');
        }
    }
    let word = word.trim_end_matches('_');
    let begins_well = word.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins_well || word.is_empty() { word.to_owned() } else { format!("n{word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for (text, expected) in [
            ("eks-vpc", "eks_vpc"),
            ("Public Subnet (a)", "public_subnet_a"),
            ("--", ""),
            ("AWSLoadBalancerControllerIAMPolicy", "aws_load_balancer_controller_iam_policy"),
            ("EKSTestDrive", "eks_test_drive"),
            ("eksctl-ng-1-NodeInstanceRole", "eksctl_ng_1_node_instance_role"),
            ("A", "a"),
            ("1st", "n1st"),
            ("ümlaut", "mlaut"),
            ("", ""),
        ] {
            assert_eq!(word(text), expected, "{text}");
        }
    }
}
