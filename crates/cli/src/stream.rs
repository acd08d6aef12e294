//! Progress for machines: one JSON object a line on standard output, and a heartbeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};
use straddle_engine::environment::Environment;
use straddle_engine::event::{Event, Observer};

use crate::render::json;
use crate::terminal::Terminal;

/// How often a run that is silent says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Writes a JSON object for each event.
pub(crate) struct JsonStream {
    terminal: Arc<Terminal>,
    environment: Arc<dyn Environment>,
    running: AtomicUsize,
}

impl JsonStream {
    pub(crate) fn new(terminal: Arc<Terminal>, environment: Arc<dyn Environment>) -> Self {
        Self { terminal, environment, running: AtomicUsize::new(0) }
    }

    /// Writes an object with the time of day in it.
    pub(crate) fn write(&self, mut object: Json) {
        if let Json::Object(entries) = &mut object {
            entries.insert("at".to_owned(), json!(self.environment.now().to_string()));
        }
        self.terminal.stdout.line(&object.to_string());
    }

    /// Says for ever, from time to time, that the run lives.
    pub(crate) async fn heartbeat(self: Arc<Self>) {
        let mut interval = tokio::time::interval(HEARTBEAT);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.write(json!({ "type": "heartbeat", "running": self.running.load(Ordering::Relaxed) }));
        }
    }
}

impl Observer for JsonStream {
    fn notify(&self, event: &Event) {
        match event {
            Event::OperationStarted { .. } => {
                self.running.fetch_add(1, Ordering::Relaxed);
            }
            Event::OperationFinished { .. } | Event::OperationFailed { .. } => {
                let one_less = |running: usize| running.checked_sub(1);
                let _ = self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
            }
            Event::Connecting { .. }
            | Event::Refreshing { .. }
            | Event::NotVisibleYet { .. }
            | Event::Refreshed { .. }
            | Event::Resolving { .. }
            | Event::Call { .. }
            | Event::Identified { .. }
            | Event::Waiting { .. }
            | Event::OperationSkipped { .. }
            | Event::Interrupted { .. } => {}
        }
        self.write(json::event(event));
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::environment::SystemEnvironment;

    use super::*;
    use crate::terminal::tests::{Captured, captured};

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_silent_says_every_ten_seconds_that_it_lives() {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let terminal = Arc::new(captured(&stdout, &stderr));
        let stream = Arc::new(JsonStream::new(terminal, Arc::new(SystemEnvironment)));
        let silence = tokio::time::timeout(Duration::from_secs(35), stream.heartbeat()).await;
        assert!(silence.is_err(), "it goes on for ever");
        let beats: Vec<Json> =
            stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(beats.len(), 3);
        assert!(beats.iter().all(|beat| beat["type"] == "heartbeat" && beat["running"] == 0));
    }
}
