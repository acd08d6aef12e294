//! What `file` and `templatefile` read from a folder, and what they do not.

#![expect(clippy::disallowed_methods, reason = "the files that a spec reads are written first")]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use straddle_engine::address::Address;
use straddle_engine::spec::{LoadRequest, Scope, Spec, load};
use straddle_engine::value::Value;

const SECRET: &str = "canary-7c1f";

const HEAD: &str =
    "[stack]\nname = \"test\"\n[account.main]\nid = \"111122223333\"\nregion = \"us-east-1\"\n[vpc.main]\n";

/// Makes a folder `spec` with all that leads out of it, beside files that a spec must not read.
fn outside_and_inside() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder can be made");
    let spec = root.path().join("spec");
    let write = |place: &str, content: &[u8]| {
        std::fs::write(root.path().join(place), content).expect("a file can be written");
    };
    for folder in ["spec/inner", "spec-other"] {
        std::fs::create_dir_all(root.path().join(folder)).expect("a folder can be made");
    }
    write("secret.txt", SECRET.as_bytes());
    write("spec-other/secret.txt", SECRET.as_bytes());
    write("spec/inner/good.txt", b"good");
    write("spec/binary", &[0xff, 0xfe]);
    write("spec/large", &vec![b'x'; 4 * 1024 * 1024 + 1]);
    let secret = root.path().join("secret.txt");
    let links: [(&Path, &str); 11] = [
        (Path::new("../secret.txt"), "link"),
        (&secret, "absolute"),
        (Path::new(".."), "parent"),
        (root.path(), "root"),
        (Path::new("link"), "link-to-link"),
        (Path::new("inner/../../secret.txt"), "through-inner"),
        (Path::new("/proc/self/environ"), "environ"),
        (Path::new("/dev/zero"), "zero"),
        (Path::new("loop"), "loop"),
        (Path::new("../../secret.txt"), "inner/link"),
        (Path::new("inner/good.txt"), "good-link"),
    ];
    for (target, name) in links {
        symlink(target, spec.join(name)).expect("a link can be made");
    }
    mknodat(CWD, spec.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe can be made");
    root
}

fn load_reading(folder: &Path, expression: &str) -> Result<Spec, String> {
    let text = format!("{HEAD}cidr_block = '''${{{expression}}}'''\n");
    std::fs::write(folder.join("main.toml"), text).expect("the spec can be written");
    let request = LoadRequest { path: folder.to_owned(), ..LoadRequest::default() };
    let problems = |diagnostics: &straddle_engine::diagnostic::Diagnostics| {
        let problem = |found: &straddle_engine::diagnostic::Diagnostic| {
            format!("[{}] {} {}\n", found.code, found.label, found.detail)
        };
        diagnostics.iter().map(problem).collect()
    };
    load(&request, &support::registry())
        .map(|loaded| loaded.spec)
        .map_err(|failure| problems(&failure.diagnostics))
}

const TRICKS: [&str; 62] = [
    "../secret.txt",
    "./../secret.txt",
    "inner/../../secret.txt",
    "inner/../inner/../../secret.txt",
    "..",
    "../",
    "../spec/../secret.txt",
    "../spec-other/secret.txt",
    "../spec/inner/good.txt",
    "inner/..",
    "inner/../inner/good.txt",
    ".../secret.txt",
    "..\\\\secret.txt",
    "inner\\\\..\\\\..\\\\secret.txt",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "/./etc/passwd",
    "/proc/self/environ",
    "/proc/self/cwd/x",
    "/proc/self/root/etc/passwd",
    "/dev/stdin",
    "/dev/zero",
    "/dev/fd/0",
    "/proc/self/fd/0",
    "link",
    "absolute",
    "parent/secret.txt",
    "root/secret.txt",
    "link-to-link",
    "through-inner",
    "environ",
    "zero",
    "loop",
    "parent",
    "root",
    "inner/link",
    "parent/spec/inner/good.txt",
    "parent/spec-other/secret.txt",
    "pipe",
    "inner",
    ".",
    "./",
    "",
    "binary",
    "large",
    "~/secret.txt",
    "~root",
    "$HOME/secret.txt",
    "file:///etc/passwd",
    "file:../secret.txt",
    "%2e%2e/secret.txt",
    "..%2fsecret.txt",
    "\u{2024}\u{2024}/secret.txt",
    "\u{ff0e}\u{ff0e}/secret.txt",
    "C:\\\\secret.txt",
    "inner/good.txt/",
    "inner/good.txt/../../../secret.txt",
    "inner\\n/../../secret.txt",
    " ../secret.txt",
    "inner/good.txt/x",
];

#[test]
fn nothing_outside_of_the_folder_is_read() {
    let root = outside_and_inside();
    let spec = root.path().join("spec");
    let absolute = |name: &str| root.path().join(name).display().to_string();
    let mut tricks = TRICKS.map(str::to_owned).to_vec();
    tricks.extend(["secret.txt", "spec/inner/good.txt", "spec/../secret.txt"].map(absolute));
    for path in tricks {
        for call in [format!("file('{path}')"), format!("templatefile('{path}', {{}})")] {
            let problem = load_reading(&spec, &call).expect_err(&call);
            assert!(problem.contains("[unreadable-file]"), "{call}: {problem}");
            assert!(!problem.contains(SECRET), "{call}: {problem}");
        }
    }
}

#[test]
fn what_is_inside_is_read_and_counts_in_the_digest() {
    let root = outside_and_inside();
    let spec = root.path().join("spec");
    let write =
        |name: &str, text: &str| std::fs::write(spec.join(name), text).expect("a file can be written");
    let digest = |expression: &str| load_reading(&spec, expression).expect(expression).digest;
    write("cidr.txt", "10.0.0.0/16");
    let first = digest("file('cidr.txt')");
    assert_eq!(first, digest("file('cidr.txt')"));
    write("cidr.txt", "10.1.0.0/16");
    assert_ne!(first, digest("file('cidr.txt')"));
    let missing = digest("try(file('other.txt'), '10.2.0.0/16')");
    write("other.txt", "10.2.0.0/16");
    assert_ne!(missing, digest("try(file('other.txt'), '10.2.0.0/16')"));
    for path in ["inner/good.txt", "./inner/good.txt", "good-link"] {
        digest(&format!("file('{path}') == 'good' ? '10.0.0.0/16' : '{path} was not read'"));
    }
}

/// Knows everything: each attribute is `true` or the list `["good"]`.
struct AfterApply;

impl Scope for AfterApply {
    fn attribute(&self, _: &Address, attribute: &str) -> Value {
        if attribute == "arn" { Value::from(vec!["good"]) } else { Value::Bool(true) }
    }

    fn stack_id(&self) -> Value {
        Value::from("lineage")
    }
}

#[test]
fn what_is_chosen_only_after_apply_is_read_when_the_spec_is_loaded() {
    let root = outside_and_inside();
    let folder = root.path().join("spec");
    let good = folder.join("inner/good.txt");
    for expression in [
        "vpc.other.id ? file('inner/good.txt') : 'bad'",
        "!vpc.other.id ? 'bad' : templatefile('inner/good.txt', {})",
        "[for name in vpc.other.arn : file('inner/good.txt')][0]",
        "{for name in vpc.other.arn : name => file('inner/good.txt')}['good']",
        "[for way in ['inner', './inner'] : vpc.other.id ? file(format('%s/good.txt', way)) : 'bad'][1]",
        "[for way in ['inner'] : file(format('%s/good.txt', way)) if vpc.other.id][0]",
        "try(vpc.other.id.missing, file('inner/good.txt'))",
        "try(vpc.other.arn[1], vpc.other.id ? file('inner/good.txt') : 'bad')",
        "try(file('inner/missing.txt'), vpc.other.id ? local.read : 'bad')",
    ] {
        std::fs::write(&good, "good").expect("a file can be written");
        let more = "[vpc.other]\ncidr_block = \"10.1.0.0/16\"\n[local]\nread = \"${file('good-link')}\"\n";
        std::fs::write(folder.join("other.toml"), more).expect("the spec can be written");
        let spec = load_reading(&folder, expression).expect(expression);
        std::fs::remove_file(&good).expect("the file can be removed");
        let vpc = &spec.resources[&"vpc.main".parse().expect("the address is well formed")];
        let value = vpc.attributes["cidr_block"].evaluate(&AfterApply);
        assert_eq!(value.map_err(|error| error.to_string()), Ok(Value::from("good")), "{expression}");
    }
}
