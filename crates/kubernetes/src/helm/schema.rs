//! Values against the schemas that charts have for them.

use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

use super::chart::Chart;
use super::values::Values;

/// Where the schema is said to be; nothing is read from there, or from anywhere else.
const PLACE: &str = "file:///values.schema.json";

/// Checks the values of a chart, and of the charts in it.
///
/// # Errors
/// Everything that is wrong, with the chart and the value it is wrong in.
pub(super) fn validate(chart: &Chart, values: &Values) -> Result<(), String> {
    let mut problems = Vec::new();
    collect(chart, values, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{}",
        problems.join("\n")
    ))
}

fn collect(chart: &Chart, values: &Values, problems: &mut Vec<String>) {
    if let Some(schema) = &chart.schema
        && let Err(problem) = check(schema, values)
    {
        problems.push(format!("{}:\n{problem}", chart.name()));
    }
    for inner in &chart.charts {
        if let Some(Value::Object(values)) = values.get(inner.name()) {
            collect(inner, values, problems);
        }
    }
}

fn check(schema: &[u8], values: &Values) -> Result<(), String> {
    let schema: Value =
        serde_json::from_slice(schema).map_err(|error| format!("- the schema is no JSON: {error}"))?;
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.use_loader(Box::new(Nowhere));
    compiler.add_resource(PLACE, schema).map_err(|error| format!("- {error}"))?;
    let mut schemas = Schemas::new();
    let index = compiler.compile(PLACE, &mut schemas).map_err(|error| format!("- {error}"))?;
    let values = Value::Object(values.clone());
    schemas.validate(&values, index).map_err(|error| {
        let mut lines = Vec::new();
        leaves(&error, &mut lines);
        lines.join("\n")
    })
}

/// Writes what is wrong in the end, and not what is wrong because of that.
fn leaves(error: &boon::ValidationError<'_, '_>, lines: &mut Vec<String>) {
    if error.causes.is_empty() {
        lines.push(format!("- at '{}': {}", error.instance_location, error.kind));
    }
    for cause in &error.causes {
        leaves(cause, lines);
    }
}

/// Refuses schemas of other places: a chart does not make the program read files or call hosts.
struct Nowhere;

impl boon::UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("the schema refers to {url}, which is not read").into())
    }
}
