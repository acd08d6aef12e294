//! Signals: the first asks a run to stop after what is running, the second to stop waiting.

use std::sync::Arc;

use straddle_engine::run::{Interrupt, InterruptLevel};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::render::paint;
use crate::terminal::{Output, Terminal};

const GRACEFUL: &str = "\
Stopping: nothing new is started, and what is running may finish. Interrupt once more to stop waiting for it.";
const FAST: &str = "\
Not waiting any longer. Everything that was made is recorded; the next apply goes on from there.";

/// The signals that ask a program to stop.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes over the signals of the process.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal.
    pub(crate) async fn next(&mut self) -> SignalSort {
        tokio::select! {
            _ = self.interrupt.recv() => SignalSort::Stop,
            _ = self.terminate.recv() => SignalSort::Stop,
            _ = self.hangup.recv() => SignalSort::Hangup,
        }
    }

    /// Passes signals on to a run, for ever, and tells the user what they do.
    pub(crate) async fn pass_on(mut self, interrupt: Interrupt, terminal: Arc<Terminal>) {
        loop {
            let sort = self.next().await;
            request(&interrupt, sort, &terminal.stderr);
        }
    }
}

/// What a signal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalSort {
    /// Somebody wants the program to stop.
    Stop,
    /// The terminal is gone.
    Hangup,
}

/// Asks a run to stop. A lost terminal never makes a run that is stopping already stop faster.
fn request(interrupt: &Interrupt, sort: SignalSort, stderr: &Output) {
    let before = interrupt.level();
    if sort == SignalSort::Hangup && before != InterruptLevel::None {
        return;
    }
    interrupt.request();
    let message = match interrupt.level() {
        InterruptLevel::None => return,
        InterruptLevel::Graceful => GRACEFUL,
        InterruptLevel::Fast if before == InterruptLevel::Fast => return,
        InterruptLevel::Fast => FAST,
    };
    stderr.line(&format!("\n{}", paint(stderr.palette.warning, message)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::tests::Captured;

    #[test]
    fn the_second_signal_is_fast_and_a_hangup_never_is() {
        let (interrupt, captured) = (Interrupt::default(), Captured::default());
        let stderr = captured.output();
        request(&interrupt, SignalSort::Hangup, &stderr);
        assert_eq!(interrupt.level(), InterruptLevel::Graceful);
        request(&interrupt, SignalSort::Hangup, &stderr);
        assert_eq!(interrupt.level(), InterruptLevel::Graceful);
        request(&interrupt, SignalSort::Stop, &stderr);
        assert_eq!(interrupt.level(), InterruptLevel::Fast);
        request(&interrupt, SignalSort::Stop, &stderr);
        assert_eq!(captured.text(), format!("\n{GRACEFUL}\n\n{FAST}\n"));
    }
}
