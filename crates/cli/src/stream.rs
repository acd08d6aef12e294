//! Progress for machines: one JSON object a line on standard output, and a heartbeat.
//!
//! The format is described in `crates/cli/EVENTS.md`.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use straddle_engine::environment::Environment;
use straddle_engine::event::{Event, Observer};

use crate::render::json;
use crate::running::{HEARTBEAT, Running};
use crate::terminal::Terminal;

/// The version of the format. A new type of line or a new member is no new version; that
/// something goes or means something else is.
pub(crate) const VERSION: u32 = 1;

/// Writes a JSON object for each event.
pub(crate) struct JsonStream {
    terminal: Arc<Terminal>,
    environment: Arc<dyn Environment>,
    running: Running,
}

impl JsonStream {
    pub(crate) fn new(terminal: Arc<Terminal>, environment: Arc<dyn Environment>) -> Self {
        Self { terminal, environment, running: Running::default() }
    }

    /// Writes the first line, which says what the others are.
    pub(crate) fn open(&self) {
        self.write(json!({
            "type": "stream",
            "format": "straddle-events",
            "program": env!("CARGO_PKG_VERSION"),
            "heartbeat_seconds": HEARTBEAT.as_secs(),
        }));
    }

    /// Writes an object with the version of the format and the time of day in it.
    pub(crate) fn write(&self, mut object: Json) {
        if let Json::Object(entries) = &mut object {
            entries.insert("version".to_owned(), json!(VERSION));
            entries.insert("at".to_owned(), json!(self.environment.now().to_string()));
        }
        self.terminal.stdout.line(&object.to_string());
    }

    /// Says for ever, from time to time, that the run lives, and what it is busy with.
    pub(crate) async fn heartbeat(self: Arc<Self>) {
        let mut interval = tokio::time::interval(HEARTBEAT);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.write(json::heartbeat(&self.running.snapshot()));
        }
    }
}

impl Observer for JsonStream {
    fn notify(&self, event: &Event) {
        self.running.note(event);
        self.write(json::event(event));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use straddle_engine::environment::SystemEnvironment;

    use super::*;
    use crate::running::tests::operation;
    use crate::terminal::tests::{Captured, captured};

    /// Returns what is written while nothing happens for 35 seconds.
    async fn beats_after(events: &[Event]) -> Vec<Json> {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let terminal = Arc::new(captured(&stdout, &stderr));
        let stream = Arc::new(JsonStream::new(terminal, Arc::new(SystemEnvironment)));
        for event in events {
            stream.notify(event);
        }
        let silence = tokio::time::timeout(Duration::from_secs(35), stream.heartbeat()).await;
        assert!(silence.is_err(), "it goes on for ever");
        let lines = stdout.text();
        lines.lines().skip(events.len()).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_silent_says_every_ten_seconds_that_it_lives() {
        let beats = beats_after(&[]).await;
        assert_eq!(beats.len(), 3);
        for beat in beats {
            assert_eq!(beat["type"], "heartbeat");
            assert_eq!(beat["version"], VERSION);
            assert_eq!((&beat["stage"], &beat["operations"]), (&Json::Null, &json!([])));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_names_what_goes_on_how_long_it_takes_and_what_it_waits_for() {
        let beats = beats_after(&[
            Event::OperationStarted { operation: operation() },
            Event::Call { operation: operation(), call: "CreateNatGateway".to_owned() },
        ])
        .await;
        let seconds: Vec<_> = beats.iter().map(|beat| &beat["operations"][0]["elapsed_seconds"]).collect();
        assert_eq!(seconds, [10.0, 20.0, 30.0]);
        assert_eq!(
            beats[0]["operations"][0],
            json!({
                "address": "nat_gateway.main",
                "verb": "create",
                "account": "network",
                "region": "us-east-1",
                "elapsed_seconds": 10.0,
                "waits_for": "the answer to CreateNatGateway",
            })
        );
    }
}
