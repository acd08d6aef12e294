//! `straddle destroy`: everything that the stack made goes away.

use straddle_engine::plan::{Mode, Options, needed_by_others};

use crate::arguments::DestroyArguments;
use crate::commands::Program;
use crate::commands::carry_out::{Order, carry_out_on, check_that_somebody_can_approve};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stack::Stack;

/// Deletes every resource of the stack.
pub(crate) fn run(program: &Program, arguments: &DestroyArguments) -> Result<Exit, Failure> {
    let options = arguments.carry_out.run.allowing(arguments.selection.options());
    let options = Options {
        delete_made_by_others: arguments.force_load_balancers,
        forget_unreachable: arguments.forget_unreachable_clusters,
        ..options
    };
    let order = Order::Make(Mode::Destroy, options);
    check_that_somebody_can_approve(program, &arguments.carry_out, &order)?;
    let run = &arguments.carry_out.run;
    // To bring something back, its chart is needed.
    let stack = if arguments.repair { Stack::open(program, run) } else { Stack::open_to_end(program, run) }?;
    if arguments.repair {
        let exit = repair(&stack, program, arguments)?;
        if exit != Exit::Success {
            return Ok(exit);
        }
    }
    carry_out_on(&stack, program, &arguments.carry_out, &order)
}

/// Brings back what others need who have to take away what they made.
fn repair(stack: &Stack, program: &Program, arguments: &DestroyArguments) -> Result<Exit, Failure> {
    let state = program.state(&stack.backend)?;
    let target = state.map(|state| needed_by_others(&state, &stack.spec)).unwrap_or_default();
    if target.is_empty() {
        program.terminal.stderr.line("Nothing here was made by a controller: there is nothing to repair.");
        return Ok(Exit::Success);
    }
    let options = Options { target, ..arguments.carry_out.run.allowing(Options::default()) };
    carry_out_on(stack, program, &arguments.carry_out, &Order::Make(Mode::Apply, options))
}
