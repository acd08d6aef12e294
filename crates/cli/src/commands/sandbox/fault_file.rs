//! The file with rules for faults: TOML, or JSON if its name ends so.

use std::path::Path;

use serde::Deserialize;
use straddle_engine::diagnostic::Diagnostic;
use straddle_sandbox::FaultRule;

use crate::failure::Failure;

/// What is in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default)]
    fault: Vec<FaultRule>,
}

/// Reads the rules in a file.
pub(crate) fn read(path: &Path) -> Result<Vec<FaultRule>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let file: Result<FaultFile, String> = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    let file = file.map_err(|problem| {
        let problem = Diagnostic::error("faults", "the rules for faults cannot be read")
            .with_detail(format!("{}: {}", path.display(), problem.trim_end()))
            .with_hint("A rule is a table [[fault]] with `fault = \"lost\"` and what it is about, such as `operation = \"Create*\"`.");
        Failure::error(problem)
    })?;
    Ok(file.fault)
}

#[cfg(test)]
mod tests {
    use straddle_sandbox::{Calls, Kind};

    use super::*;

    fn check(name: &str, text: &str) -> Result<Vec<FaultRule>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|failure| failure.diagnostics.iter().next().unwrap().detail.clone())
    }

    #[test]
    fn rules_are_read_from_toml_and_json() {
        let toml = "[[fault]]\nfault = \"lost\"\noperation = \"Create*\"\ncalls = \"writes\"\nskip = 2\n";
        let rules = check("a.toml", toml).unwrap();
        assert_eq!(
            (rules[0].fault, rules[0].calls, rules[0].skip, rules[0].count),
            (Kind::Lost, Calls::Writes, 2, 1)
        );
        let json = r#"{"fault": [{"fault": "late", "seconds": 3, "parameters": {"VpcId": "vpc-*"}}]}"#;
        let rules = check("a.json", json).unwrap();
        assert_eq!((rules[0].fault, rules[0].seconds), (Kind::Late, 3.0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let problem = check("a.toml", "[[fault]]\nfault = \"lsot\"\n").unwrap_err();
        assert!(problem.contains("line 2") && problem.contains("lsot"), "{problem}");
        let problem = check("a.toml", "[[fault]]\nfault = \"lost\"\ncolour = 1\n").unwrap_err();
        assert!(problem.contains("colour"), "{problem}");
    }
}
