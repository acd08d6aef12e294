//! `.helmignore`.
//!
//! Source: <https://helm.sh/docs/chart_template_guide/helm_ignore_file/>.

use regex::Regex;

use super::pattern;

/// What a chart's folder has that is no part of the chart.
pub(super) struct Ignored {
    rules: Vec<Rule>,
}

struct Rule {
    pattern: Regex,
    /// Everything that it does not find is left out.
    is_negated: bool,
    folders_only: bool,
    /// Whether it is for the path from the chart's folder on, and not for a name.
    is_path: bool,
}

impl Ignored {
    /// Reads the rules, beside the one that leaves out hidden templates.
    ///
    /// # Errors
    /// A rule that means nothing.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let rules = text.lines().chain(["templates/.?*"]).filter_map(rule).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Whether a path in the chart is left out.
    pub(super) fn has(&self, path: &str, is_folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.rules.iter().any(|rule| {
            let found = rule.pattern.is_match(if rule.is_path { path } else { name });
            match (rule.is_negated, rule.folders_only && !is_folder) {
                (true, not_for_it) => not_for_it || !found,
                (false, not_for_it) => !not_for_it && found,
            }
        })
    }
}

fn rule(line: &str) -> Option<Result<Rule, String>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    if line.contains("**") {
        return Some(Err("double-star (**) syntax is not supported".to_owned()));
    }
    let (is_negated, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let (folders_only, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
    let is_path = rest.contains('/');
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    Some(
        pattern::path(rest)
            .map(|pattern| Rule { pattern, is_negated, folders_only, is_path })
            .ok_or_else(|| format!("{line} is no pattern")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_left_out() {
        let ignored = Ignored::read("# notes\n*.bak\n/top\nsub/file\n.git/\n").expect("they are rules");
        for (path, is_folder, expected) in [
            ("a.bak", false, true),
            ("x/a.bak", false, true),
            ("top", false, true),
            ("x/top", false, false),
            ("sub/file", false, true),
            ("x/sub/file", false, false),
            (".git", true, true),
            (".git", false, false),
            ("templates/.hidden", false, true),
            ("templates/a.yaml", false, false),
        ] {
            assert_eq!(ignored.has(path, is_folder), expected, "{path}");
        }
        assert!(Ignored::read("a/**").is_err());
    }
}
