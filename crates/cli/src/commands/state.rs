//! `straddle state`: what is recorded.

use straddle_engine::address::Address;
use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::state::{Backend, ResourceState, State};

use crate::arguments::{StateCommand, StateListArguments, StateShowArguments};
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{self, json};
use crate::safe::Safe;
use crate::stack::find_state;

/// Shows the state, or a resource of it.
pub(crate) fn run(program: &Program, command: &StateCommand) -> Result<Exit, Failure> {
    match command {
        StateCommand::List(arguments) => list(program, arguments),
        StateCommand::Show(arguments) => show(program, arguments),
    }
}

fn list(program: &Program, arguments: &StateListArguments) -> Result<Exit, Failure> {
    let backend = find_state(&arguments.path, &arguments.stack)?;
    let state = program.state(&backend)?;
    let (stdout, stderr) = (&program.terminal.stdout, &program.terminal.stderr);
    match state {
        Some(state) if program.is_json => stdout.line(&format!("{:#}", state_json(program, &state))),
        Some(state) => stdout.write(&render::resource_list(&state, &stdout.palette)),
        None if program.is_json => stdout.line("null"),
        None => {
            stderr
                .line(&format!("Nothing was applied yet. There is no state at {}", Safe(backend.location())));
        }
    }
    Ok(Exit::Success)
}

fn show(program: &Program, arguments: &StateShowArguments) -> Result<Exit, Failure> {
    let backend = find_state(&arguments.state.path, &arguments.state.stack)?;
    let state = program.state(&backend)?;
    let address = &arguments.address;
    let resource = state.as_ref().and_then(|state| state.resources.get(address));
    let resource = resource.ok_or_else(|| not_recorded(address))?;
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let mut resource = resource.clone();
        hide(program, &mut resource);
        stdout.line(&format!("{:#}", json::to_json(&resource)));
    } else {
        stdout.write(&render::resource(address, resource, &program.registry, &stdout.palette));
    }
    Ok(Exit::Success)
}

fn state_json(program: &Program, state: &State) -> serde_json::Value {
    let mut state = state.clone();
    state.resources.values_mut().for_each(|resource| hide(program, resource));
    for pending in state.pending.values_mut() {
        let kind = program.registry.kind(pending.kind.as_str());
        let inputs = kind.map_or(&[][..], |kind| &kind.schema().inputs);
        json::hide_sensitive(&mut pending.inputs, inputs, &pending.lifecycle.sensitive);
    }
    state.outputs = json::shown_outputs(&state.outputs, &state.sensitive_outputs);
    json::to_json(&state)
}

fn hide(program: &Program, resource: &mut ResourceState) {
    let schema = program.registry.kind(resource.kind.as_str()).map(|kind| kind.schema());
    let (inputs, outputs) = schema.map_or((&[][..], &[][..]), |schema| (&schema.inputs, &schema.outputs));
    let sensitive = &resource.lifecycle.sensitive;
    for object in resource.object.iter_mut().chain(&mut resource.deposed) {
        json::hide_sensitive(&mut object.inputs, inputs, sensitive);
        json::hide_sensitive(&mut object.outputs, outputs, sensitive);
    }
}

fn not_recorded(address: &Address) -> Failure {
    let problem = Diagnostic::error("not-in-state", "the state has no such resource")
        .with_detail(format!("{address} is not recorded."))
        .with_hint("`straddle state list` lists what is.");
    Failure::error(problem)
}
