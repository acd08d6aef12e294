//! What a value is, and which of several to take.

use super::arguments::{boolean, text};
use super::{Function, takes, takes_from};
use crate::helm::template::GoValue;

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "typeOf", |_, arguments| Ok(GoValue::text(arguments[0].type_name()))),
    takes(2, "typeIs", |_, arguments| Ok(GoValue::Bool(*text(arguments, 0)? == *arguments[1].type_name()))),
    takes(2, "typeIsLike", |_, arguments| {
        let (wanted, found) = (text(arguments, 0)?, arguments[1].type_name());
        Ok(GoValue::Bool(*wanted == *found || format!("*{wanted}") == found))
    }),
    takes(1, "kindOf", |_, arguments| Ok(GoValue::text(arguments[0].kind()))),
    takes(2, "kindIs", |_, arguments| Ok(GoValue::Bool(*text(arguments, 0)? == *arguments[1].kind()))),
    takes(2, "deepEqual", |_, arguments| Ok(GoValue::Bool(arguments[0].is_deeply_equal(&arguments[1])))),
    takes_from(1, "default", |_, arguments| {
        let given = arguments.get(1).filter(|given| given.is_true());
        Ok(given.unwrap_or(&arguments[0]).clone())
    }),
    takes(1, "empty", |_, arguments| Ok(GoValue::Bool(!arguments[0].is_true()))),
    takes_from(0, "coalesce", |_, arguments| {
        Ok(arguments.iter().find(|value| value.is_true()).cloned().unwrap_or(GoValue::Nil))
    }),
    takes_from(0, "all", |_, arguments| Ok(GoValue::Bool(arguments.iter().all(GoValue::is_true)))),
    takes_from(0, "any", |_, arguments| Ok(GoValue::Bool(arguments.iter().any(GoValue::is_true)))),
    takes(3, "ternary", |_, arguments| Ok(arguments[usize::from(!boolean(arguments, 2)?)].clone())),
];
