//! Exit codes: what a script can tell from how a command ended.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Success,
    /// The arguments, the spec, the state or an account has a problem. Nothing was changed.
    Error,
    /// There are changes; only with `plan --detailed-exitcode`, and with `--check` of `fmt` and `charts`.
    Changes,
    /// An apply or destroy ended with failures, or with something left to do; a rehearsal, with a problem.
    Incomplete,
    /// Another run has the state locked.
    Locked,
    /// The user asked to stop.
    Interrupted,
}

impl Exit {
    /// Returns the number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Incomplete => 3,
            Self::Locked => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The part of `--help` that documents them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    success
  1    error in the arguments, the spec, the state or an account; nothing was changed
  2    there are changes (only with plan --detailed-exitcode, fmt --check and charts --check)
  3    apply or destroy ended with failures, or with something left to do; rehearse found a problem
  4    the state is locked by another run
  130  interrupted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_once() {
        let documented: Vec<u8> = HELP
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().next().expect("a line has a code").parse().expect("a number"))
            .collect();
        let codes =
            [Exit::Success, Exit::Error, Exit::Changes, Exit::Incomplete, Exit::Locked, Exit::Interrupted]
                .map(Exit::code);
        assert_eq!(documented, codes);
    }
}
