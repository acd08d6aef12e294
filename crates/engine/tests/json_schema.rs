//! What the JSON Schema offers the loader reads, and nothing else.

mod support;

use serde_json::Value as Json;
use straddle_engine::diagnostic::Sources;
use straddle_engine::json_schema::json_schema;
use straddle_engine::spec::{SpecText, load_text};

/// Tells whether the loader knows an attribute of a block.
fn is_read(header: &str, attribute: &str) -> bool {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{header}\n{attribute} = []\n"));
    let failure = load_text(SpecText { sources, ..SpecText::default() }, &support::registry());
    let problems = failure.expect_err("there is no stack, or no name of it").diagnostics;
    let is_refused = problems.iter().any(|problem| problem.code == "unknown-attribute");
    !is_refused
}

/// Returns the header of a block and its attributes, as the schema has them.
fn block<'a>(word: &str, schema: &'a Json) -> Option<(String, &'a Json)> {
    let properties = |schema: &'a Json| schema.get("properties");
    let named = || {
        let block = schema.get("patternProperties")?.as_object()?.values().next()?;
        properties(block.get("anyOf").and_then(|forms| forms.get(0)).unwrap_or(block))
    };
    properties(schema)
        .map(|attributes| (format!("[{word}]"), attributes))
        .or_else(|| Some((format!("[[{word}]]"), properties(schema.get("items")?)?)))
        .or_else(|| Some((format!("[{word}.a]"), named()?)))
}

#[test]
fn every_attribute_of_every_block_is_read_and_no_other() {
    let schema = json_schema(&support::registry());
    let mut count = 0;
    for (word, schema) in schema["properties"].as_object().expect("a file is a table") {
        let Some((header, attributes)) = block(word, schema) else {
            assert_eq!(word, "local", "{schema}");
            continue;
        };
        for attribute in attributes.as_object().expect("a block is a table").keys() {
            assert!(is_read(&header, attribute), "{header} {attribute}");
            count += 1;
        }
        assert!(!is_read(&header, "nothing"), "{header}");
    }
    assert!(count > 100, "{count}");
}

#[test]
fn the_schema_has_every_kind_with_its_documentation() {
    let registry = support::registry();
    let schema = json_schema(&registry);
    for kind in registry.kinds() {
        let kind = kind.schema();
        let block = &schema["properties"][kind.kind.as_str()];
        assert_eq!(block["description"].as_str().map(str::is_empty), Some(kind.documentation.is_empty()));
        for input in kind.inputs.iter().filter(|input| input.required) {
            let (_, attributes) = block_of(block);
            assert!(
                attributes["required"].as_array().is_some_and(|names| names.contains(&input.name.into()))
            );
        }
    }
}

fn block_of(schema: &Json) -> (&String, &Json) {
    let patterns = schema["patternProperties"].as_object().expect("blocks of kinds have names");
    patterns.iter().next().expect("there is a pattern of names")
}
