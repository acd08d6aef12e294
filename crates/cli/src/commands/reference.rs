//! `straddle reference`: every kind, and the functions of expressions, as Markdown.

use std::fs;
use std::path::Path;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::schema::KindSchema;
use straddle_engine::spec::function_groups;

use crate::arguments::ReferenceArguments;
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render;

/// The page of the functions; no kind has this name.
const FUNCTIONS: &str = "functions";

/// Prints the reference, or writes it into a folder.
pub(crate) fn run(program: &Program, arguments: &ReferenceArguments) -> Result<Exit, Failure> {
    let schemas: Vec<_> = program.registry.schemas().collect();
    let stdout = &program.terminal.stdout;
    match (&arguments.directory, &arguments.kind) {
        (Some(directory), _) => write_pages(directory, &schemas)?,
        (None, Some(name)) if name == FUNCTIONS => stdout.write(&render::functions(function_groups())),
        (None, Some(name)) => {
            let schema = schemas.iter().find(|schema| schema.kind.as_str() == name);
            let schema = schema.ok_or_else(|| no_such_kind(name, &schemas))?;
            stdout.write(&render::reference(schema));
        }
        (None, None) => {
            let mut pages: Vec<_> = schemas.iter().map(|schema| render::reference(schema)).collect();
            pages.push(render::functions(function_groups()));
            stdout.write(&pages.join("\n"));
        }
    }
    Ok(Exit::Success)
}

fn write_pages(directory: &Path, schemas: &[&KindSchema]) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::file("make", directory, &error))?;
    let write = |name: &str, page: String| {
        let path = directory.join(format!("{name}.md"));
        fs::write(&path, page).map_err(|error| Failure::file("write", &path, &error))
    };
    for schema in schemas {
        write(schema.kind.as_str(), render::reference(schema))?;
    }
    write(FUNCTIONS, render::functions(function_groups()))
}

fn no_such_kind(name: &str, schemas: &[&KindSchema]) -> Failure {
    let known: Vec<_> = schemas.iter().map(|schema| format!("`{}`", schema.kind)).collect();
    let problem = Diagnostic::error("unknown-kind", "there is no such kind")
        .with_detail(format!("`{name}` is no kind. There are {}.", known.join(", ")));
    Failure::error(problem)
}
