//! The command line with the kinds of the test kit, on the cloud in the JSON file that the
//! environment variable `STRADDLE_CLOUD` names. For tests of the whole program without AWS.

use std::process::ExitCode;

use straddle_testkit::client::CloudProvider;
use straddle_testkit::{cloud_file, kinds};

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "a program may read its environment")]
    let path = std::env::var_os("STRADDLE_CLOUD").expect("STRADDLE_CLOUD names the file of the cloud");
    let network = cloud_file::open(path).expect("the file of the cloud can be read");
    straddle_cli::main(kinds::registry(CloudProvider::new(network)))
}
