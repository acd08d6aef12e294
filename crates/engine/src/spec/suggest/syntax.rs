//! The syntax of other tools, found where TOML was expected.

/// Returns what to write instead of a line that is no TOML.
pub(crate) fn foreign_line(line: &str) -> Option<&'static str> {
    let line = line.trim();
    let first = line.split([' ', '\t', '=', '{', ':', '"']).next().unwrap_or_default();
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    let is_block = line.ends_with('{');
    Some(match first {
        "resource" => "That is HCL. Here the block is `[vpc.main]`, and everything below it `key = value`.",
        "variable" => "That is HCL. Here the block is `[var.NAME]`.",
        "output" => "That is HCL. Here the block is `[output.NAME]`.",
        "locals" => "That is HCL. Here the block is `[local]`.",
        "module" => "That is HCL. Here the block is `[use.NAME]`.",
        "data" => "That is HCL. Here what exists is read with `[lookup.NAME]`.",
        "provider" => "That is HCL. Here the block is `[account.NAME]`.",
        "terraform" => "That is HCL. Here the block is `[stack]`.",
        "lifecycle" if is_block => "That is HCL. Here `prevent_destroy = true` stands in the block itself.",
        "dynamic" if is_block => "That is HCL. Here a list can be an expression.",
        _ if is_block => "That is HCL. Here a table is `name = { key = value }`, or `[kind.name.table]`.",
        "}" => "That is HCL. Here a block ends where the next one begins.",
        "Resources" | "Parameters" | "Outputs" | "AWSTemplateFormatVersion" if line.ends_with(':') => {
            "That is YAML. Here each resource is a block: `[vpc.main]`."
        }
        _ if is_tag(value) || line.contains(": !") => {
            "That is YAML. Here something else is named in an expression: `\"${vpc.main.id}\"`."
        }
        _ if !line.contains('=') && (line.ends_with(':') || line.contains(": ")) => {
            "That is YAML. Here it is `key = value`, below the header of a block such as `[vpc.main]`."
        }
        _ if is_reference(value) => "Expressions stand in quotes: `\"${var.name}\"`.",
        _ => return None,
    })
}

/// Returns what to write instead of a text in which another tool would see a reference.
pub(crate) fn foreign_text(text: &str) -> Option<&'static str> {
    is_tag(text).then_some("Something else is named in an expression: `\"${vpc.main.id}\"`.")
}

/// Tells whether a text begins with a tag of `CloudFormation`.
fn is_tag(text: &str) -> bool {
    let word = text.strip_prefix('!').and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    ["Ref", "GetAtt", "Sub", "Join", "Select", "ImportValue", "FindInMap", "GetAZs", "If"].contains(&word)
}

/// Tells whether a value without quotes is made of words and dots.
fn is_reference(value: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_-.[]*".contains(character);
    value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.contains('.')
        && value.chars().all(is_part)
}
