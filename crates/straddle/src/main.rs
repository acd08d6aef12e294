//! The `straddle` program: the command line with the kinds of AWS.

use std::process::ExitCode;

fn main() -> ExitCode {
    straddle_cli::main(straddle_aws::registry())
}
