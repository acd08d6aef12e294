//! Patterns for names of files.

use regex::Regex;

/// Whose rules a pattern has.
#[derive(Clone, Copy, PartialEq)]
enum Rules {
    /// `.helmignore`: a star stays inside of a folder.
    Path,
    /// `.Files.Glob`: two stars go on into folders, and braces have alternatives.
    Files,
}

/// Reads a pattern of `.Files.Glob`; `None` if it is none.
pub(in crate::helm) fn glob(pattern: &str) -> Option<Regex> {
    translated(pattern, Rules::Files)
}

/// Reads a pattern of `.helmignore`; `None` if it is none.
pub(super) fn path(pattern: &str) -> Option<Regex> {
    translated(pattern, Rules::Path)
}

/// Returns a regular expression that finds the same names.
fn translated(pattern: &str, rules: Rules) -> Option<Regex> {
    let mut expression = String::from("^(?s:");
    let mut open = 0_usize;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if rules == Rules::Files && characters.peek() == Some(&'*') => {
                characters.next();
                expression.push_str(".*");
            }
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '\\' => expression.push_str(&regex::escape(&characters.next()?.to_string())),
            '[' => {
                expression.push('[');
                if matches!(characters.peek(), Some('^' | '!')) {
                    characters.next();
                    expression.push('^');
                }
                loop {
                    match characters.next()? {
                        ']' => break,
                        '-' => expression.push('-'),
                        '\\' => expression.push_str(&regex::escape(&characters.next()?.to_string())),
                        other => expression.push_str(&regex::escape(&other.to_string())),
                    }
                }
                expression.push(']');
            }
            '{' if rules == Rules::Files => {
                open += 1;
                expression.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                expression.push(')');
            }
            ',' if open > 0 => expression.push('|'),
            other => expression.push_str(&regex::escape(&other.to_string())),
        }
    }
    expression.push_str(")$");
    if open > 0 { None } else { Regex::new(&expression).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_patterns() {
        for (pattern, name, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "b/a.yaml", false),
            ("**.yaml", "b/a.yaml", true),
            ("config/*.{json,toml}", "config/a.toml", true),
            ("config/*.{json,toml}", "config/a.yaml", false),
            ("[a-c]?[!x]", "bzy", true),
            ("[a-c]?[!x]", "bzx", false),
            (r"\*", "*", true),
            ("a.b", "axb", false),
        ] {
            assert_eq!(glob(pattern).expect(pattern).is_match(name), expected, "{pattern} {name}");
        }
        assert!(glob("{a").is_none() && glob("[a").is_none());
        assert!(path("{a}").expect("braces mean nothing").is_match("{a}"));
    }
}
