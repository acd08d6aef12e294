//! The reference of a kind as Markdown, made from the same definition that checks specs.

use straddle_engine::address::Kind;
use straddle_engine::lookup::is_lookup;
use straddle_engine::schema::{
    AttributeSchema, AttributeType, Expansion, ExpansionShape, Follows, KindSchema,
};

use crate::render::inline;

/// Renders the page of a kind.
pub(crate) fn reference(schema: &KindSchema) -> String {
    let mut text = format!("# {}\n\n{}\n", schema.kind, paragraphs(schema.documentation));
    if !schema.example.is_empty() {
        text += &format!("\n## Example\n\n```toml\n{}\n```\n", schema.example.trim());
    }
    text += "\n## Attributes\n\n";
    let mut attributes: Vec<&AttributeSchema> = schema.inputs.iter().collect();
    attributes.sort_by_key(|attribute| !attribute.required);
    for attribute in attributes {
        text += &input(attribute, 0);
    }
    for expansion in &schema.expansions {
        text += &expanded(expansion);
    }
    if let Some(kind) = &schema.member_kind {
        return text + &brought_in(schema, kind);
    }
    text += "\n## What it offers to others\n\n- `id`: what the service calls it.\n";
    for output in &schema.outputs {
        let volatile = if output.volatile { " An update may change it." } else { "" };
        let documentation = one_paragraph(output.documentation);
        text += &format!(
            "- `{}` ({}): {documentation}{volatile}\n",
            output.name,
            type_words(&output.attribute_type)
        );
    }
    if is_lookup(&schema.kind) { text } else { text + &import(schema) }
}

/// Says what a block brings in.
fn brought_in(schema: &KindSchema, member_kind: &Kind) -> String {
    format!(
        "\n## What it brings in\n\nResources of the kind `{member_kind}`, each with a key: `{kind}.NAME['KEY']` is one \
         of them, `{kind}.NAME[*].ATTRIBUTE` a list of all, and `{kind}.NAME` in `depends_on`, `--target` or \
         `[[moved]]` all together. What `depends_on` and the attributes of the block name has to be there before \
         any of them. With `for_each`, keys are `INSTANCE/KEY`.\n",
        kind = schema.kind
    )
}

/// Says how a thing that exists becomes a resource.
fn import(schema: &KindSchema) -> String {
    let id = match schema.id_form {
        "*" => String::new(),
        form => format!(" Its id looks like `{form}`."),
    };
    format!(
        "\n## Import\n\n`straddle import {}.NAME ID` makes one that exists a resource of the stack.{id}\n",
        schema.kind
    )
}

fn input(attribute: &AttributeSchema, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut facts = vec![type_words(&attribute.attribute_type)];
    facts.push(if attribute.required { "required" } else { "optional" }.to_owned());
    if let Some(default) = &attribute.default {
        facts.push(format!("default `{}`", inline(default)));
    }
    let mut text = format!("{indent}- `{}` ({}): ", attribute.name, facts.join(", "));
    text += &one_paragraph(attribute.documentation);
    for remark in remarks(attribute) {
        text += &format!(" {remark}");
    }
    text.push('\n');
    for nested in nested(&attribute.attribute_type) {
        text += &input(nested, depth + 1);
    }
    text
}

fn remarks(attribute: &AttributeSchema) -> Vec<String> {
    let mut remarks = Vec::new();
    if !attribute.one_of.is_empty() {
        remarks.push(format!("One of {}.", code_list(attribute.one_of)));
    }
    if !attribute.refers_to.is_empty() {
        remarks.push(format!("Takes the `id` of {}.", code_list(attribute.refers_to)));
    }
    if attribute.always {
        remarks.push("The default is wanted also where it is not set.".to_owned());
    }
    if let Some(Follows { by, attribute }) = attribute.follows {
        remarks.push(format!(
            "If it is not set, it follows the `{attribute}` of the resource that `{by}` is a reference to."
        ));
    }
    if attribute.replace {
        remarks.push("Another value means another resource.".to_owned());
    }
    if attribute.sensitive {
        remarks.push("Never shown.".to_owned());
    }
    if attribute.write_only {
        remarks.push("The service never returns it, so drift of it cannot be seen.".to_owned());
    }
    if attribute.handed_over {
        remarks.push(
            "Others may change it after it was set: that is no drift, and only another value in the spec is a \
             change."
                .to_owned(),
        );
    }
    remarks
}

fn expanded(expansion: &Expansion) -> String {
    let Expansion { attribute, child_kind, role, .. } = expansion;
    let types = type_words(&expansion.attribute_type());
    let documentation = one_paragraph(expansion.documentation);
    let form = match expansion.shape {
        ExpansionShape::Entries { .. } | ExpansionShape::Policies { .. } | ExpansionShape::Items { .. } => {
            String::new()
        }
        ExpansionShape::Tables { name, constants } => {
            let given: Vec<_> = [expansion.parent_attribute]
                .into_iter()
                .chain(constants.iter().map(|(name, _)| *name))
                .collect();
            format!(
                " A table has the attributes of `{child_kind}` without {}, and is named by its `{name}` or, \
                 without that, by its position.",
                code_list(&given)
            )
        }
    };
    format!(
        "- `{attribute}` ({types}, optional): {documentation}{form} Each of them becomes a resource of the kind \
         `{child_kind}` with an address that ends in `/{role}['...']`.\n"
    )
}

fn nested(attribute_type: &AttributeType) -> &[AttributeSchema] {
    match attribute_type {
        AttributeType::Object(attributes) => attributes,
        AttributeType::List(item) | AttributeType::Set(item) | AttributeType::Map(item) => nested(item),
        AttributeType::Bool
        | AttributeType::Integer
        | AttributeType::String
        | AttributeType::Any
        | AttributeType::Policy
        | AttributeType::Document
        | AttributeType::Tags => &[],
    }
}

fn type_words(attribute_type: &AttributeType) -> String {
    let words = attribute_type.to_string();
    words.trim_start_matches("a ").to_owned()
}

fn code_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Puts a doc comment on one line, so that it stays inside its list item.
fn one_paragraph(documentation: &str) -> String {
    documentation.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn paragraphs(documentation: &str) -> String {
    documentation.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}
