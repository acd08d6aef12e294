//! Functions that choose among their arguments.

use super::{Body, Function, FunctionGroup, MANY, Special};

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Choice",
    functions: &[
        Function::new(
            "can(expression)",
            (1, 1),
            Body::Special(Special::Can),
            "Whether the expression can be evaluated. Unknown as long as it may still fail once more is known.",
            ("can({a = 1}.b)", "false"),
        ),
        Function::new(
            "coalesce(value, ...)",
            (1, MANY),
            Body::Special(Special::Coalesce),
            "The first value that is neither null nor empty text. The others are not evaluated.",
            ("coalesce(null, '', 'eu-west-1')", "'eu-west-1'"),
        ),
        Function::new(
            "try(expression, ...)",
            (1, MANY),
            Body::Special(Special::Try),
            "The first expression that can be evaluated. The others are not looked at. Unknown as long as one \
             before the last may still fail once more is known.",
            ("try({a = 1}.b, 'none')", "'none'"),
        ),
    ],
};
