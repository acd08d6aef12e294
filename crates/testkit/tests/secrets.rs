//! One secret goes through everything that a spec can do with it, and no command ever shows it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use data_encoding::{BASE64, BASE64_NOPAD};
use straddle_testkit::cloud_file::CloudFile;
use straddle_testkit::fault::{Fault, Faults};
use tempfile::TempDir;

/// Has what JSON, TOML, addresses and terminals write in another way.
const SECRET: &str = "Käse \"swordfish\" /+ hunter2";
/// What of it is a part of every form, and a secret number; nothing that is random has these in it.
const CORE: [&str; 3] = ["hunter2", "swordfish", "98765432109"];

const STACK: &str = r#"
[stack]
name = "shop"

[account.a]
id = "111111111111"
region = "here"

[defaults]
account = "a"

[var.password]
type = "string"
sensitive = true

[var.range]
default = "10.0.0.0/16"

[local]
greeting = "Hello ${var.password}"
settings = { user = "app", password = "${var.password}" }

[use.vault]
source = "./vault"
inputs = { password = "${local.settings.password}", name = "${local.settings.user}" }

[network.main]
range = "${var.range}"
tags = { Name = "main", Motto = "${local.greeting}" }

[host.main]
for_each = { one = { label = "${var.password}", size = 2 } }
image = "base"
size = "${each.value.size}"
segments = ["${segment.main.id}"]
labels = { plain = "visible", secret = "${each.value.label}" }

[segment.main]
network = "${network.main.id}"
range = "10.0.0.0/24"

[document.main]
name = "main"
body = { list = ["${base64encode(var.password)}"], text = "${templatefile('motd.tmpl', { it = var.password })}" }
secret = "${var.password}"
remark = "${use.vault.remark}"

[output.password]
value = "${var.password}"
sensitive = true

[output.locator]
value = "${document.main.locator}"

[output.length]
value = "${nonsensitive(length(var.password))}"

[output.user]
value = "${local.settings.user}"
"#;

const VAULT: &str = r#"
[component]

[input.password]
type = "string"
sensitive = true

[input.name]

[document.kept]
name = "${input.name}"
body = "${jsonencode({ password = input.password })}"

[output.remark]
value = "${document.kept.body} ${input.password}"
"#;

/// Who gives the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    File,
    Environment,
    Argument,
}

/// A folder with a spec, its state and a cloud.
struct Place {
    folder: TempDir,
    given: Given,
}

impl Place {
    fn new(given: Given) -> Self {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let place = Self { folder, given };
        std::fs::create_dir_all(place.path("spec/vault")).expect("a folder can be made");
        std::fs::create_dir_all(place.path("state")).expect("a folder can be made");
        place.write("spec/stack.toml", STACK);
        place.write("spec/vault/vault.toml", VAULT);
        place.write("spec/motd.tmpl", "Welcome, ${it}!");
        place.give(&format!("password = '''{SECRET}'''\n"));
        CloudFile::empty().write(&place.path("cloud.json")).expect("a cloud can be written");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file can be written");
    }

    /// Writes the file with values of variables.
    fn give(&self, text: &str) {
        self.write("values.toml", text);
    }

    /// Replaces a part of the spec.
    fn replace(&self, from: &str, to: &str) {
        assert!(STACK.contains(from), "{from}");
        self.write("spec/stack.toml", &STACK.replace(from, to));
    }

    /// Runs a command in which `SPEC` stands for the spec and its values.
    fn run(&self, command: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_straddle-testkit"));
        for word in command.split(' ') {
            match word {
                "SPEC" => self.add_spec(&mut program),
                word => drop(program.arg(word)),
            }
        }
        if self.given == Given::Environment {
            program.env("STRADDLE_VAR_password", SECRET);
        }
        program.env("STRADDLE_CLOUD", self.path("cloud.json")).env("STRADDLE_CONSISTENCY_WINDOW", "1s");
        program.current_dir(self.folder.path()).output().expect("the program can be started")
    }

    fn add_spec(&self, program: &mut Command) {
        program.arg(Path::new("spec"));
        match self.given {
            Given::File => program.arg("--var-file").arg(self.path("values.toml")),
            Given::Argument => program.arg("--var").arg(format!("password={SECRET}")),
            Given::Environment => program,
        };
    }

    /// Runs a command that ends with this code, and checks that it does not show the secret.
    #[track_caller]
    fn hides(&self, command: &str, code: i32) -> String {
        let shown = self.shows(command, code);
        let whole = SECRET.as_bytes();
        let encoded = [BASE64.encode(whole), BASE64_NOPAD.encode(whole), BASE64.encode(&whole[7..])];
        for form in CORE.iter().copied().chain(encoded.iter().map(String::as_str)) {
            assert!(!shown.contains(form), "{:?} {command} shows {form}:\n{shown}", self.given);
        }
        shown
    }

    /// Returns everything that a command prints.
    #[track_caller]
    fn shows(&self, command: &str, code: i32) -> String {
        let Output { status, stdout, stderr } = self.run(command);
        let shown = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("it prints text")).concat();
        assert_eq!(status.code(), Some(code), "{:?} {command}:\n{shown}", self.given);
        shown
    }
}

#[test]
fn no_command_shows_a_secret_that_nobody_asks_for() {
    for given in [Given::File, Given::Environment, Given::Argument] {
        let place = Place::new(given);
        for command in
            ["validate SPEC", "validate SPEC --json", "graph SPEC", "graph SPEC --plan --format json"]
        {
            place.hides(command, 0);
        }
        assert!(place.hides("plan SPEC", 0).contains("(sensitive)"));
        place.hides("plan SPEC --json --out one.plan", 0);
        place.hides("apply SPEC --plan one.plan --json", 0);
        place.hides("apply SPEC --auto-approve", 0);
        for command in [
            "plan SPEC --detailed-exitcode",
            "plan SPEC --refresh=false --detailed-exitcode",
            "state list spec",
            "state list spec --json",
            "state show document.main spec",
            "state show document.main spec --json",
            "state show network.main spec --json",
            "state show vault/document.kept spec",
            "state show host.main['one'] spec",
            "output --spec spec",
            "output --spec spec --json",
        ] {
            place.hides(command, 0);
        }
        let listed = place.hides("output --spec spec", 0);
        assert!(
            listed.contains("password = (sensitive)") && listed.contains("user     = \"app\""),
            "{listed}"
        );
        assert_eq!(place.shows("output password --raw --spec spec", 0), format!("{SECRET}\n"));
        assert!(place.shows("output password --spec spec", 0).contains(CORE[0]));
        assert!(place.shows("output password --json --spec spec", 0).contains(CORE[0]));
    }
}

#[test]
fn changes_drift_and_the_end_show_no_secret() {
    let place = Place::new(Given::File);
    place.hides("apply SPEC --auto-approve --json", 0);
    let mut file = CloudFile::read(&place.path("cloud.json")).expect("the cloud can be read");
    let ids: Vec<_> = file.cloud.live().map(|object| object.id.clone()).collect();
    for id in &ids {
        file.cloud.tag(id, "Motto", "mine is hunter2 too");
    }
    file.write(&place.path("cloud.json")).expect("the cloud can be written");
    for command in [
        "plan SPEC",
        "plan SPEC --json",
        "plan SPEC --refresh-only",
        "plan SPEC --refresh-only --json",
        "plan SPEC --destroy",
        "plan SPEC --destroy --json",
        "plan SPEC --var range=10.1.0.0/16",
    ] {
        assert!(place.hides(command, 0).contains("(sensitive)"), "{command}");
    }
    place.hides("apply SPEC --refresh-only --auto-approve --json", 0);
    // Blocks that have left the spec, with the variable.
    place.write("spec/stack.toml", &STACK[..STACK.find("[local]").expect("there are local values")]);
    assert!(place.hides("plan SPEC", 0).contains("(sensitive)"));
    place.hides("plan SPEC --json", 0);
    place.hides("destroy SPEC --auto-approve --json", 0);
}

#[test]
fn what_a_service_says_of_a_secret_is_not_shown() {
    for command in ["apply SPEC --auto-approve", "apply SPEC --auto-approve --json"] {
        let place = Place::new(Given::Argument);
        place.replace("remark = \"${use.vault.remark}\"", "remark = \"refused ${var.password}\"");
        let shown = place.hides(command, 3);
        assert!(shown.contains("InvalidRemark: the remark `(sensitive)` is not allowed"), "{shown}");
        place.hides("state list spec --json", 0);
        place.hides("plan SPEC", 0);
    }
}

#[test]
fn errors_with_a_secret_do_not_quote_it() {
    let place = Place::new(Given::File);
    for (from, to, expected) in [
        (
            "size = \"${each.value.size}\"",
            "size = \"${tonumber(var.password)}\"",
            "`(sensitive)` is no number",
        ),
        (
            "size = \"${each.value.size}\"",
            "size = \"${var.password}\"",
            "expected a whole number, found a string",
        ),
        (
            "size = \"${each.value.size}\"",
            "size = \"${var.password[0]}\"",
            "position 0 is looked up in a string",
        ),
        (
            "size = \"${each.value.size}\"",
            "size = \"${regex('^x', var.password)}\"",
            "the text does not match",
        ),
        ("size = \"${each.value.size}\"", "size = \"${jsondecode(var.password)}\"", "error"),
        (
            "size = \"${each.value.size}\"",
            "size = \"${{a = 1}[var.password]}\"",
            "the table has no `(sensitive)`",
        ),
        (
            "size = \"${each.value.size}\"",
            "size = \"${nonsensitive(tonumber(local.greeting))}\"",
            "`Hello (sensitive)`",
        ),
        ("range = \"10.0.0.0/24\"", "range = \"${var.password}\"", "error"),
        ("range = \"10.0.0.0/24\"", "range = \"${file(var.password)}\"", "error"),
        ("name = \"main\"\nbody", "name = \"${var.password}\"\nbody", "sensitive-value"),
        ("id = \"111111111111\"", "id = \"${var.password}\"", "sensitive-value"),
        ("account = \"a\"", "account = \"${var.password}\"", "sensitive-value"),
        ("{ one = { label", "{ \"${var.password}\" = { label", "expression in a key"),
        (
            "for_each = { one = { label = \"${var.password}\", size = 2 } }",
            "for_each = [\"${var.password}\"]",
            "sensitive-key",
        ),
        (
            "source = \"./vault\"",
            "source = \"./vault\"\nfor_each = [\"${local.settings.password}\"]",
            "sensitive-key",
        ),
        ("value = \"${document.main.locator}\"", "value = \"${document.main.remark}\"", "sensitive-output"),
        (
            "value = \"${document.main.locator}\"",
            "value = \"${host.main['one'].labels}\"",
            "sensitive-output",
        ),
        ("value = \"${document.main.locator}\"", "value = \"${use.vault.remark}\"", "sensitive-output"),
        ("type = \"string\"\nsensitive", "type = \"list\"\nsensitive", "expected a list"),
        ("type = \"string\"\nsensitive", "type = \"account_id\"\nsensitive", "expected an account id"),
    ] {
        place.replace(from, to);
        for command in ["validate SPEC", "validate SPEC --json", "plan SPEC"] {
            let shown = place.hides(command, 1);
            assert!(shown.contains(expected), "{to}\n{shown}");
        }
    }
}

#[test]
fn files_and_arguments_with_a_secret_are_not_quoted() {
    let place = Place::new(Given::File);
    for (values, expected) in [
        ("password = 98765432109\n", "wrong type"),
        ("password = [\"hunter2\",\n  \"hunter2\"]\n", "wrong type"),
        ("pasword = \"hunter2\"\n", "no variable has this name"),
        ("password = \"hunter2\n", "invalid TOML"),
        ("password = hunter2\n", "invalid TOML"),
        ("password = \"a\"\npassword = \"hunter2\"\n", "error"),
        ("[password]\nhunter2 = 98765432109\n", "wrong type"),
        ("range = 17\npassword = \"\"\"\nhunter2\n\"\"\"\n", "wrong type"),
    ] {
        place.give(values);
        for command in ["validate SPEC", "validate SPEC --json", "plan SPEC"] {
            let shown = place.hides(command, 1);
            assert!(shown.contains(expected), "{values}\n{shown}");
        }
    }
    for argument in ["--var password", "--var passwordhunter2", "--var pasword=hunter2"] {
        place.hides(&format!("validate spec {argument}"), 1);
    }
}

/// A document that is there before anything is said to be sensitive.
const PLAIN: &str = r#"
[stack]
name = "shop"

[account.a]
id = "111111111111"
region = "here"

[var.password]

[document.main]
name = "main"
body = "${var.password}"

[output.body]
value = "${document.main.body}"
"#;

#[test]
fn what_becomes_sensitive_is_hidden_though_nothing_else_changes() {
    let place = Place::new(Given::File);
    place.write("spec/stack.toml", PLAIN);
    place.shows("apply SPEC --auto-approve", 0);
    let looks = ["state show document.main spec", "state list spec --json", "output --spec spec"];
    for look in looks {
        assert!(place.shows(look, 0).contains(CORE[0]), "{look}");
    }
    let hidden = PLAIN.replace("[var.password]", "[var.password]\nsensitive = true");
    place.write("spec/stack.toml", &format!("{hidden}sensitive = true\n"));
    assert!(place.hides("plan SPEC --detailed-exitcode", 0).contains("No changes."));
    place.hides("apply SPEC --auto-approve", 0);
    for look in looks {
        assert!(place.hides(look, 0).contains("(sensitive)"), "{look}");
    }
    place.write("spec/stack.toml", PLAIN);
    place.shows("apply SPEC --auto-approve", 0);
    for look in looks {
        assert!(place.shows(look, 0).contains(CORE[0]), "{look}");
    }
}

#[test]
fn a_run_that_is_killed_in_a_change_leaves_no_secret_to_be_seen() {
    let place = Place::new(Given::File);
    place.write("spec/stack.toml", &PLAIN.replace("body = \"${var.password}\"", "body = \"plain\""));
    place.shows("apply SPEC --auto-approve", 0);
    let mut file = CloudFile::read(&place.path("cloud.json")).expect("the cloud can be read");
    file.faults = Faults::none().mutating(0, Fault::CrashAfter);
    file.write(&place.path("cloud.json")).expect("the cloud can be written");
    let secret = PLAIN.replace("[var.password]", "[var.password]\nsensitive = true");
    let secret = secret.replace("body = \"${var.password}\"", "remark = \"${var.password}\"\nbody = 1");
    place.write("spec/stack.toml", &secret.replace("${document.main.body}", "none"));
    assert!(!place.run("apply SPEC --auto-approve").status.success());
    let kept = std::fs::read_to_string(place.path("state/shop.journal.jsonl")).expect("there is a journal");
    assert!(kept.contains(CORE[0]));
    for look in ["state show document.main spec", "state list spec --json", "plan SPEC --json"] {
        assert!(place.hides(look, 0).contains("(sensitive)"), "{look}");
    }
    place.hides("apply SPEC --auto-approve", 0);
}
