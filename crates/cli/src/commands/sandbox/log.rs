//! `straddle sandbox log`: what was asked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use straddle_sandbox::LoggedRequest;

use super::files;
use crate::arguments::SandboxLogArguments;
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::paint;
use crate::safe::Safe;
use crate::terminal::Output;

/// How often it is looked for more.
const PAUSE: Duration = Duration::from_millis(200);

/// Shows the log of requests.
pub(super) fn run(program: &Program, arguments: &SandboxLogArguments) -> Result<Exit, Failure> {
    let path = files(&arguments.world)?.requests();
    let failure = |error: io::Error| Failure::file("read", &path, &error);
    let mut reader = LogReader::default();
    let stdout = &program.terminal.stdout;
    if !arguments.follow {
        reader.show(&path, stdout, program.is_json).map_err(failure)?;
        return Ok(Exit::Success);
    }
    runtime()?.block_on(async {
        let mut signals = signals()?;
        loop {
            reader.show(&path, stdout, program.is_json).map_err(failure)?;
            tokio::select! {
                _ = signals.next() => return Ok(Exit::Success),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    })
}

/// Reads a log that grows, and begins anew when it is large.
#[derive(Default)]
struct LogReader {
    open: Option<(u64, BufReader<File>)>,
    /// The begin of a line that is not there as a whole yet.
    line: Vec<u8>,
}

impl LogReader {
    fn show(&mut self, path: &Path, stdout: &Output, is_json: bool) -> io::Result<()> {
        loop {
            if self.open.is_none() {
                let file = match File::open(path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                    file => file?,
                };
                self.open = Some((file.metadata()?.ino(), BufReader::new(file)));
            }
            self.show_rest(stdout, is_json)?;
            let now = std::fs::metadata(path).ok().map(|metadata| metadata.ino());
            if self.open.as_ref().is_none_or(|(number, _)| Some(*number) == now || now.is_none()) {
                return Ok(());
            }
            self.open = None;
        }
    }

    fn show_rest(&mut self, stdout: &Output, is_json: bool) -> io::Result<()> {
        let Some((_, reader)) = &mut self.open else { return Ok(()) };
        while reader.read_until(b'\n', &mut self.line)? > 0 {
            if !self.line.ends_with(b"\n") {
                return Ok(());
            }
            // A line that is none of this version's is not worth ending for.
            if let Ok(request) = serde_json::from_slice::<LoggedRequest>(&self.line) {
                stdout.line(&if is_json { compact(&request) } else { readable(&request, stdout) });
            }
            self.line.clear();
        }
        Ok(())
    }
}

fn compact(request: &LoggedRequest) -> String {
    serde_json::to_string(request).expect("a request has a JSON form")
}

fn readable(request: &LoggedRequest, stdout: &Output) -> String {
    let LoggedRequest { account, service, operation, outcome, message, milliseconds, .. } = request;
    let time = request.time.strftime("%H:%M:%S%.3f");
    let parameters = serde_json::to_string(&request.parameters).expect("parameters have a JSON form");
    let is_fine = outcome == "ok" && request.fault.is_none();
    let style = if is_fine { stdout.palette.create } else { stdout.palette.delete };
    let fault = request.fault.as_ref().map(|fault| format!(" [{fault}]")).unwrap_or_default();
    let outcome = paint(style, Safe(format!("{outcome}{fault}")));
    let message = if message.is_empty() { String::new() } else { format!(" {message}") };
    let account = if account.is_empty() { "????????????" } else { account };
    format!(
        "{time} {} {outcome} {milliseconds:.1}ms {}",
        Safe(format!("{account} {service} {operation}")),
        Safe(format!("{parameters}{message}"))
    )
}
