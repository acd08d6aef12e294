//! Writes what a template says, for errors about it.

use gotmpl::parse::{CommandNode, Expr, Number, PipeNode};

use super::numbers::float_text;

/// Returns the text of a call or a value.
pub(super) fn command(command: &CommandNode) -> String {
    command.args.iter().map(expression).collect::<Vec<_>>().join(" ")
}

/// Returns the text of a pipeline.
pub(super) fn pipeline(pipeline: &PipeNode) -> String {
    let commands: Vec<String> = pipeline.commands.iter().map(command).collect();
    let commands = commands.join(" | ");
    if pipeline.decl.is_empty() {
        return commands;
    }
    let sign = if pipeline.is_assign { "=" } else { ":=" };
    format!("{} {sign} {commands}", pipeline.decl.join(", "))
}

/// Returns the text of one operand.
pub(super) fn expression(expression: &Expr) -> String {
    let fields =
        |names: &[gotmpl::parse::SmolStr]| names.iter().fold(String::new(), |text, name| text + "." + name);
    match expression {
        Expr::Dot(_) => ".".to_owned(),
        Expr::Nil(_) => "nil".to_owned(),
        Expr::Bool(_, word) => word.to_string(),
        Expr::Number(_, Number::Int(number)) => number.to_string(),
        Expr::Number(_, Number::Uint(number)) => number.to_string(),
        Expr::Number(_, Number::Float(number)) => float_text(*number),
        Expr::String(_, text) => format!("{text:?}"),
        Expr::Identifier(_, name) => name.to_string(),
        Expr::Field(_, names) => fields(names),
        Expr::Variable(_, name, names) => format!("{name}{}", fields(names)),
        Expr::Pipe(_, inner) => format!("({})", pipeline(inner)),
        Expr::Chain(_, inner, names) => format!("{}{}", self::expression(inner), fields(names)),
    }
}
