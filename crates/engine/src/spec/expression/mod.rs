//! Expressions: `"${...}"` inside the strings of a spec.

pub(crate) mod access;
pub(crate) mod ast;
mod budget;
mod call;
mod comprehension;
pub(crate) mod evaluate;
pub(crate) mod functions;
mod lexer;
mod operators;
mod parser;
mod path;
mod reference;
mod rewrite;
mod template_file;
mod tokens;

pub(crate) use parser::{parse_expression, parse_template_expression};

#[cfg(test)]
mod tests;
