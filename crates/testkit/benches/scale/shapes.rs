//! The specs that are measured: the same number of resources in many shapes.

use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = r#"[stack]
name = "scale"
tags = { project = "scale", owner = "benchmark" }

[account.main]
id = "111111111111"
region = "here"
"#;

/// The name of the stack of every spec.
pub(crate) const STACK: &str = "scale";

/// How resources depend on each other, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Ten layers; each resource refers to two of the layer before.
    Layered,
    /// The same in a file for each 50 resources.
    Files,
    /// Blocks with `for_each` and a thousand keys; each instance refers to one of the block before.
    Keyed,
    /// One after the other.
    Chain,
    /// One that all others refer to, and one that refers to all others.
    Fan,
    /// Tables of which each expands to nine entries.
    Expanded,
}

impl Shape {
    pub(crate) const ALL: [Self; 6] =
        [Self::Layered, Self::Files, Self::Keyed, Self::Chain, Self::Fan, Self::Expanded];

    /// Returns its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Layered => "layered",
            Self::Files => "files",
            Self::Keyed => "keyed",
            Self::Chain => "chain",
            Self::Fan => "fan",
            Self::Expanded => "expanded",
        }
    }

    /// Writes a spec of so many resources, give or take a few, into a folder.
    pub(crate) fn write(self, resources: usize, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("stack.toml"), HEAD)?;
        let blocks = match self {
            Self::Layered | Self::Files => layered(resources),
            Self::Keyed => keyed(resources),
            Self::Chain => chain(resources),
            Self::Fan => fan(resources),
            Self::Expanded => expanded(resources),
        };
        let of_a_file = if self == Self::Files { 50 } else { 10_000 };
        for (number, blocks) in blocks.chunks(of_a_file).enumerate() {
            std::fs::write(folder.join(format!("part{number}.toml")), blocks.concat())?;
        }
        Ok(())
    }
}

fn document(number: usize, body: &str) -> String {
    format!("[document.d{number}]\nname = \"d{number}\"\nbody = {body}\ntags = {{ Name = \"d{number}\" }}\n")
}

fn layered(resources: usize) -> Vec<String> {
    let width = (resources / 10).max(1);
    let block = |number: usize| {
        let Some(layer) = (number / width).checked_sub(1) else { return document(number, "{ layer = 0 }") };
        let above = |offset: usize| layer * width + (number + offset) % width;
        let (one, other) = (above(0), above(7));
        let body =
            format!("{{ one = \"${{document.d{one}.locator}}\", other = \"${{document.d{other}.id}}\" }}");
        document(number, &body)
    };
    (0..resources).map(block).collect()
}

fn keyed(resources: usize) -> Vec<String> {
    let keys = resources.min(1000);
    let mut local = "[local]\nthings = {".to_owned();
    for key in 0..keys {
        write!(local, " k{key} = {{ number = {key} }},").expect("text takes everything");
    }
    local.push_str(" }\n");
    let block = |block: usize| {
        let body = match block.checked_sub(1) {
            None => "\"${each.value.number}\"".to_owned(),
            Some(before) => format!("\"${{document.b{before}[each.key].locator}}\""),
        };
        format!(
            "[document.b{block}]\nfor_each = \"${{local.things}}\"\nname = \"b{block}-${{each.key}}\"\n\
             body = {body}\ntags = {{ Name = \"${{each.key}}\" }}\n"
        )
    };
    std::iter::once(local).chain((0..resources / keys).map(block)).collect()
}

fn chain(resources: usize) -> Vec<String> {
    let block = |number: usize| match number.checked_sub(1) {
        None => document(number, "\"first\""),
        Some(before) => document(number, &format!("\"${{document.d{before}.locator}}\"")),
    };
    (0..resources).map(block).collect()
}

fn fan(resources: usize) -> Vec<String> {
    let root = document(0, "\"root\"");
    let leaves = (1..resources - 1).map(|number| document(number, "\"${document.d0.locator}\""));
    let names: Vec<_> = (1..resources - 1).map(|number| format!("\"document.d{number}\"")).collect();
    let last = format!("[document.last]\nname = \"last\"\nbody = 0\ndepends_on = [{}]\n", names.join(", "));
    std::iter::once(root).chain(leaves).chain([last]).collect()
}

fn expanded(resources: usize) -> Vec<String> {
    let network = "[network.main]\nrange = \"10.0.0.0/8\"\n\
                   [gateway.main]\nnetwork = \"${network.main.id}\"\n";
    let block = |number: usize| {
        let entries: Vec<_> =
            (0..9).map(|entry| format!("\"10.{entry}.0.0/16\" = \"${{gateway.main.id}}\"")).collect();
        format!(
            "[table.t{number}]\nnetwork = \"${{network.main.id}}\"\n[table.t{number}.entries]\n{}\n",
            entries.join("\n")
        )
    };
    std::iter::once(network.to_owned()).chain((0..resources / 10).map(block)).collect()
}
