//! What references see: the attributes of every resource, as far as they are known.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::address::Address;
use crate::bundle::Standing;
use crate::schema::{AttributeSchema, AttributeType};
use crate::spec::Scope;
use crate::value::{Value, ValueMap};

/// The attributes of one resource, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourceValues {
    /// What the spec sets, and what the service has where the spec is silent.
    pub inputs: ValueMap,
    /// What only the service knows, `id` included. What is missing is not known yet.
    pub outputs: ValueMap,
    /// Whether inputs that are not there will never be there: the resource is as it is.
    pub settled: bool,
}

/// The attributes of every resource. Plan and apply resolve references with it alike: the plan
/// with values as they are promised, the apply with values as they come true.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    stack_id: String,
    resources: BTreeMap<Address, ResourceValues>,
    standing: Standing,
}

impl Values {
    /// Makes the values of a stack without resources.
    #[must_use]
    pub fn new(stack_id: impl Into<String>) -> Self {
        Self { stack_id: stack_id.into(), ..Self::default() }
    }

    /// Says which members of bundles are there.
    #[must_use]
    pub fn with_standing(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }

    /// Says that the plan is carried out from now on: what is made by chance is made.
    #[must_use]
    pub fn carried_out_at(self, now: Timestamp) -> Self {
        Self { standing: self.standing.carried_out_at(now), ..self }
    }

    /// Sets the values of a resource.
    pub fn set(&mut self, address: Address, values: ResourceValues) {
        self.resources.insert(address, values);
    }

    /// Takes back what was said of a resource: its attributes are unknown again.
    pub fn forget(&mut self, address: &Address) {
        self.resources.remove(address);
    }

    /// Returns the values of a resource.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&ResourceValues> {
        self.resources.get(address)
    }
}

impl Scope for Values {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        let unknown = || Value::unknown(address.clone(), attribute);
        let Some(values) = self.resources.get(address) else { return unknown() };
        let found = values.inputs.get(attribute).or_else(|| values.outputs.get(attribute));
        match found {
            Some(value) => value.clone(),
            None if values.settled => Value::Null,
            None => unknown(),
        }
    }

    fn stack_id(&self) -> Value {
        Value::from(self.stack_id.as_str())
    }

    fn standing(&self) -> Standing {
        self.standing.clone()
    }
}

/// Tells whether `actual` is what `planned` promised: the known parts must be equal, unknown
/// parts may have become anything.
#[must_use]
pub fn keeps_promise(attribute_type: &AttributeType, planned: &Value, actual: &Value) -> bool {
    match (attribute_type, planned, actual) {
        // What becomes known may change the order, and may be there already.
        (AttributeType::Set(_), Value::List(planned), Value::List(actual)) => {
            let known = planned.iter().filter(|item| item.is_known());
            actual.len() <= planned.len() && known.into_iter().all(|item| actual.contains(item))
        }
        // What turns out to be null is as if it had not been written.
        (AttributeType::Object(attributes), Value::Map(planned), Value::Map(actual)) => {
            let keeps =
                |attribute: &AttributeSchema| match (planned.get(attribute.name), actual.get(attribute.name))
                {
                    (Some(planned), Some(actual)) => {
                        keeps_promise(&attribute.attribute_type, planned, actual)
                    }
                    (planned, None) => planned.is_none_or(|planned| !planned.is_known()),
                    (None, Some(_)) => false,
                };
            attributes.iter().all(keeps)
        }
        _ => keeps_value(planned, actual),
    }
}

fn keeps_value(planned: &Value, actual: &Value) -> bool {
    match (planned, actual) {
        (Value::Unknown(_), _) => true,
        (Value::List(planned), Value::List(actual)) => {
            planned.len() == actual.len()
                && planned.iter().zip(actual).all(|(planned, actual)| keeps_value(planned, actual))
        }
        (Value::Map(planned), Value::Map(actual)) => {
            planned.len() == actual.len()
                && planned.iter().all(|(name, planned)| {
                    actual.get(name).is_some_and(|actual| keeps_value(planned, actual))
                })
        }
        (planned, actual) => planned == actual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_may_become_anything() {
        let unknown = Value::unknown(Address::new("vpc", "main"), "id");
        let planned = Value::from(vec![Value::from("a"), unknown]);
        assert!(keeps_value(&planned, &Value::from(vec!["a", "b"])));
        assert!(!keeps_value(&planned, &Value::from(vec!["x", "b"])));
        assert!(!keeps_value(&planned, &Value::from(vec!["a"])));
    }

    #[test]
    fn sets_may_be_in_another_order() {
        let set = AttributeType::Set(Box::new(AttributeType::String));
        let unknown = || Value::unknown(Address::new("vpc", "main"), "id");
        let planned = Value::from(vec![Value::from("b"), unknown(), unknown()]);
        assert!(keeps_promise(&set, &planned, &Value::from(vec!["a", "b", "c"])));
        assert!(keeps_promise(&set, &planned, &Value::from(vec!["a", "b"])));
        assert!(!keeps_promise(&set, &planned, &Value::from(vec!["a", "c"])));
        assert!(!keeps_promise(&set, &planned, &Value::from(vec!["a", "b", "c", "d"])));
    }

    #[test]
    fn members_of_tables_may_turn_out_to_be_null() {
        let name = AttributeSchema::new("name", "", AttributeType::String);
        let table_type = AttributeType::Object(vec![name]);
        let table = |value| Value::Map(ValueMap::from_iter([("name".to_owned(), value)]));
        let nothing = Value::Map(ValueMap::new());
        let unknown = table(Value::unknown(Address::new("vpc", "main"), "id"));
        assert!(keeps_promise(&table_type, &unknown, &nothing));
        assert!(keeps_promise(&table_type, &unknown, &table(Value::from("a"))));
        assert!(!keeps_promise(&table_type, &table(Value::from("a")), &nothing));
        assert!(!keeps_promise(&table_type, &nothing, &table(Value::from("a"))));
        assert!(!keeps_promise(&table_type, &table(Value::from("a")), &table(Value::from("b"))));
    }

    #[test]
    fn attributes_that_are_not_there_are_null_once_settled() {
        let mut values = Values::new("stack");
        let address = Address::new("vpc", "main");
        values.set(address.clone(), ResourceValues::default());
        assert!(!values.attribute(&address, "id").is_known());
        values.set(address.clone(), ResourceValues { settled: true, ..ResourceValues::default() });
        assert_eq!(values.attribute(&address, "ipv6_cidr_block"), Value::Null);
    }
}
