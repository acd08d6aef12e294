//! Changes of single places in a manifest.

use straddle_engine::value::{Value, ValueMap};

/// Lays `patch` over a table: tables are merged, null takes an entry out, anything else takes the place of
/// what was there. What is not known stays unknown in its place.
pub(crate) fn merge(table: &mut ValueMap, patch: &ValueMap) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(table.remove(key)),
            Value::Map(inner) => {
                let before = table.entry(key.clone()).or_insert(Value::Null);
                if before.as_map().is_none() {
                    *before = Value::Map(ValueMap::new());
                }
                if let Value::Map(before) = before {
                    merge(before, inner);
                }
            }
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::List(_)
            | Value::Unknown(_) => drop(table.insert(key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;
    use straddle_engine::{json, yaml};

    use super::*;

    fn table(text: &str) -> ValueMap {
        let value = yaml::decode(text).expect("the text is YAML");
        value.as_map().expect("it is a table").clone()
    }

    #[test]
    fn tables_are_merged_and_everything_else_is_replaced() {
        let mut manifest = table("{a: {b: 1, c: [1, 2], d: x}, e: 1}");
        merge(&mut manifest, &table("{a: {b: null, c: [3], f: {g: 1, h: null}}, e: {i: 1}}"));
        let merged = json::encode(&Value::Map(manifest)).expect("everything is known");
        assert_eq!(merged, r#"{"a":{"c":[3],"d":"x","f":{"g":1}},"e":{"i":1}}"#);
    }

    #[test]
    fn what_is_unknown_stays_where_it_is() {
        let mut manifest = table("{a: {b: 1}}");
        let unknown = Value::unknown(Address::new("vpc", "main"), "id");
        let inner = ValueMap::from([("b".to_owned(), unknown.clone())]);
        merge(&mut manifest, &ValueMap::from([("a".to_owned(), Value::Map(inner.clone()))]));
        assert_eq!(manifest["a"], Value::Map(inner));
    }
}
