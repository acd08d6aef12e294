//! Questions that only `yes` answers.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use straddle_engine::plan::{Mode, Plan};
use straddle_engine::run::{Interrupt, InterruptLevel};

use crate::render::{paint, plan_places};
use crate::safe::Safe;
use crate::terminal::Output;

/// How soon an interrupt ends the question.
const POLL: Duration = Duration::from_millis(50);

/// Asks whether a plan is to be carried out, until there is an answer or an interrupt.
pub(crate) fn approve(plan: &Plan, stderr: &Output, interrupt: &Interrupt) -> bool {
    let question = paint(stderr.palette.strong, question(plan));
    stderr.write(&format!("\n{question}\nOnly `yes` is taken as a yes: "));
    let (sender, answer) = mpsc::channel();
    // A read of the terminal cannot be interrupted, so that a thread waits for it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Nobody listens any more after an interrupt.
        let _ = sender.send(read.is_ok() && line.trim() == "yes");
    });
    while interrupt.level() == InterruptLevel::None {
        match answer.recv_timeout(POLL) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    false
}

fn question(plan: &Plan) -> String {
    let places = plan_places(plan).join(", ");
    match plan.mode {
        Mode::Apply => format!("Carry out these changes ({places})?"),
        Mode::Destroy => format!(
            "Delete {} of the stack {} ({places})? This cannot be undone.",
            resources(plan.changes.len()),
            Safe(&plan.stack)
        ),
        Mode::Refresh => "Record this in the state, as if it had been applied? No thing changes.".to_owned(),
    }
}

fn resources(count: usize) -> String {
    if count == 1 { "the last resource".to_owned() } else { format!("all {count} resources") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::network_plan;

    #[test]
    fn the_question_names_accounts_and_numbers() {
        let mut plan = network_plan();
        assert!(question(&plan).contains("network 111111111111 us-east-1: "), "{}", question(&plan));
        plan.mode = Mode::Destroy;
        let expected = format!("Delete all {} resources of the stack shop (", plan.changes.len());
        assert!(question(&plan).starts_with(&expected), "{}", question(&plan));
    }
}
