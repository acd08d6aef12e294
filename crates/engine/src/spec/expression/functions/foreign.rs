//! Functions of other tools that are not here, and what to do instead.

/// Returns what to say of a function of Terraform or `OpenTofu` that does not exist here: why, and
/// what to write instead.
pub(crate) fn explain_foreign(name: &str) -> Option<(&'static str, &'static str)> {
    let (_, why, instead) = FOREIGN.iter().find(|(names, _, _)| names.contains(&name))?;
    Some((why, instead))
}

const DETERMINISTIC: &str =
    "The same spec and state make the same plan, so nothing here asks for the time or for chance.";

const FOREIGN: [(&[&str], &str, &str); 13] = [
    (
        &["timestamp", "plantimestamp", "timeadd", "timecmp", "formatdate"],
        DETERMINISTIC,
        "Pass the time as a variable: `--var now=\"$(date --iso-8601)\"`.",
    ),
    (
        &["uuid", "bcrypt", "random", "random_id", "random_string", "random_password"],
        DETERMINISTIC,
        "Make the value once and pass it as a variable.",
    ),
    (
        &[
            "uuidv5",
            "md5",
            "sha1",
            "sha512",
            "base64sha256",
            "base64sha512",
            "filemd5",
            "filesha1",
            "filesha256",
            "filesha512",
            "filebase64sha256",
            "filebase64sha512",
            "filebase64",
        ],
        "The only digest here is SHA-256, and files are read as text.",
        "Write `sha256(text)` or `sha256(file('...'))`.",
    ),
    (
        &["tolist", "tomap", "list", "map"],
        "Lists and tables have no other types to be turned into.",
        "Leave the function out.",
    ),
    (
        &["yamlencode", "yamldecode", "csvdecode", "textencodebase64", "textdecodebase64"],
        "JSON and TOML are the data formats of a spec.",
        "Write TOML tables in the spec, or JSON with `jsondecode(file('...'))`; JSON is valid YAML.",
    ),
    (
        &["fileexists", "fileset", "basename", "dirname", "abspath", "pathexpand"],
        "A spec names each file that it reads, inside its own folder.",
        "Write `can(file('...'))` for \"does it exist\", and a list of names for a set of files.",
    ),
    (
        &["rsadecrypt", "env", "getenv", "get_env", "external", "run_cmd"],
        "Nothing is executed, decrypted or taken from the environment in a spec.",
        "Pass the value as a variable: `--var NAME=VALUE` or `STRADDLE_VAR_NAME`.",
    ),
    (
        &["count", "size"],
        "The number of things in a collection has another name here.",
        "Write `length(...)`.",
    ),
    (
        &["chomp", "strrev", "strcontains"],
        "Another function does it.",
        "Write `trimspace(...)`, `reverse(...)` or `contains(...)`.",
    ),
    (
        &["coalescelist", "chunklist", "setproduct", "matchkeys", "transpose"],
        "A for-expression does it.",
        "Write `[for x in LIST : ... if ...]`, and `flatten` for pairs out of two lists.",
    ),
    (
        &["if", "cond", "ternary", "select"],
        "A choice is written with an operator.",
        "Write `condition ? this : that`.",
    ),
    (
        &["parseint", "signum", "log", "pow"],
        "This function of numbers does not exist here.",
        "There are `tonumber`, `abs`, `ceil`, `floor`, `min`, `max`, `sum` and `+ - * / %`.",
    ),
    (
        &["templatestring", "ref", "sub", "getatt", "get_att", "importvalue"],
        "Text with `${...}` in it needs no function.",
        "Write `\"prefix-${vpc.main.id}\"`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_explained_does_not_exist() {
        let foreign = FOREIGN.iter().flat_map(|(names, _, _)| *names);
        for name in foreign {
            assert!(super::super::find(name).is_none(), "{name}");
        }
    }
}
