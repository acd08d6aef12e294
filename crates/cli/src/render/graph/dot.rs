//! A picture in the language of Graphviz.

use crate::render::graph::{Node, Picture, Reason};
use crate::safe::Safe;

/// Renders a picture.
pub(crate) fn dot(picture: &Picture) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&picture.stack));
    text += "  graph [rankdir = \"LR\", fontname = \"sans-serif\"]\n";
    text += "  node [shape = \"box\", style = \"rounded,filled\", fillcolor = \"white\", fontname = \"sans-serif\"]\n";
    for (number, (account, blocks)) in picture.by_account().iter().enumerate() {
        text += &format!("  subgraph \"cluster_{number}\" {{\n");
        text += &format!("    label = {}\n", quoted(&picture.account_label(account)));
        for (position, (block, nodes)) in blocks.iter().enumerate() {
            if let [(number, name, node)] = nodes.as_slice() {
                text += &format!("    {}\n", line(*number, name, node));
                continue;
            }
            text += &format!("    subgraph \"cluster_{number}_{position}\" {{\n");
            text += &format!("      graph [label = {}, style = \"dashed\"]\n", quoted(block));
            for (number, name, node) in nodes {
                text += &format!("      {}\n", line(*number, name, node));
            }
            text += "    }\n";
        }
        text += "  }\n";
    }
    for (from, to, reason) in picture.numbered_edges() {
        text += &format!("  n{from} -> n{to}{}\n", style(reason));
    }
    text + "}\n"
}

fn line(number: usize, name: &str, node: &Node) -> String {
    let color = node.action.map_or_else(String::new, |action| {
        format!(", fillcolor = \"{}\", tooltip = \"{}\"", action.color(), action.word())
    });
    format!("n{number} [label = {}{color}]", quoted(&node.label(name)))
}

fn style(reason: Reason) -> &'static str {
    match reason {
        Reason::Boundary => " [label = \"boundary\", style = \"bold\", color = \"#c05000\"]",
        Reason::Part => " [style = \"dotted\", arrowhead = \"none\"]",
        Reason::DependsOn => " [label = \"depends_on\", style = \"dashed\"]",
        Reason::Reference => "",
    }
}

/// Quotes a text. In a label a backslash begins an escape, such as `\N` for the name of the box.
fn quoted(text: &str) -> String {
    let safe = Safe(text).to_string();
    format!("\"{}\"", safe.replace('\\', "\\\\").replace('"', "\\\""))
}
