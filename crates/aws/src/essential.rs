//! What a person would write of a thing that was found: not what the service chose by itself.

use straddle_engine::value::{Value, ValueMap};

/// Leaves out attributes that a service fills in where nothing is written.
pub(crate) fn without(mut found: ValueMap, names: &[&str]) -> ValueMap {
    found.retain(|name, _| !names.contains(&name.as_str()));
    found
}

/// Leaves out an attribute where it is one of those that a service chooses.
pub(crate) fn unless_chosen(mut found: ValueMap, name: &str, chosen: &[Value]) -> ValueMap {
    if found.get(name).is_some_and(|value| chosen.contains(value)) {
        found.remove(name);
    }
    found
}

/// As [`unless_chosen`], of a member of a table.
pub(crate) fn member_unless_chosen(
    mut found: ValueMap,
    table: &str,
    name: &str,
    chosen: &[Value],
) -> ValueMap {
    if let Some(Value::Map(members)) = found.get_mut(table) {
        *members = unless_chosen(std::mem::take(members), name, chosen);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[(&str, &str)]) -> ValueMap {
        values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    }

    #[test]
    fn only_what_a_service_chooses_is_left_out() {
        let found = values(&[("a", "1"), ("b", "2")]);
        assert_eq!(without(found.clone(), &["a", "x"]), values(&[("b", "2")]));
        assert_eq!(unless_chosen(found.clone(), "a", &[Value::from("1")]), values(&[("b", "2")]));
        assert_eq!(unless_chosen(found.clone(), "a", &[Value::from("2")]), found);
        let table = ValueMap::from([("t".to_owned(), Value::Map(found))]);
        let left = member_unless_chosen(table, "t", "b", &[Value::from("2")]);
        assert_eq!(left["t"], Value::Map(values(&[("a", "1")])));
    }
}
