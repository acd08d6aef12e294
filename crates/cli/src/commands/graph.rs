//! `straddle graph`: what needs what.

use std::fs;

use straddle_engine::depiction::plan_of;
use straddle_engine::plan::{Mode, Options};
use straddle_engine::spec::Spec;

use crate::arguments::{GraphArguments, GraphFormat};
use crate::commands::{Program, plan};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::graph::{Folding, Picture, dot, json, mermaid};
use crate::render::{architecture, run_failure};
use crate::stack::Stack;

/// Draws a spec, or a plan.
pub(crate) fn run(program: &Program, arguments: &GraphArguments) -> Result<Exit, Failure> {
    let text = if arguments.architecture {
        let spec = look(program, arguments)?;
        let plan = plan_of(&spec, &program.registry);
        let plan = plan.map_err(|error| run_failure(error, &spec.sources))?;
        architecture(&spec, &program.registry, &plan)
    } else {
        written(arguments.format, &picture(program, arguments)?)
    };
    match &arguments.output {
        Some(path) => fs::write(path, text).map_err(|error| Failure::file("write", path, &error))?,
        None => program.terminal.stdout.write(&text),
    }
    Ok(Exit::Success)
}

fn look(program: &Program, arguments: &GraphArguments) -> Result<Spec, Failure> {
    Ok(Stack::look(program, &arguments.run.spec, &arguments.run.state)?.spec)
}

fn picture(program: &Program, arguments: &GraphArguments) -> Result<Picture, Failure> {
    let folding = if arguments.fold { Folding::Blocks } else { Folding::None };
    if !arguments.plan {
        let spec = look(program, arguments)?;
        return Ok(Picture::of(&spec, None, folding));
    }
    let stack = Stack::open(program, &arguments.run)?;
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let plan = plan::make(program, &arguments.run, mode, &Options::default(), &stack)?;
    Ok(Picture::of(&stack.spec, Some(&plan), folding))
}

fn written(format: GraphFormat, picture: &Picture) -> String {
    match format {
        GraphFormat::Dot => dot(picture),
        GraphFormat::Mermaid => mermaid(picture),
        GraphFormat::Json => format!("{:#}\n", json(picture)),
    }
}
