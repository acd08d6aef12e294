//! Words as they stand on the line of a shell. Addresses have brackets and quotes in them, which
//! a shell would take for its own.

/// Returns what a word means, also one whose closing quote is not typed yet.
pub(crate) fn unquote(word: &str) -> String {
    let mut meaning = String::with_capacity(word.len());
    let mut quote = None;
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => meaning.extend(characters.next()),
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            _ => meaning.push(character),
        }
    }
    meaning
}

/// Returns a word as it has to be written for a shell. Most shells quote what a program offers;
/// bash and PowerShell put it into the line as it is.
pub(crate) fn quote(word: &str, shell: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "_./:=@%+,-".contains(character);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    match shell {
        "bash" => {
            let escape = |character| (!is_plain(character)).then_some('\\').into_iter().chain([character]);
            word.chars().flat_map(escape).collect()
        }
        "powershell" | "pwsh" => format!("'{}'", word.replace('\'', "''")),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_a_shell_takes_them_for() {
        for (word, meaning) in [
            ("subnet.public", "subnet.public"),
            (r"subnet.public\[\'a\'\]", "subnet.public['a']"),
            (r#""subnet.public['a']""#, "subnet.public['a']"),
            (r#""subnet.public['a"#, "subnet.public['a"),
            ("'a b'\\ c\"d\\\"\"", "a b cd\""),
            ("\\", ""),
        ] {
            assert_eq!(unquote(word), meaning, "{word}");
        }
    }

    #[test]
    fn what_is_quoted_means_what_it_was() {
        for word in ["subnet.public['a']", "a.b['$(rm -rf ~)']", "a.b['x y;z&`\"\\']", "a.b"] {
            assert_eq!(unquote(&quote(word, "bash")), word);
            assert_eq!(quote(word, "fish"), word);
        }
        assert_eq!(quote("a.b['c']", "powershell"), "'a.b[''c'']'");
    }
}
