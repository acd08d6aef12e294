//! The types that a field of an attributes struct can have.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{AttributeType, AttributeValue, Tags, TypeMismatch};
use crate::spec::compare;
use crate::value::Value;

macro_rules! scalar_attribute {
    ($type:ty, $variant:ident) => {
        impl AttributeValue for $type {
            fn attribute_type() -> AttributeType {
                AttributeType::$variant
            }

            fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
                let Value::$variant(inner) = value else {
                    return Err(TypeMismatch::new(Self::attribute_type(), value));
                };
                Ok(inner.clone())
            }

            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }
        }
    };
}

scalar_attribute!(bool, Bool);
scalar_attribute!(i64, Integer);
scalar_attribute!(String, String);

impl AttributeValue for Value {
    fn attribute_type() -> AttributeType {
        AttributeType::Any
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        Ok(value.clone())
    }

    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl<T: AttributeValue> AttributeValue for Vec<T> {
    fn attribute_type() -> AttributeType {
        AttributeType::List(Box::new(T::attribute_type()))
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        let items = value.as_list().ok_or_else(|| TypeMismatch::new(Self::attribute_type(), value))?;
        let read =
            |(index, item)| T::from_value(item).map_err(|mismatch| mismatch.inside(&format!("[{index}]")));
        items.iter().enumerate().map(read).collect()
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }
}

impl<T: AttributeValue + Ord> AttributeValue for BTreeSet<T> {
    fn attribute_type() -> AttributeType {
        AttributeType::Set(Box::new(T::attribute_type()))
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        Ok(Vec::from_value(value)?.into_iter().collect())
    }

    /// Returns the items in the order in which a spec's are put before they are compared.
    fn to_value(&self) -> Value {
        let mut items: Vec<_> = self.iter().map(T::to_value).collect();
        items.sort_by(compare);
        Value::List(items)
    }
}

impl<T: AttributeValue> AttributeValue for BTreeMap<String, T> {
    fn attribute_type() -> AttributeType {
        AttributeType::Map(Box::new(T::attribute_type()))
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        let entries = value.as_map().ok_or_else(|| TypeMismatch::new(Self::attribute_type(), value))?;
        let read = |(key, item): (&String, &Value)| {
            Ok((key.clone(), T::from_value(item).map_err(|mismatch| mismatch.inside(key))?))
        };
        entries.iter().map(read).collect()
    }

    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(key, item)| (key.clone(), item.to_value())).collect())
    }
}

impl AttributeValue for Tags {
    fn attribute_type() -> AttributeType {
        AttributeType::Tags
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        BTreeMap::from_value(value).map(Self)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}
