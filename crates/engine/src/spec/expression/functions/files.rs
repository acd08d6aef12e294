//! Functions that read files of the spec.

use super::{Body, Function, FunctionGroup, Special};

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Files",
    functions: &[
        Function::new(
            "file(path)",
            (1, 1),
            Body::Special(Special::File),
            "The text of a file in the folder of the spec, at most 4 MiB. `${` in it means nothing.",
            ("file('motd.txt')", "'Welcome.'"),
        ),
        Function::new(
            "templatefile(path, table)",
            (2, 2),
            Body::Special(Special::Template),
            "The text of a file with each `${...}` in it evaluated. Expressions there see the entries of the \
             table by their names, and nothing else.",
            ("templatefile('hello.tmpl', {names = ['Ada', 'Alan']})", "'Hello Ada and Alan!'"),
        ),
    ],
};
