//! `straddle man`: the manual, a page for each command.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use straddle_engine::diagnostic::Diagnostic;

use crate::arguments::{Arguments, ManArguments};
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the page of a command, or writes all of them into a folder.
pub(crate) fn run(program: &Program, arguments: &ManArguments) -> Result<Exit, Failure> {
    let mut root = Arguments::command();
    root.build();
    if let Some(directory) = &arguments.directory {
        write_pages(directory, &root)?;
    } else {
        let command = find(&root, &arguments.command)?;
        program.terminal.stdout.write(&page(command));
    }
    Ok(Exit::Success)
}

fn find<'a>(root: &'a Command, words: &[String]) -> Result<&'a Command, Failure> {
    words.iter().try_fold(root, |command, word| command.find_subcommand(word)).ok_or_else(|| {
        let problem = Diagnostic::error("unknown-command", "there is no such command")
            .with_detail(format!("`straddle {}` is no command.", words.join(" ")))
            .with_hint("`straddle --help` lists the commands.");
        Failure::error(problem)
    })
}

fn write_pages(directory: &Path, command: &Command) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::file("make", directory, &error))?;
    let path = directory.join(Man::new(command.clone()).get_filename());
    fs::write(&path, page(command)).map_err(|error| Failure::file("write", &path, &error))?;
    let shown = |command: &&Command| !command.is_hide_set();
    command.get_subcommands().filter(shown).try_for_each(|command| write_pages(directory, command))
}

fn page(command: &Command) -> String {
    let mut page = Vec::new();
    let man =
        Man::new(command.clone()).manual("straddle").source(concat!("straddle ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page).expect("memory takes everything");
    String::from_utf8(page).expect("a page is made of text")
}
