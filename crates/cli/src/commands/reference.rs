//! `straddle reference`: every kind as Markdown.

use std::fs;
use std::path::Path;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::schema::KindSchema;

use crate::arguments::ReferenceArguments;
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render;

/// Prints the reference, or writes it into a folder.
pub(crate) fn run(program: &Program, arguments: &ReferenceArguments) -> Result<Exit, Failure> {
    let schemas: Vec<_> = program.registry.kinds().map(|kind| kind.schema()).collect();
    let stdout = &program.terminal.stdout;
    match (&arguments.directory, &arguments.kind) {
        (Some(directory), _) => write_pages(directory, &schemas)?,
        (None, Some(name)) => {
            let kind = program.registry.kind(name).ok_or_else(|| no_such_kind(name, &schemas))?;
            stdout.write(&render::reference(kind.schema()));
        }
        (None, None) => {
            let pages: Vec<_> = schemas.iter().map(|schema| render::reference(schema)).collect();
            stdout.write(&pages.join("\n"));
        }
    }
    Ok(Exit::Success)
}

fn write_pages(directory: &Path, schemas: &[&KindSchema]) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::file("make", directory, &error))?;
    for schema in schemas {
        let path = directory.join(format!("{}.md", schema.kind));
        let page = render::reference(schema);
        fs::write(&path, page).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(())
}

fn no_such_kind(name: &str, schemas: &[&KindSchema]) -> Failure {
    let known: Vec<_> = schemas.iter().map(|schema| format!("`{}`", schema.kind)).collect();
    let problem = Diagnostic::error("unknown-kind", "there is no such kind")
        .with_detail(format!("`{name}` is no kind. There are {}.", known.join(", ")));
    Failure::error(problem)
}
