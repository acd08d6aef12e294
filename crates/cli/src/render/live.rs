//! Progress on a terminal: a live row for each operation that runs, lines for those that ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use straddle_engine::event::{Event, Observer, OperationLabel};

use crate::render::change::place;
use crate::render::lines::{doing, line, operation_key};
use crate::safe::Safe;
use crate::terminal::Terminal;

/// How often the elapsed time of a row moves on.
const TICK: Duration = Duration::from_millis(200);

/// Shows live rows at the bottom of the terminal that standard error is.
pub(crate) struct Rows {
    terminal: Arc<Terminal>,
    progress: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Rows {
    pub(crate) fn new(terminal: Arc<Terminal>) -> Self {
        let progress = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        terminal.stderr.set_rows(Some(progress.clone()));
        Self { terminal, progress, running: Mutex::default() }
    }

    fn start(&self, key: String, text: &str) {
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}")
            .expect("the template is well formed");
        let bar = ProgressBar::new_spinner().with_style(style);
        let bar = self.progress.add(bar).with_prefix(text.to_owned());
        bar.enable_steady_tick(TICK);
        self.with_running(|running| running.insert(key, bar));
    }

    fn describe(&self, operation: &OperationLabel, message: String) {
        self.with_running(|running| {
            if let Some(bar) = running.get(&operation_key(operation)) {
                bar.set_message(message);
            }
        });
    }

    fn end(&self, key: &str) {
        if let Some(bar) = self.with_running(|running| running.remove(key)) {
            bar.finish_and_clear();
            self.progress.remove(&bar);
        }
    }

    fn with_running<T>(&self, act: impl FnOnce(&mut BTreeMap<String, ProgressBar>) -> T) -> T {
        act(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn start_operation(&self, operation: &OperationLabel) {
        let OperationLabel { address, verb, account, region } = operation;
        let place = place(address, account, region, &self.terminal.stderr.palette);
        self.start(operation_key(operation), &format!("{place}: {}", doing(*verb)));
    }
}

const READING: &str = "reading";
const CHECKING: &str = "checking";

impl Observer for Rows {
    fn notify(&self, event: &Event) {
        match event {
            Event::OperationStarted { operation } => return self.start_operation(operation),
            Event::Call { operation, call } => return self.describe(operation, Safe(call).to_string()),
            Event::Identified { operation, remote_id } => {
                return self.describe(operation, Safe(remote_id).to_string());
            }
            Event::Waiting { operation, reason, .. } => {
                return self.describe(operation, Safe(reason).to_string());
            }
            Event::Refreshing { resources } => {
                return self.start(READING.to_owned(), &format!("Reading {resources} resources"));
            }
            Event::Checking { checks } => {
                return self.start(CHECKING.to_owned(), &format!("Checking {checks} things beforehand"));
            }
            Event::Refreshed { .. } => self.end(READING),
            Event::Checked { remaining: 0, .. } => self.end(CHECKING),
            Event::OperationFinished { operation, .. } | Event::OperationFailed { operation, .. } => {
                self.end(&operation_key(operation));
            }
            Event::Connecting { .. }
            | Event::WaitingForLock { .. }
            | Event::NotVisibleYet { .. }
            | Event::Checked { .. }
            | Event::Resolving { .. }
            | Event::Blocked { .. }
            | Event::OperationSkipped { .. }
            | Event::Interrupted { .. } => {}
        }
        if let Some(line) = line(event, &self.terminal.stderr.palette) {
            self.terminal.stderr.line(&line);
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        let bars = self.with_running(std::mem::take);
        bars.values().for_each(ProgressBar::finish_and_clear);
        self.terminal.stderr.set_rows(None);
    }
}
