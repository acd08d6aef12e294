//! Versions in templates.

use super::arguments::text;
use super::{Function, takes};
use crate::helm::template::{CallError, GoValue, Object};
use crate::helm::version::{Constraint, Version};

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "semver", |_, arguments| {
        let version =
            Version::parse(&text(arguments, 0)?).map_err(|error| CallError::from(error.to_string()))?;
        Ok(GoValue::Object(std::rc::Rc::new(version)))
    }),
    takes(2, "semverCompare", |_, arguments| {
        let told = |error: crate::helm::version::VersionError| CallError::from(error.to_string());
        let constraint = Constraint::parse(&text(arguments, 0)?).map_err(told)?;
        let version = Version::parse(&text(arguments, 1)?).map_err(told)?;
        Ok(GoValue::Bool(constraint.allows(&version)))
    }),
];

impl Object for Version {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn member(&self, name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>> {
        let [major, minor, patch] = self.numbers().map(|number| GoValue::Int64(number.cast_signed()));
        Some(Ok(match name {
            "Major" => major,
            "Minor" => minor,
            "Patch" => patch,
            "Prerelease" => GoValue::text(self.prerelease()),
            "Metadata" => GoValue::text(self.metadata()),
            "Original" => GoValue::text(self.original()),
            "String" => GoValue::text(self.to_string()),
            "Compare" | "Equal" | "LessThan" | "GreaterThan" => {
                let other = arguments.first().and_then(|other| match other {
                    GoValue::Object(object) => object.as_any().downcast_ref::<Version>(),
                    _ => None,
                });
                let Some(other) = other else { return Some(Err("expected *semver.Version".to_owned())) };
                let order = self.compare(other);
                match name {
                    "Compare" => GoValue::Int(order as i64),
                    "Equal" => GoValue::Bool(order.is_eq()),
                    "LessThan" => GoValue::Bool(order.is_lt()),
                    _ => GoValue::Bool(order.is_gt()),
                }
            }
            _ => return None,
        }))
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn data(&self) -> GoValue {
        GoValue::text(self.original())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
