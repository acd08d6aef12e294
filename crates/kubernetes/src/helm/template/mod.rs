//! Go's `text/template`, as charts know it: tables that can be changed in place, methods, and errors
//! that say where.
//!
//! The parser is a library's. What runs the templates is our own: functions of charts change tables
//! that others hold (`set`), call templates (`include`, `tpl`), and tell `int` from `float64`.

mod check;
mod describe;
mod execute;
mod failure;
mod format;
mod json;
mod numbers;
mod templates;
mod value;
mod world;

pub(super) use execute::Executor;
pub use failure::TemplateError;
pub(super) use failure::{CallError, Failure};
pub(super) use format::{print_all, printf, quoted};
pub(super) use json::{from_json, json_text, pretty_json_text, to_json, to_json_with_floats};
pub(super) use numbers::{float_text, number_text, whole_if_whole};
pub(super) use templates::Templates;
pub(super) use value::{GoValue, Object, Table};
pub(super) use world::World;
