//! `straddle output`: what the stack told the outside at the last apply.

use std::collections::BTreeMap;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::value::Value;

use crate::arguments::OutputArguments;
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{self, json};
use crate::stack::find_state;

/// Prints the outputs, or one of them.
pub(crate) fn run(program: &Program, arguments: &OutputArguments) -> Result<Exit, Failure> {
    let backend = find_state(&arguments.path, &arguments.stack)?;
    let state = program.state(&backend)?;
    let (outputs, sensitive) =
        state.map(|state| (state.outputs, state.sensitive_outputs)).unwrap_or_default();
    let stdout = &program.terminal.stdout;
    match &arguments.name {
        Some(name) => {
            let value = outputs.get(name).ok_or_else(|| no_such_output(name, &outputs))?;
            stdout.line(&one(value, arguments)?);
        }
        // What is sensitive is told only to who asks for it by name.
        None if arguments.json => {
            stdout.line(&format!("{:#}", json::to_json(&json::shown_outputs(&outputs, &sensitive))));
        }
        None => stdout.write(&render::output_list(&outputs, &sensitive, &stdout.palette)),
    }
    Ok(Exit::Success)
}

fn one(value: &Value, arguments: &OutputArguments) -> Result<String, Failure> {
    if arguments.json {
        return Ok(format!("{:#}", json::to_json(value)));
    }
    if arguments.raw {
        // The user asks for the very bytes, to pass them on.
        return render::raw(value).ok_or_else(|| not_single(value));
    }
    Ok(render::inline(value))
}

fn no_such_output(name: &str, outputs: &BTreeMap<String, Value>) -> Failure {
    let names: Vec<_> = outputs.keys().map(|name| format!("`{name}`")).collect();
    let known = if names.is_empty() {
        "It has none; an apply writes them.".to_owned()
    } else {
        format!("It has {}.", names.join(", "))
    };
    let problem = Diagnostic::error("no-output", "the stack has no such output")
        .with_detail(format!("There is no output `{name}` in the state. {known}"));
    Failure::error(problem)
}

fn not_single(value: &Value) -> Failure {
    let problem = Diagnostic::error("not-raw", "only a text, a number or a boolean can be printed raw")
        .with_detail(format!("The output is {}.", value.type_name()))
        .with_hint("Take --json instead.");
    Failure::error(problem)
}
