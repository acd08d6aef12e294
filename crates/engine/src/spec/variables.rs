//! `[var.NAME]` blocks and where their values come from.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, SourceId, Sources, Span};
use crate::spec::blocks::Block;
use crate::spec::document::{self, Data, Entry, Node, Table};
use crate::spec::pattern::read_constant;
use crate::spec::{VariableArgument, VariableSource};
use crate::spec::{reserved, suggest};
use crate::value::Value;

/// The types that a variable can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VariableType {
    Any,
    String,
    Bool,
    Integer,
    Number,
    List,
    Map,
    AccountId,
}

const TYPES: [(&str, VariableType); 7] = [
    ("string", VariableType::String),
    ("bool", VariableType::Bool),
    ("integer", VariableType::Integer),
    ("number", VariableType::Number),
    ("list", VariableType::List),
    ("map", VariableType::Map),
    ("account_id", VariableType::AccountId),
];

/// Returns the names of the types that a variable can have.
pub(crate) fn variable_types() -> [&'static str; 7] {
    TYPES.map(|(name, _)| name)
}

/// A variable, or an input of a component.
pub(crate) struct Variable {
    pub(crate) wanted: VariableType,
    pub(crate) default: Option<Value>,
    description: Option<String>,
    pub(crate) span: Span,
    /// Whether neither the value nor what is made of it is shown.
    pub(crate) sensitive: bool,
    /// Whether a problem was reported.
    pub(crate) broken: bool,
}

/// Returns the value of every variable; `None` for one whose problem is reported.
pub(crate) fn resolve_variables(
    blocks: &BTreeMap<String, Block>,
    files: &[(SourceId, Table)],
    arguments: &[VariableArgument],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Option<Value>> {
    let variables: BTreeMap<_, _> = blocks
        .iter()
        .map(|(name, block)| (name.as_str(), read_variable(block, sources, diagnostics)))
        .collect();
    let mut given = BTreeMap::new();
    for (_, table) in files {
        take_file_values(table, &variables, &mut given, diagnostics);
    }
    take_arguments(arguments, &variables, &mut given, diagnostics);
    let resolve = |(name, variable): (&str, Variable)| {
        let value = given.remove(name).unwrap_or_else(|| default_value(name, &variable, diagnostics));
        (name.to_owned(), value)
    };
    variables.into_iter().map(resolve).collect()
}

/// Reads the block of a variable or an input; what is wrong with it is reported.
pub(crate) fn read_variable(block: &Block, sources: &Sources, diagnostics: &mut Diagnostics) -> Variable {
    let mut variable = Variable {
        wanted: VariableType::Any,
        default: None,
        description: None,
        span: block.span,
        sensitive: is_sensitive(block),
        broken: false,
    };
    let mut declared = None;
    for entry in &block.table.entries {
        let result = match entry.key.as_str() {
            "default" => {
                variable.default = read_constant(&entry.node, sources, diagnostics);
                variable.broken |= variable.default.is_none();
                Ok(())
            }
            "type" => read_type(&entry.node).map(|wanted| declared = Some(wanted)),
            "description" => {
                read_string(&entry.node).map(|text| variable.description = Some(text.to_owned()))
            }
            "sensitive" => read_flag(&entry.node).map(drop),
            _ => Err(unknown_attribute(entry)),
        };
        if let Err(diagnostic) = result {
            variable.broken |= entry.key == "type";
            diagnostics.push(*diagnostic);
        }
    }
    variable.wanted = declared.unwrap_or_else(|| inferred_type(variable.default.as_ref()));
    check_default(&mut variable, block, diagnostics);
    variable
}

fn check_default(variable: &mut Variable, block: &Block, diagnostics: &mut Diagnostics) {
    let written = block.table.entries.iter().find(|entry| entry.key == "default");
    if let (Some(default), Some(entry)) = (&variable.default, written)
        && let Err(message) = variable.wanted.check(default)
    {
        variable.broken = true;
        let message = variable.shown(message);
        diagnostics.push(Diagnostic::error("wrong-type", "wrong type").with_span(entry.node.span, message));
    }
}

impl Variable {
    /// Returns what is wrong with a value in words that do not quote it if it is sensitive.
    fn shown(&self, message: String) -> String {
        if self.sensitive { format!("expected {}", self.wanted.expected()) } else { message }
    }
}

/// Tells whether a `[var]`, `[input]` or `[output]` is sensitive, or means to be.
pub(crate) fn is_sensitive(block: &Block) -> bool {
    let written = block.table.entries.iter().find(|entry| entry.key == "sensitive");
    written.is_some_and(|entry| entry.node.data != Data::Bool(false))
}

/// Reads what is true or false.
pub(crate) fn read_flag(node: &Node) -> Result<bool, Box<Diagnostic>> {
    if let Data::Bool(value) = node.data {
        return Ok(value);
    }
    let label = format!("expected a boolean, found {}", node.type_name());
    Err(Diagnostic::error("wrong-type", "wrong type").with_span(node.span, label).into())
}

fn read_type(node: &Node) -> Result<VariableType, Box<Diagnostic>> {
    let word = read_string(node)?;
    let found = TYPES.iter().find(|(name, _)| *name == word);
    found.map(|(_, wanted)| *wanted).ok_or_else(|| {
        let names = variable_types();
        let diagnostic = Diagnostic::error("unknown-type", "unknown type")
            .with_span(node.span, "no variable can have this type")
            .with_detail(format!("The types are {}.", suggest::list(&names)));
        suggest::did_you_mean(diagnostic, word, names).into()
    })
}

fn read_string(node: &Node) -> Result<&str, Box<Diagnostic>> {
    if let Data::Text(text) = &node.data {
        return Ok(text);
    }
    let label = format!("expected a string, found {}", node.type_name());
    Err(Diagnostic::error("wrong-type", "wrong type").with_span(node.span, label).into())
}

fn unknown_attribute(entry: &Entry) -> Box<Diagnostic> {
    let known = reserved::names(reserved::VARIABLE);
    let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
        .with_span(entry.key_span, "variables have no such attribute")
        .with_detail(format!("A variable has {}.", suggest::list(&known)));
    suggest::did_you_mean(diagnostic, &entry.key, known).into()
}

fn inferred_type(default: Option<&Value>) -> VariableType {
    match default {
        None | Some(Value::Null | Value::Unknown(_)) => VariableType::Any,
        Some(Value::Bool(_)) => VariableType::Bool,
        Some(Value::Integer(_)) => VariableType::Integer,
        Some(Value::Float(_)) => VariableType::Number,
        Some(Value::String(_)) => VariableType::String,
        Some(Value::List(_)) => VariableType::List,
        Some(Value::Map(_)) => VariableType::Map,
    }
}

impl VariableType {
    /// Returns what is wrong with the value, without a full stop.
    pub(crate) fn check(self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Any, _)
            | (Self::String, Value::String(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Integer | Self::Number, Value::Integer(_))
            | (Self::Number, Value::Float(_))
            | (Self::List, Value::List(_))
            | (Self::Map, Value::Map(_)) => true,
            (Self::AccountId, Value::String(text)) => return check_account_id(text),
            (Self::AccountId, Value::Integer(_)) => {
                return Err("an account id is written in quotes, since it may begin with 0".to_owned());
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("expected {}, found {}", self.expected(), value.type_name())) }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::String => "a string",
            Self::Bool => "a boolean",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Map => "a table",
            Self::AccountId => "an account id of 12 digits",
        }
    }

    /// Reads text from outside the spec's files.
    fn read(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Any | Self::String | Self::AccountId => Value::from(text),
            Self::Bool | Self::Integer | Self::Number | Self::List | Self::Map => {
                let text = text.trim();
                document::read_value(text)
                    .map_err(|message| format!("expected {} in TOML syntax: {message}", self.expected()))?
            }
        };
        self.check(&value).map(|()| value)
    }
}

/// Account ids are 12 digits (IAM user guide, "AWS account identifiers").
pub(crate) fn check_account_id(text: &str) -> Result<(), String> {
    let good = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if good {
        Ok(())
    } else {
        Err(format!("an account id has 12 digits, and this is `{}`", text.escape_debug()))
    }
}

fn take_file_values(
    table: &Table,
    variables: &BTreeMap<&str, Variable>,
    given: &mut BTreeMap<String, Option<Value>>,
    diagnostics: &mut Diagnostics,
) {
    for entry in &table.entries {
        let Some(variable) = variables.get(entry.key.as_str()) else {
            let diagnostic = unknown_variable(&entry.key, variables);
            diagnostics.push(diagnostic.with_span(entry.key_span, "no variable has this name"));
            continue;
        };
        let value = entry.node.to_value();
        let checked = variable.wanted.check(&value).map_err(|message| variable.shown(message));
        if let Err(message) = &checked {
            let diagnostic = Diagnostic::error("wrong-type", "wrong type")
                .with_span(entry.node.span, message)
                .with_related(variable.span, "the variable is described here");
            diagnostics.push(diagnostic);
        }
        given.insert(entry.key.clone(), checked.ok().map(|()| value));
    }
}

/// Those of the environment come first, so that those of the command line win.
fn take_arguments(
    arguments: &[VariableArgument],
    variables: &BTreeMap<&str, Variable>,
    given: &mut BTreeMap<String, Option<Value>>,
    diagnostics: &mut Diagnostics,
) {
    let from = |source| arguments.iter().filter(move |argument| argument.source == source);
    for argument in from(VariableSource::Environment).chain(from(VariableSource::CommandLine)) {
        let written = match argument.source {
            VariableSource::CommandLine => format!("--var {}", argument.name),
            VariableSource::Environment => format!("STRADDLE_VAR_{}", argument.name),
        };
        let Some(variable) = variables.get(argument.name.as_str()) else {
            let mut diagnostic = unknown_variable(&argument.name, variables)
                .with_detail(format!("`{}` names no variable of this spec.", written.escape_debug()));
            if argument.source == VariableSource::Environment {
                diagnostic.severity = Severity::Warning;
            }
            diagnostics.push(diagnostic);
            continue;
        };
        let value = variable.wanted.read(&argument.value).map_err(|message| variable.shown(message));
        if let Err(message) = &value {
            let diagnostic = Diagnostic::error("wrong-type", "wrong type")
                .with_detail(format!("The value of `{written}` does not fit: {message}."))
                .with_related(variable.span, "the variable is described here");
            diagnostics.push(diagnostic);
        }
        given.insert(argument.name.clone(), value.ok());
    }
}

fn default_value(name: &str, variable: &Variable, diagnostics: &mut Diagnostics) -> Option<Value> {
    if variable.broken {
        return None;
    }
    if variable.default.is_none() {
        let diagnostic = Diagnostic::error("missing-value", "variable without a value")
            .with_span(variable.span, "has no default, and no value was given")
            .with_detail(variable.description.clone().unwrap_or_default())
            .with_hint(format!(
                "Give it with `--var {name}=VALUE`, in a file with `--env NAME` or `--var-file FILE`, or as `STRADDLE_VAR_{name}`."
            ));
        diagnostics.push(diagnostic);
    }
    variable.default.clone()
}

fn unknown_variable(name: &str, variables: &BTreeMap<&str, Variable>) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-variable", "unknown variable");
    suggest::did_you_mean(diagnostic, name, variables.keys().copied())
}
