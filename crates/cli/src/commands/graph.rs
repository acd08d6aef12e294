//! `straddle graph`: what needs what.

use straddle_engine::plan::{Mode, Options};

use crate::arguments::{GraphArguments, GraphFormat};
use crate::commands::{Program, plan};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::graph::{Folding, Picture, dot, json, mermaid};
use crate::stack::{Stack, load_spec};

/// Draws a spec, or a plan.
pub(crate) fn run(program: &Program, arguments: &GraphArguments) -> Result<Exit, Failure> {
    let folding = if arguments.fold { Folding::Blocks } else { Folding::None };
    let picture = if arguments.plan {
        let stack = Stack::open(program, &arguments.run)?;
        let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
        let plan = plan::make(program, &arguments.run, mode, &Options::default(), &stack)?;
        Picture::of(&stack.spec, Some(&plan), folding)
    } else {
        let (spec, _) = load_spec(program, &arguments.run.spec.path, &arguments.run.spec.values)?;
        Picture::of(&spec, None, folding)
    };
    let text = match arguments.format {
        GraphFormat::Dot => dot(&picture),
        GraphFormat::Mermaid => mermaid(&picture),
        GraphFormat::Json => format!("{:#}\n", json(&picture)),
    };
    program.terminal.stdout.write(&text);
    Ok(Exit::Success)
}
