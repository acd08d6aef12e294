//! A picture in the language of Mermaid.

use crate::render::graph::{Action, Node, Picture, Reason};
use crate::safe::Safe;

/// Renders a picture.
pub(crate) fn mermaid(picture: &Picture) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (number, (account, blocks)) in picture.by_account().iter().enumerate() {
        text += &format!("  subgraph a{number}[{}]\n", quoted(&picture.account_label(account)));
        for (position, (block, nodes)) in blocks.iter().enumerate() {
            if let [(number, name, node)] = nodes.as_slice() {
                text += &format!("    {}\n", line(*number, name, node));
                continue;
            }
            text += &format!("    subgraph b{number}_{position}[{}]\n", quoted(block));
            for (number, name, node) in nodes {
                text += &format!("      {}\n", line(*number, name, node));
            }
            text += "    end\n";
        }
        text += "  end\n";
    }
    for (from, to, reason) in picture.numbered_edges() {
        text += &format!("  n{from} {} n{to}\n", arrow(reason));
    }
    text + &classes(picture)
}

fn line(number: usize, name: &str, node: &Node) -> String {
    format!("n{number}[{}]", quoted(&node.label(name)))
}

fn arrow(reason: Reason) -> &'static str {
    match reason {
        Reason::Boundary => "== boundary ==>",
        Reason::Part => "-.-",
        Reason::DependsOn => "-. depends_on .->",
        Reason::Reference => "-->",
    }
}

/// Colours the boxes by what a plan does to them.
fn classes(picture: &Picture) -> String {
    let mut text = String::new();
    for action in Action::ALL {
        let numbered = picture.nodes.values().enumerate();
        let members = numbered.filter(|(_, node)| node.action == Some(action));
        let members: Vec<_> = members.map(|(number, _)| format!("n{number}")).collect();
        if !members.is_empty() {
            let (word, color) = (action.word(), action.color());
            text += &format!("  classDef {word} fill:{color},color:#000\n");
            text += &format!("  class {} {word}\n", members.join(","));
        }
    }
    text
}

/// Quotes a text. What could end it, or would be taken for HTML or Markdown, is written by number.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || " ._-/:'[]()=,@".contains(character);
    let safe = Safe(text).to_string();
    let inside: String = safe
        .chars()
        .map(|character| match character {
            _ if is_plain(character) => character.to_string(),
            _ => format!("#{};", u32::from(character)),
        })
        .collect();
    format!("\"{inside}\"")
}
