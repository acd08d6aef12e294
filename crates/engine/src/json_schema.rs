//! The JSON Schema of the spec language, for editors.
//!
//! It is made of the same tables and structs that specs are checked with. Draft 7, which is the
//! newest that taplo reads and which tombi reads as well. A value of any type can be written as
//! `"${...}"`, so that every type but text has that second form.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::lookup::AnyLookup;
use crate::registry::Registry;
use crate::schema::{AttributeSchema, AttributeType, Expansion, ExpansionShape, KindSchema};
use crate::spec::account_attributes;
use crate::spec::reserved::{self, ReservedAttribute, Shape};
use crate::spec::variable_types;

/// The names of blocks; see [`crate::address::is_word`].
const NAME: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";
/// A text that is exactly one expression, which can have any type.
const EXPRESSION: &str = r"^\$\{[\s\S]*\}$";
/// A length of time, such as `1h30m`.
const DURATION: &str = "^([0-9]+[hms])+$";

/// Returns the schema of a file of a spec with the kinds of a program.
#[must_use]
pub fn json_schema(registry: &Registry) -> Json {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A file of a straddle spec",
        "type": "object",
        "properties": blocks(registry),
        "additionalProperties": false,
        "definitions": {
            "expression": {
                "description": "An expression, such as `${vpc.main.id}`.",
                "type": "string",
                "pattern": EXPRESSION,
            },
        },
    })
}

/// Returns the schema of each sort of block.
fn blocks(registry: &Registry) -> Map<String, Json> {
    let mut blocks = Map::new();
    let reserved = |documentation, attributes| described(documentation, reserved_block(attributes));
    blocks.insert("stack".to_owned(), reserved("What holds for the whole stack.", reserved::STACK));
    blocks.insert(
        "defaults".to_owned(),
        reserved("What holds for the resources of this file.", reserved::DEFAULTS),
    );
    blocks.insert("local".to_owned(), local());
    blocks.insert("var".to_owned(), named("Variables.", &reserved_block(reserved::VARIABLE)));
    blocks.insert(
        "output".to_owned(),
        named("What the stack tells the outside.", &reserved_block(reserved::OUTPUT)),
    );
    blocks.insert("component".to_owned(), reserved("Makes the folder a component.", reserved::COMPONENT));
    blocks.insert(
        "input".to_owned(),
        named("What a component gets from where it is used.", &reserved_block(reserved::VARIABLE)),
    );
    blocks.insert("use".to_owned(), named("Components that are used.", &reserved_block(reserved::USE)));
    let account = attribute_block(&account_attributes(registry), Map::new());
    // In a component, an account is a name alone.
    let account = json!({ "anyOf": [account, reserved_block(reserved::ACCOUNT_NAME)] });
    blocks.insert("account".to_owned(), named("Accounts, and how each is reached.", &account));
    blocks.insert("moved".to_owned(), repeated("Resources that have new names.", reserved::MOVED));
    blocks.insert(
        "removed".to_owned(),
        repeated("Resources that were taken out of the spec.", reserved::REMOVED),
    );
    blocks.insert(
        "import".to_owned(),
        repeated("Things that exist and become resources of the stack.", reserved::IMPORT),
    );
    blocks.extend(lookups(registry).map(|lookups| {
        ("lookup".to_owned(), named("What exists already and belongs to somebody else.", &lookups))
    }));
    for described in registry.all_described() {
        let schema = described.schema();
        let block = kind_block(schema, registry);
        blocks.insert(schema.kind.to_string(), named(schema.documentation, &block));
    }
    blocks
}

/// Returns the forms of the blocks of lookups, one for each kind; `None` if there are no lookups.
fn lookups(registry: &Registry) -> Option<Json> {
    let form = |(word, lookup): (&str, &Arc<dyn AnyLookup>)| {
        let mut properties: Map<String, Json> = reserved::LOOKUP.iter().map(reserved_property).collect();
        properties
            .insert("kind".to_owned(), described(lookup.schema().documentation, json!({ "const": word })));
        let mut form = attribute_block(&lookup.schema().inputs, properties);
        let required = form.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
        form["required"] = Json::Array(required.into_iter().chain([json!("kind")]).collect());
        form
    };
    let forms: Vec<_> = registry.lookups().map(form).collect();
    (!forms.is_empty()).then(|| json!({ "anyOf": forms }))
}

fn named(documentation: &str, block: &Json) -> Json {
    described(
        documentation,
        json!({ "type": "object", "patternProperties": { NAME: block }, "additionalProperties": false }),
    )
}

fn repeated(documentation: &str, attributes: &[ReservedAttribute]) -> Json {
    described(documentation, json!({ "type": "array", "items": reserved_block(attributes) }))
}

fn local() -> Json {
    let any = json!({ "type": "object", "patternProperties": { NAME: {} }, "additionalProperties": false });
    described("Values with names: `prefix = \"shop\"` is `${local.prefix}`.", any)
}

fn reserved_block(attributes: &[ReservedAttribute]) -> Json {
    let properties = attributes.iter().map(reserved_property).collect();
    let required = attributes.iter().filter(|attribute| attribute.required);
    object(&properties, &required.map(|attribute| attribute.name).collect::<Vec<_>>())
}

fn reserved_property(attribute: &ReservedAttribute) -> (String, Json) {
    (attribute.name.to_owned(), described(attribute.documentation, shape(attribute.shape)))
}

fn shape(shape: Shape) -> Json {
    match shape {
        Shape::Any => json!({}),
        Shape::Text | Shape::PlainText => json!({ "type": "string" }),
        Shape::PlainTexts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::VariableType => json!({ "enum": variable_types() }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Tags => type_schema(&AttributeType::Tags),
        Shape::PlainTextsByName => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Values => json!({ "type": "object" }),
        Shape::Durations(names) => {
            let duration = json!({ "type": "string", "pattern": DURATION });
            let property = |name: &&str| ((*name).to_owned(), duration.clone());
            object(&names.iter().map(property).collect(), &[])
        }
        Shape::Instances => or_expression(&[
            json!({ "type": "object" }),
            json!({ "type": "array", "items": { "type": "string" } }),
        ]),
    }
}

fn kind_block(schema: &KindSchema, registry: &Registry) -> Json {
    let mut properties: Map<String, Json> = reserved::ANY_RESOURCE.iter().map(reserved_property).collect();
    properties.extend(schema.expansions.iter().map(|expansion| {
        let inline = inline_form(expansion, registry);
        (expansion.attribute.to_owned(), described(expansion.documentation, inline))
    }));
    attribute_block(&schema.inputs, properties)
}

/// Returns the form of the parts of a resource that are written inside its block.
fn inline_form(expansion: &Expansion, registry: &Registry) -> Json {
    let has_tables = matches!(expansion.shape, ExpansionShape::Tables { .. });
    let child = registry.kind(expansion.child_kind).filter(|_| has_tables);
    let Some(child) = child else { return type_schema(&expansion.attribute_type()) };
    let taken = child.schema().inputs.iter().filter(|attribute| expansion.takes(attribute.name));
    let item = attribute_block(&taken.cloned().collect::<Vec<_>>(), Map::new());
    or_expression(&[json!({ "type": "array", "items": or_expression(&[item]) })])
}

fn attribute_block(attributes: &[AttributeSchema], mut properties: Map<String, Json>) -> Json {
    let required = attributes.iter().filter(|attribute| attribute.required);
    let required: Vec<_> = required.map(|attribute| attribute.name).collect();
    properties.extend(attributes.iter().map(|attribute| (attribute.name.to_owned(), property(attribute))));
    object(&properties, &required)
}

fn property(attribute: &AttributeSchema) -> Json {
    let mut schema = if attribute.one_of.is_empty() {
        type_schema(&attribute.attribute_type)
    } else {
        or_expression(&[json!({ "enum": attribute.one_of })])
    };
    if let Some(default) = &attribute.default {
        schema["default"] = json!(default);
    }
    described(attribute.documentation, schema)
}

fn type_schema(attribute_type: &AttributeType) -> Json {
    match attribute_type {
        AttributeType::Bool => or_expression(&[json!({ "type": "boolean" })]),
        AttributeType::Integer => or_expression(&[json!({ "type": "integer" })]),
        AttributeType::String => json!({ "type": "string" }),
        AttributeType::Any => json!({}),
        AttributeType::Policy | AttributeType::Document => json!({ "type": ["object", "string"] }),
        AttributeType::List(item) | AttributeType::Set(item) => {
            or_expression(&[json!({ "type": "array", "items": type_schema(item) })])
        }
        AttributeType::Map(item) => map_schema(&type_schema(item)),
        AttributeType::Tags => map_schema(&json!({ "type": "string" })),
        AttributeType::Object(attributes) => or_expression(&[attribute_block(attributes, Map::new())]),
    }
}

fn map_schema(item: &Json) -> Json {
    or_expression(&[json!({ "type": "object", "additionalProperties": item })])
}

/// Allows an expression besides.
fn or_expression(forms: &[Json]) -> Json {
    let expression = json!({ "$ref": "#/definitions/expression" });
    let forms: Vec<_> = forms.iter().chain([&expression]).collect();
    json!({ "anyOf": forms })
}

fn object(properties: &Map<String, Json>, required: &[&str]) -> Json {
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn described(documentation: &str, mut schema: Json) -> Json {
    let lines: Vec<_> = documentation.lines().map(str::trim).collect();
    schema["description"] = json!(lines.join("\n").trim());
    schema
}
