//! Functions that say what is sensitive.

use super::{Body, Function, FunctionGroup, Special};

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Sensitive values",
    functions: &[
        Function::new(
            "nonsensitive(value)",
            (1, 1),
            Body::Special(Special::Nonsensitive),
            "The value, from here on not sensitive: it is shown again. For what no longer tells the secret that it \
             was made of.",
            ("nonsensitive(length(sensitive('ab')))", "2"),
        ),
        Function::new(
            "sensitive(value)",
            (1, 1),
            Body::Special(Special::Sensitive),
            "The value, from here on sensitive: it is not shown, nor what is made of it.",
            ("sensitive('ab')", "'ab'"),
        ),
    ],
};
