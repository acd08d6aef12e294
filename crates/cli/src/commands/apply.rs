//! `straddle apply`: the plan, shown, approved and carried out.

use straddle_engine::plan::{Mode, Options};

use crate::arguments::ApplyArguments;
use crate::commands::Program;
use crate::commands::carry_out::{Order, carry_out};
use crate::commands::preflight::with_checks;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::saved_plan;

/// Carries out what the spec says, or a saved plan.
pub(crate) fn run(program: &Program, arguments: &ApplyArguments) -> Result<Exit, Failure> {
    let order = match &arguments.plan {
        Some(path) => Order::Saved(Box::new(saved_plan::read(path)?)),
        None if arguments.recording.refresh_only => {
            Order::Make(Mode::Refresh, arguments.carry_out.run.allowing(Options::default()))
        }
        None => {
            let from_state = !arguments.recording.refresh;
            let options = Options { from_state, ..arguments.replacement.options() };
            Order::Make(Mode::Apply, arguments.carry_out.run.allowing(options))
        }
    };
    let program = with_checks(program, &arguments.checks)?;
    carry_out(&program, &arguments.carry_out, &order)
}
