//! `straddle iam-policy`: what has to be allowed in an account, and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::permission::{Breadth, Grant, LONGEST, documents};
use straddle_engine::provider::Account;
use straddle_engine::run::{Interrupt, Settings};

use crate::arguments::IamPolicyArguments;
use crate::commands::{Program, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render;
use crate::safe::Safe;
use crate::stack::Stack;

/// Prints the policies of one account or of all, or writes those of one to files. Only the spec and
/// the state are read.
pub(crate) fn run(program: &Program, arguments: &IamPolicyArguments) -> Result<Exit, Failure> {
    let stack = Stack::look(program, &arguments.spec, &arguments.state)?;
    let accounts = &stack.spec.accounts;
    let of_account = match &arguments.account {
        Some(name) => Some(accounts.get(name.as_str()).ok_or_else(|| no_such_account(name, &stack))?),
        None => None,
    };
    let grants = grants(program, arguments, &stack)?;
    let provider = program.registry.provider();
    let Some(account) = of_account else {
        let all = accounts
            .values()
            .map(|account| (account.name.to_string(), Json::Array(documents(&grants, account, provider))));
        let all: Map<_, _> = all.collect();
        program.terminal.stdout.line(&format!("{:#}", Json::Object(all)));
        return Ok(Exit::Success);
    };
    let documents = documents(&grants, account, provider);
    announce(program, account, &documents);
    match &arguments.out {
        Some(path) => write(path, &documents)?,
        None => program.terminal.stdout.line(&format!("{:#}", one_or_all(documents))),
    }
    Ok(Exit::Success)
}

fn grants(program: &Program, arguments: &IamPolicyArguments, stack: &Stack) -> Result<Vec<Grant>, Failure> {
    let engine = program.engine(&stack.backend, &Progress::Silent, Settings::default(), Interrupt::default());
    let breadth = if arguments.any_change { Breadth::AnyChange } else { Breadth::ThisPlan };
    let runtime = runtime()?;
    let mut grants = Vec::new();
    for phase in &arguments.phases {
        let of_phase = runtime.block_on(engine.grants(&stack.spec, (*phase).into(), breadth));
        grants.extend(of_phase.map_err(|error| render::run_failure(error, &stack.spec.sources))?);
    }
    Ok(grants)
}

/// Says what is not plain from the policy itself.
fn announce(program: &Program, account: &Account, documents: &[Json]) {
    let stderr = &program.terminal.stderr;
    let name = Safe(&account.name);
    if documents.is_empty() {
        stderr.line(&format!("Nothing has to be allowed in the account {name}."));
    }
    if documents.len() > 1 {
        stderr.line(&format!(
            "The policy is longer than the {LONGEST} characters that IAM takes: these are {} policies, to be \
             attached together.",
            documents.len()
        ));
    }
}

/// A policy, or a list of several.
fn one_or_all(mut documents: Vec<Json>) -> Json {
    match documents.len() {
        0 => json!({ "Version": "2012-10-17", "Statement": [] }),
        1 => documents.remove(0),
        _ => Json::Array(documents),
    }
}

fn write(path: &Path, documents: &[Json]) -> Result<(), Failure> {
    for (number, document) in (1..).zip(documents) {
        let path = if documents.len() == 1 { path.to_owned() } else { numbered(path, number) };
        fs::write(&path, format!("{document:#}\n")).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(())
}

/// Puts a number behind the stem of a file's name.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().map(OsString::from).unwrap_or_default();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn no_such_account(name: &str, stack: &Stack) -> Failure {
    let known: Vec<_> = stack.spec.accounts.keys().map(|name| format!("`{name}`")).collect();
    let problem = Diagnostic::error("no-account", "the spec has no such account")
        .with_detail(format!("There is no account `{name}`. The spec has {}.", known.join(", ")));
    Failure::error(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_several_policies_have_numbers() {
        assert_eq!(numbered(Path::new("a/apps.json"), 2), Path::new("a/apps-2.json"));
        assert_eq!(numbered(Path::new("apps"), 1), Path::new("apps-1"));
    }
}
