//! The `straddle` program: the command line with the kinds of AWS and of Kubernetes.

use std::process::ExitCode;

fn main() -> ExitCode {
    straddle_cli::main(straddle_kubernetes::with_kinds(straddle_aws::registry()))
}
