//! What checks before a run found.

use std::fmt::Write;

use anstyle::Style;
use straddle_engine::preflight::{Checked, Finding, Verdict};

use crate::render::{Palette, paint};
use crate::safe::Safe;

/// Renders what checks found, a line for each finding, and how many there are.
pub(crate) fn preflight(checked: &[Checked], palette: &Palette) -> String {
    let mut text = String::new();
    let width = checked.iter().map(|checked| checked.name.len()).max().unwrap_or_default();
    for check in checked {
        for finding in &check.findings {
            let verdict = format!("{:<8}", finding.verdict.word());
            let verdict = paint(style(finding.verdict, palette), verdict);
            let _ = writeln!(text, "{verdict} {:<width$}  {}", check.name, words(finding, palette));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&counts(checked));
    text.push('\n');
    text
}

/// Renders a check that may go wrong, for who is about to carry something out; `None` for others.
pub(crate) fn preflight_warning(checked: &Checked, palette: &Palette) -> Option<String> {
    let warnings = checked.findings.iter().filter(|finding| finding.verdict == Verdict::Warning);
    let line = |finding: &Finding| {
        let word = paint(palette.warning, "warning");
        format!("{word} {}: {}", checked.name, words(finding, palette))
    };
    let lines: Vec<_> = warnings.map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn words(finding: &Finding, palette: &Palette) -> String {
    let place = finding.account.as_ref().map(|account| format!("[{}] ", Safe(account))).unwrap_or_default();
    let remedy = finding.remedy.as_ref().map(|remedy| format!(" {}", paint(palette.faint, Safe(remedy))));
    format!("{place}{}{}", Safe(&finding.message), remedy.unwrap_or_default())
}

fn style(verdict: Verdict, palette: &Palette) -> Style {
    match verdict {
        Verdict::Ok => palette.create,
        Verdict::Skipped => palette.faint,
        Verdict::Warning => palette.warning,
        Verdict::Failed => palette.failure,
    }
}

fn counts(checked: &[Checked]) -> String {
    let count = |verdict: Verdict| checked.iter().filter(|checked| checked.verdict == verdict).count();
    format!(
        "Preflight: {} failed, {} with warnings, {} ok, {} skipped. Nothing was changed.",
        count(Verdict::Failed),
        count(Verdict::Warning),
        count(Verdict::Ok),
        count(Verdict::Skipped)
    )
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::AccountName;

    use super::*;

    fn checked(name: &'static str, findings: Vec<Finding>) -> Checked {
        let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Skipped);
        Checked { name, about: "", verdict, findings, elapsed: std::time::Duration::ZERO }
    }

    #[test]
    fn each_finding_is_a_line_with_its_account_and_remedy() {
        let account = AccountName::new("network");
        let all = [
            checked("zones", vec![Finding::failed(&account, "There is no such zone.", "Take another one.")]),
            checked("ranges", vec![Finding::ok(None, "They fit."), Finding::warning(None, "Odd.", "Look.")]),
            checked("quotas", vec![Finding::skipped(None, "Nothing is made.")]),
        ];
        let expected = "\
failed   zones   [network] There is no such zone. Take another one.
ok       ranges  They fit.
warning  ranges  Odd. Look.
skipped  quotas  Nothing is made.

Preflight: 1 failed, 1 with warnings, 0 ok, 1 skipped. Nothing was changed.
";
        assert_eq!(preflight(&all, &Palette::plain()), expected);
        assert_eq!(
            preflight_warning(&all[1], &Palette::plain()).as_deref(),
            Some("warning ranges: Odd. Look.")
        );
        assert_eq!(preflight_warning(&all[0], &Palette::plain()), None);
    }
}
