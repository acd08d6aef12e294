//! JSON Schema, as far as the schemas of add-ons use it.

use serde_json::Value;

/// Checks a value against a schema: types, what a table may have, and which values there are.
///
/// # Errors
/// With what is wrong, and where: `place` is the path of the value.
pub(super) fn check(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(expected) = schema["type"].as_str()
        && !is_of(expected, value)
    {
        return Err(format!("{place}: {} found, {expected} expected", kind(value)));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        return Err(format!("{place}: does not have a value in the enumeration {}", schema["enum"]));
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => check(schema, value, &format!("{place}.{name}"))?,
            None if schema["additionalProperties"] == false => {
                return Err(format!(
                    "{place}.{name}: is not defined in the schema and the schema does not allow additional properties"
                ));
            }
            None => {}
        }
    }
    Ok(())
}

fn is_of(expected: &str, value: &Value) -> bool {
    match value {
        Value::Number(number) => expected == "number" || expected == "integer" && number.is_i64(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            kind(value) == expected
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_names_and_values_are_checked() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "count": { "type": "integer" },
                "mode": { "type": "string", "enum": ["a", "b"] },
                "open": { "type": "object" },
            },
        });
        let checked = |value: Value| check(&schema, &value, "$");
        assert_eq!(checked(json!({ "count": 1, "mode": "a", "open": { "x": [] } })), Ok(()));
        for (wrong, said) in [
            (json!([]), "$: array found, object expected"),
            (json!({ "count": "1" }), "$.count: string found, integer expected"),
            (json!({ "count": 1.5 }), "$.count: number found, integer expected"),
            (json!({ "mode": "c" }), "$.mode: does not have a value in the enumeration"),
            (json!({ "other": 1 }), "$.other: is not defined in the schema"),
        ] {
            let problem = checked(wrong).expect_err(said);
            assert!(problem.starts_with(said), "{problem}");
        }
    }
}
