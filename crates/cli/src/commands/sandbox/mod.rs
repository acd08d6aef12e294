//! `straddle sandbox`: an organization of AWS accounts on this machine.

mod client_environment;
pub(crate) mod fault_file;
mod log;
pub(crate) mod start;

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use straddle_engine::diagnostic::Diagnostic;
use straddle_sandbox::{Remote, RemoteError, Status, StoreError, WorldFiles};

use crate::arguments::{
    SandboxCommand, SandboxEnvironmentArguments, SandboxOrderArguments, StateLocationArguments,
    WorldArguments,
};
use crate::commands::{Program, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render;
use crate::safe::Safe;
use crate::stack::directory_of;
use client_environment::ClientEnvironment;

/// The file of the world that commands mean if none is named.
const WORLD: &str = "sandbox.world";
/// How often it is looked whether a sandbox has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Does what a command says.
pub(crate) fn run(program: &Program, command: &SandboxCommand) -> Result<Exit, Failure> {
    match command {
        SandboxCommand::Start(arguments) => start::run(program, arguments),
        SandboxCommand::Stop(arguments) => stop(program, arguments),
        SandboxCommand::Status(arguments) => status(program, arguments),
        SandboxCommand::Reset(arguments) => reset(program, arguments),
        SandboxCommand::Log(arguments) => log::run(program, arguments),
        SandboxCommand::Env(arguments) => environment(program, arguments),
    }
}

/// Returns the files of the world that a command means.
fn files(arguments: &WorldArguments) -> Result<WorldFiles, Failure> {
    let file = if let Some(file) = &arguments.file {
        file.clone()
    } else {
        let location = StateLocationArguments { directory: arguments.directory.clone(), sandbox: false };
        directory_of(Path::new("."), &location)?.join(WORLD)
    };
    Ok(WorldFiles::new(file))
}

/// Finds the sandbox that serves a world. One that was killed has left its address behind: who
/// answers there has to be the one who left it.
async fn find(files: &WorldFiles) -> Result<(Remote, Status), Failure> {
    let holder = files.last_holder().map_err(store_failure)?.ok_or_else(|| not_running(files))?;
    let remote = Remote::at(&holder.endpoint).ok_or_else(|| not_running(files))?;
    let status = remote.status().await.map_err(|_| not_running(files))?;
    if status.process_id == holder.process_id { Ok((remote, status)) } else { Err(not_running(files)) }
}

fn stop(program: &Program, arguments: &SandboxOrderArguments) -> Result<Exit, Failure> {
    let files = files(&arguments.world)?;
    runtime()?.block_on(async {
        let (remote, _) = find(&files).await?;
        remote.stop().await.map_err(remote_failure)?;
        while files.is_in_use().map_err(store_failure)? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok::<_, Failure>(())
    })?;
    done(program, &format!("The sandbox has ended. Its world is kept in {}", Safe(files.world().display())));
    Ok(Exit::Success)
}

fn reset(program: &Program, arguments: &SandboxOrderArguments) -> Result<Exit, Failure> {
    let files = files(&arguments.world)?;
    if files.is_in_use().map_err(store_failure)? {
        runtime()?.block_on(async {
            let (remote, _) = find(&files).await?;
            remote.reset().await.map_err(remote_failure)
        })?;
        done(program, "The world is empty.");
    } else if files.remove().map_err(store_failure)? {
        done(program, "The world is removed. The next sandbox begins a new one.");
    } else {
        done(program, "There is no world.");
    }
    Ok(Exit::Success)
}

fn status(program: &Program, arguments: &SandboxOrderArguments) -> Result<Exit, Failure> {
    let files = files(&arguments.world)?;
    let (_, status) = runtime()?.block_on(find(&files))?;
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let object = serde_json::to_value(&status).expect("a status is made of texts and numbers");
        stdout.line(&format!("{object:#}"));
        return Ok(Exit::Success);
    }
    let Status { process_id, endpoint, since, time, speed, requests, .. } = &status;
    let world = status.world.as_deref().unwrap_or("in memory");
    stdout.line(&format!("Endpoint  {endpoint} (process {process_id}, since {since:.0})"));
    stdout.line(&format!("World     {}, at {time:.0}, speed {speed}", Safe(world)));
    for (index, (id, name)) in status.accounts.iter().enumerate() {
        let heading = if index == 0 { "Accounts" } else { "" };
        let manages = if *id == status.management { " (manages the organization)" } else { "" };
        stdout.line(&format!("{heading:<9} {id} {}{manages}", Safe(name)));
    }
    stdout.line(&format!("Requests  {requests}"));
    Ok(Exit::Success)
}

fn environment(program: &Program, arguments: &SandboxEnvironmentArguments) -> Result<Exit, Failure> {
    let files = files(&arguments.world)?;
    let (_, status) = runtime()?.block_on(find(&files))?;
    let account = arguments.account.as_deref();
    let environment = match account {
        None => ClientEnvironment::new(&status, None),
        Some(wanted) => {
            let found = status.accounts.iter().find(|(id, name)| id.as_str() == wanted || *name == wanted);
            let (id, _) = found.ok_or_else(|| no_account(wanted, &status))?;
            ClientEnvironment::new(&status, Some(id))
        }
    };
    environment.show(program);
    Ok(Exit::Success)
}

/// Says what was done, to a person or a program.
fn done(program: &Program, text: &str) {
    if program.is_json {
        program.terminal.stdout.line(&format!("{:#}", json!({ "done": true })));
    } else {
        program.terminal.stderr.line(text);
    }
}

fn no_account(wanted: &str, status: &Status) -> Failure {
    let known: Vec<_> = status.accounts.iter().map(|(id, name)| format!("{name} ({id})")).collect();
    let problem = Diagnostic::error("no-account", "the sandbox has no such account")
        .with_detail(format!("There is no account `{wanted}`. There is {}.", known.join(", ")))
        .with_hint("Make it with `straddle sandbox start --account NAME=ID`.");
    Failure::error(problem)
}

fn not_running(files: &WorldFiles) -> Failure {
    let problem = Diagnostic::error("no-sandbox", "no sandbox serves this world")
        .with_detail(format!("Nobody serves {}.", files.world().display()))
        .with_hint("Start one with `straddle sandbox start`, or name another world with --state.");
    Failure::error(problem)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn remote_failure(error: RemoteError) -> Failure {
    Failure::error(Diagnostic::error("sandbox", "the sandbox did not do it").with_detail(format!("{error}.")))
}

/// Says why a world cannot be used, and what to do.
pub(crate) fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::Busy { path, holder } => {
            let problem = Diagnostic::error("sandbox-in-use", "another sandbox serves this world")
                .with_detail(format!("{} is in use by {holder}.", path.display()))
                .with_hint("Stop it with `straddle sandbox stop`, or name another world with --state.");
            Failure::new(Exit::Locked, problem)
        }
        StoreError::Damaged { path, problem } => {
            let problem = Diagnostic::error("sandbox-damaged", "the world of the sandbox is not usable")
                .with_detail(format!("{}: {problem}.", path.display()))
                .with_hint(
                    "Begin a new one with `straddle sandbox reset`, or name another one with --state.",
                );
            Failure::error(problem)
        }
        StoreError::File(error) => Failure::error(render::state_diagnostic(&error)),
    }
}
