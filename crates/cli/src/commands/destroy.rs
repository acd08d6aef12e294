//! `straddle destroy`: everything that the stack made goes away.

use straddle_engine::plan::{Mode, Options};

use crate::arguments::DestroyArguments;
use crate::commands::Program;
use crate::commands::carry_out::{Order, carry_out};
use crate::exit::Exit;
use crate::failure::Failure;

/// Deletes every resource of the stack.
pub(crate) fn run(program: &Program, arguments: &DestroyArguments) -> Result<Exit, Failure> {
    let options = arguments.carry_out.run.allowing(arguments.selection.options());
    let options = Options { delete_made_by_others: arguments.force_load_balancers, ..options };
    carry_out(program, &arguments.carry_out, &Order::Make(Mode::Destroy, options))
}
