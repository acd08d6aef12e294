//! Errors of runs as diagnostics: what happened, why, and what to do.

use straddle_engine::address::AccountName;
use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Sources};
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::run::RunError;
use straddle_engine::state::StateError;

use crate::exit::Exit;
use crate::failure::Failure;

/// Turns what ended a run into the failure of the command.
pub(crate) fn run_failure(error: RunError, sources: &Sources) -> Failure {
    let exit = match &error {
        RunError::State(StateError::Locked { .. }) => Exit::Locked,
        RunError::Interrupted => Exit::Interrupted,
        RunError::Unrecorded(_) => Exit::Incomplete,
        RunError::Diagnostics(_)
        | RunError::State(_)
        | RunError::Connect { .. }
        | RunError::Read { .. }
        | RunError::Stale { .. }
        | RunError::Declined => Exit::Error,
    };
    Failure { exit, sources: sources.clone(), diagnostics: run_diagnostics(error) }
}

fn run_diagnostics(error: RunError) -> Diagnostics {
    match error {
        RunError::Diagnostics(diagnostics) => diagnostics,
        RunError::State(error) => state_diagnostic(&error).into(),
        RunError::Unrecorded(error) => Diagnostic::error("unrecorded", "the run stopped since it cannot record any more")
            .with_detail(format!("{} What was done until then is in the journal.", sentence(&with_cause(&error))))
            .with_hint(
                "Make room, or put the state's folder right, and run the same command again with the same folder: \
                 it goes on where this run stopped.",
            )
            .into(),
        RunError::Connect { account, source } => {
            let problem = Diagnostic::error("connect", "failed to connect to an account");
            with_provider_error(problem, &account, &source).into()
        }
        RunError::Read { what, account, source } => {
            let summary = format!("failed to read what exists of the kind `{what}`");
            with_provider_error(Diagnostic::error("read", summary), &account, &source).into()
        }
        RunError::Stale { reason } => Diagnostic::error("stale-plan", "the saved plan is stale")
            .with_detail(format!("{} Nothing was changed.", sentence(&reason)))
            .with_hint("Make a new one with `straddle plan --out` and look at it.")
            .into(),
        RunError::Declined => Diagnostic::error("not-approved", "the plan was not approved")
            .with_detail("Nothing was changed.")
            .into(),
        RunError::Interrupted => {
            Diagnostic::error("interrupted", "interrupted before anything was changed").into()
        }
    }
}

/// Returns an error with what caused it.
fn with_cause(error: &StateError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

pub(crate) fn state_diagnostic(error: &StateError) -> Diagnostic {
    match error {
        StateError::Locked { location, holder } => Diagnostic::error(
            "state-locked",
            "the state is locked by another run",
        )
        .with_detail(format!("{location} is in use by {holder}."))
        .with_hint(
            "Wait until that run has ended, or let this one wait with --lock-timeout 10m. The lock goes away with its process, also when it is killed.",
        ),
        StateError::Io { action, path, source } => Diagnostic::error(
            "state-file",
            "the state cannot be read or written",
        )
        .with_detail(format!("Failed to {action} {}: {source}.", path.display()))
        .with_hint(
            "Check that the folder exists, has space left and belongs to you; --state-dir names another one.",
        ),
        StateError::Corrupt { path, problem, remedy } => {
            Diagnostic::error("state-corrupt", "the state is not usable")
                .with_detail(format!("{}: {}", path.display(), sentence(problem)))
                .with_hint(remedy.clone())
        }
        StateError::Refused { location, problem } => {
            Diagnostic::error("state-refused", "what was to be recorded would spoil the state")
                .with_detail(format!("{location} was left as it is: {}", sentence(problem)))
                .with_hint("This is a mistake of the program. Report it with the files of the state.")
        }
        StateError::Fenced { location, expected, found } => {
            Diagnostic::error("state-fenced", "another run has replaced the state")
                .with_detail(format!(
                    "{location} has the serial {found}, and this run started from {expected}."
                ))
                .with_hint("Run `straddle plan` to see where things stand now.")
        }
    }
}

fn with_provider_error(problem: Diagnostic, account: &AccountName, error: &ProviderError) -> Diagnostic {
    let code = if error.code.is_empty() { String::new() } else { format!(" with {}", error.code) };
    let mut detail = format!(
        "The call {} in the account `{account}` failed{code}: {}",
        error.operation,
        sentence(&error.message)
    );
    if let Some(request_id) = &error.request_id {
        detail.push_str(&format!("\nRequest id: {request_id}"));
    }
    problem.with_detail(detail).with_hint(remedy(error, account))
}

fn remedy(error: &ProviderError, account: &AccountName) -> String {
    match error.class {
        ErrorClass::Throttled => {
            "The service takes no more calls for now. Try again in a few minutes.".to_owned()
        }
        ErrorClass::AccessDenied => format!(
            "Allow the role or user of the account `{account}` to call {}, or name other credentials in [account.{account}].",
            error.operation
        ),
        ErrorClass::Expired => {
            format!(
                "Renew the credentials of the account `{account}` (sign in again) and run the command once more."
            )
        }
        ErrorClass::Busy => "The service is busy with another change. Try again in a few minutes.".to_owned(),
        ErrorClass::Ambiguous => {
            "Check the network and the endpoint, then run the command once more: nothing is done twice."
                .to_owned()
        }
        ErrorClass::Unreachable => {
            "Check the network, and whether the endpoint is open to this machine. What is in a cluster that will never \
             answer again is let go of by `straddle destroy --forget-unreachable-clusters`."
                .to_owned()
        }
        ErrorClass::NotFound
        | ErrorClass::Propagation
        | ErrorClass::Dependency
        | ErrorClass::AlreadyExists
        | ErrorClass::Rejected => {
            format!("Check the block [account.{account}] and the credentials that it names.")
        }
    }
}

/// Ends a text with a full stop, unless it ends a sentence already.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::render::{Palette, diagnostics};

    fn check(error: RunError, exit: Exit, expected: impl snapbox::IntoData) {
        let failure = run_failure(error, &Sources::default());
        assert_eq!(failure.exit, exit);
        let text = diagnostics(&failure.sources, &failure.diagnostics, &Palette::plain(), 100);
        assert_data_eq!(text, expected.into_data().raw());
    }

    #[test]
    fn a_refused_call_names_operation_code_request_and_account() {
        let source = ProviderError {
            code: "AccessDenied".to_owned(),
            request_id: Some("0000-1111".to_owned()),
            ..ProviderError::new(ErrorClass::AccessDenied, "AssumeRole", "User may not assume the role")
        };
        let error = RunError::Connect { account: AccountName::new("apps"), source: Box::new(source) };
        check(
            error,
            Exit::Error,
            str![[r"
error[connect]: failed to connect to an account
 |
 = note: The call AssumeRole in the account `apps` failed with AccessDenied: User may not
         assume the role.
         Request id: 0000-1111
 = help: Allow the role or user of the account `apps` to call AssumeRole, or name other
         credentials in [account.apps].


"]],
        );
    }

    #[test]
    fn a_locked_state_has_its_own_exit_code() {
        let error = StateError::Locked {
            location: "state/shop.json".to_owned(),
            holder: "`straddle apply`, process 7 on build-1, since 2026-01-01T00:00:00Z".to_owned(),
        };
        check(
            RunError::State(error),
            Exit::Locked,
            str![[r"
error[state-locked]: the state is locked by another run
 |
 = note: state/shop.json is in use by `straddle apply`, process 7 on build-1, since
         2026-01-01T00:00:00Z.
 = help: Wait until that run has ended, or let this one wait with --lock-timeout 10m. The
         lock goes away with its process, also when it is killed.


"]],
        );
    }

    #[test]
    fn a_broken_state_shows_its_remedy() {
        let error = StateError::Corrupt {
            path: "state/shop.json".into(),
            problem: "line 3 has another checksum".to_owned(),
            remedy: "Put back the copy shop.json.backup.".to_owned(),
        };
        check(
            RunError::State(error),
            Exit::Error,
            str![[r"
error[state-corrupt]: the state is not usable
 |
 = note: state/shop.json: line 3 has another checksum.
 = help: Put back the copy shop.json.backup.


"]],
        );
    }

    #[test]
    fn an_interrupt_has_its_own_exit_code() {
        assert_eq!(run_failure(RunError::Interrupted, &Sources::default()).exit, Exit::Interrupted);
    }
}
