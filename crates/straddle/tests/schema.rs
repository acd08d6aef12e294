//! The JSON Schema that `straddle schema` prints takes our specs and refuses broken ones.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Value as Json, json};

/// The schema, compiled.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn new() -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_straddle")).arg("schema").output().unwrap();
        assert!(output.status.success());
        let document: Json = serde_json::from_slice(&output.stdout).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        compiler.add_resource("straddle.json", document).unwrap();
        let index = compiler.compile("straddle.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Returns what is wrong with a file.
    fn problem(&self, text: &str) -> Option<String> {
        let document: toml::Table = text.parse().unwrap();
        let document = json!(document);
        self.schemas.validate(&document, self.index).err().map(|error| error.to_string())
    }
}

#[test]
fn our_specs_are_taken() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs");
    let schema = Schema::new();
    let mut count = 0;
    each_file_of_a_spec(&specs, &mut |path, text| {
        assert_eq!(schema.problem(text), None, "{}", path.display());
        count += 1;
    });
    assert!(count > 2);
}

/// Calls for each file below a folder, but not for those with values of variables.
fn each_file_of_a_spec(folder: &Path, call: &mut impl FnMut(&Path, &str)) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("envs") {
            each_file_of_a_spec(&path, call);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            call(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn what_the_language_has_is_taken() {
    let schema = Schema::new();
    for text in [
        "[local]\nx = { y = [1, \"a\"] }",
        "[var.size]\ntype = \"integer\"\ndefault = 3",
        "[vpc.main]\ncidr_block = \"10.0.0.0/16\"\nenable_dns_support = \"${var.dns}\"\ntags = \"${local.tags}\"",
        "[vpc.main]\ncidr_block = \"10.0.0.0/16\"\ntimeouts = { create = \"1h30m\" }\nfor_each = [\"a\"]",
        "[route_table.a]\nvpc_id = \"${vpc.main.id}\"\nsubnets = \"${subnet.a[*].id}\"",
        "[[moved]]\nfrom = \"vpc.a\"\nto = \"vpc.b\"",
    ] {
        assert_eq!(schema.problem(text), None, "{text}");
    }
}

#[test]
fn what_the_language_does_not_have_is_refused() {
    let schema = Schema::new();
    for text in [
        "[vcp.main]\ncidr_block = \"10.0.0.0/16\"",
        "[vpc]\ncidr_block = \"10.0.0.0/16\"",
        "[vpc.\"no name\"]\ncidr_block = \"10.0.0.0/16\"",
        "[vpc.main]\ncidr = \"10.0.0.0/16\"",
        "[vpc.main]\ncidr_block = 10",
        "[vpc.main]\nenable_dns_support = \"yes\"",
        "[vpc.main]\ntags = { a = 1 }",
        "[subnet.a]\ncidr_block = \"10.0.0.0/16\"",
        "[vpc.main]\ncidr_block = \"10.0.0.0/16\"\nreplace_order = \"first\"",
        "[vpc.main]\ncidr_block = \"10.0.0.0/16\"\ntimeouts = { create = \"soon\" }",
        "[stack]\ntags = {}",
        "[account.a]\nid = \"111111111111\"",
        "[var.a]\ntype = \"text\"",
        "[output.a]\ndescription = \"x\"",
        "[[moved]]\nfrom = \"vpc.a\"",
    ] {
        assert!(schema.problem(text).is_some(), "{text}");
    }
}
