//! The two streams of the program: whether they are terminals, their colours and width, and the
//! one place that writes to them.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;

use crate::render::Palette;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere only if `CLICOLOR_FORCE` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output, for data, and standard error, for everything else.
pub(crate) struct Terminal {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// Whether somebody can answer a question.
    pub(crate) can_ask: bool,
}

impl Terminal {
    /// Looks at the streams of the process.
    pub(crate) fn of_process(choice: ColorChoice) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let stdout = Output::new(stdout.is_terminal(), choice, Box::new(stdout));
        let stderr = Output::new(stderr.is_terminal(), choice, Box::new(stderr));
        let can_ask = io::stdin().is_terminal() && stderr.is_terminal;
        Self { stdout, stderr, can_ask }
    }
}

/// A stream that text is written to. That nobody reads any more (`straddle plan | head -1`) is no error.
pub(crate) struct Output {
    sink: Mutex<Sink>,
    /// The colours that suit the stream.
    pub(crate) palette: Palette,
    /// Whether it is a terminal.
    pub(crate) is_terminal: bool,
    /// How many characters fit into a line.
    pub(crate) width: usize,
}

struct Sink {
    writer: Box<dyn Write + Send>,
    /// Live rows, which have to make room for other text.
    rows: Option<MultiProgress>,
    failure: Option<io::Error>,
}

impl Output {
    fn new(is_terminal: bool, choice: ColorChoice, writer: Box<dyn Write + Send>) -> Self {
        let colored = has_color(choice, is_terminal, |name| std::env::var(name).ok());
        Self {
            sink: Mutex::new(Sink { writer, rows: None, failure: None }),
            palette: if colored { Palette::colored() } else { Palette::plain() },
            is_terminal,
            width: width(is_terminal),
        }
    }

    /// Writes text as it is; foreign parts of it must have gone through [`crate::safe::Safe`].
    pub(crate) fn write(&self, text: &str) {
        let mut sink = self.sink();
        if sink.failure.is_some() {
            return;
        }
        let rows = sink.rows.clone();
        let write = |sink: &mut Sink| {
            sink.writer.write_all(text.as_bytes())?;
            sink.writer.flush()
        };
        let written = match rows {
            Some(rows) => rows.suspend(|| write(&mut sink)),
            None => write(&mut sink),
        };
        sink.failure = written.err();
    }

    /// Writes text and a line break.
    pub(crate) fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// Lets text appear above live rows from now on, or no longer.
    pub(crate) fn set_rows(&self, rows: Option<MultiProgress>) {
        self.sink().rows = rows;
    }

    /// Returns why something could not be written, unless nobody wanted to read it.
    pub(crate) fn failure(&self) -> Option<String> {
        let sink = self.sink();
        let failure = sink.failure.as_ref().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        failure.map(ToString::to_string)
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides about colours as no-color.org and bixense.com/clicolors say.
fn has_color(choice: ColorChoice, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_set("NO_COLOR") => false,
        ColorChoice::Auto if is_set("CLICOLOR_FORCE") => variable("CLICOLOR_FORCE").as_deref() != Some("0"),
        ColorChoice::Auto => is_terminal && variable("TERM").as_deref() != Some("dumb"),
    }
}

fn width(is_terminal: bool) -> usize {
    const ELSEWHERE: usize = 100;
    if !is_terminal {
        return ELSEWHERE;
    }
    terminal_size::terminal_size().map_or(ELSEWHERE, |(width, _)| usize::from(width.0).max(40))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    /// Collects what is written.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        /// Returns an output that is not a terminal.
        pub(crate) fn output(&self) -> Output {
            Output::new(false, ColorChoice::Never, Box::new(self.clone()))
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns a terminal that nobody sits at.
    pub(crate) fn captured(stdout: &Captured, stderr: &Captured) -> Terminal {
        Terminal { stdout: stdout.output(), stderr: stderr.output(), can_ask: false }
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(self.0))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_but_a_full_disk_is() {
        for (kind, failed) in [(io::ErrorKind::BrokenPipe, false), (io::ErrorKind::StorageFull, true)] {
            let output = Output::new(false, ColorChoice::Auto, Box::new(Broken(kind)));
            output.line("one");
            output.line("two");
            assert_eq!(output.failure().is_some(), failed);
        }
    }

    #[test]
    fn colours_follow_the_conventions() {
        let check = |choice, is_terminal, variables: &[(&str, &str)], expected| {
            let variable = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(has_color(choice, is_terminal, variable), expected, "{choice:?} {variables:?}");
        };
        check(ColorChoice::Auto, true, &[], true);
        check(ColorChoice::Auto, false, &[], false);
        check(ColorChoice::Auto, true, &[("NO_COLOR", "1")], false);
        check(ColorChoice::Auto, true, &[("NO_COLOR", "")], true);
        check(ColorChoice::Auto, true, &[("TERM", "dumb")], false);
        check(ColorChoice::Auto, false, &[("CLICOLOR_FORCE", "1")], true);
        check(ColorChoice::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false);
        check(ColorChoice::Never, true, &[("CLICOLOR_FORCE", "1")], false);
        check(ColorChoice::Always, false, &[("NO_COLOR", "1")], true);
    }
}
