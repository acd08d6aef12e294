//! What is said of a release that cannot be worked out.

use std::collections::BTreeSet;

use straddle_engine::bundle::Trouble;
use straddle_engine::supply::Unsupplied;
use straddle_engine::value::Unknown;

use crate::helm::fetch::FetchError;
use crate::helm::{ChartError, RenderError};

/// Describes an input that would decide which objects there are.
pub(super) fn known_late(input: &str) -> Trouble {
    Trouble::new(input, "has to be known when planning").with_detail(
        "Which objects a chart makes is in the plan; only what is inside of `values` may be known after apply.",
    )
}

/// Describes a chart that cannot be read.
pub(super) fn unreadable(path: &str, error: &ChartError) -> Trouble {
    Trouble::new("chart", format!("`{}` cannot be read as a chart", path.escape_debug()))
        .with_detail(sentence(&error.to_string()))
}

/// Describes a chart that nobody could fetch by what the block says of it.
pub(super) fn misnamed(error: &FetchError, has_repository: bool) -> Trouble {
    let input = match (matches!(error, FetchError::Constraint { .. }), has_repository) {
        (true, _) => "version",
        (false, true) => "repository",
        (false, false) => "chart",
    };
    let trouble = Trouble::new(input, error.to_string());
    match error.remedy() {
        Some(remedy) => trouble.with_hint(remedy),
        None => trouble,
    }
}

/// Describes a chart that could not be fetched.
pub(super) fn unavailable(unsupplied: &Unsupplied) -> Trouble {
    let trouble = Trouble::new("chart", "the chart cannot be had");
    let trouble = trouble.with_detail(sentence(&capitalized(&unsupplied.reason)));
    match &unsupplied.remedy {
        Some(remedy) => trouble.with_hint(remedy),
        None => trouble,
    }
}

/// Describes a chart that is not in the version that the block names.
pub(super) fn another_version(wanted: &str, found: &str) -> Trouble {
    Trouble::new("version", format!("the chart is not in this version, but in {}", found.escape_debug()))
        .with_hint(format!(
            "Take another chart, or write `version = \"{}\"` in the place of `{wanted}`.",
            found.escape_debug()
        ))
}

/// Describes a chart of which the objects themselves depend on unknown values.
pub(super) fn undecided(unknowns: &[Unknown]) -> Trouble {
    let names: BTreeSet<_> = unknowns.iter().map(|unknown| format!("`{}`", unknown.origin)).collect();
    let names: Vec<_> = names.into_iter().collect();
    let (are, hint) = match names.as_slice() {
        [_] => ("is", "Make what it is made of first, with `--target`, or write a value that is known."),
        _ => ("are", "Make what they are made of first, with `--target`, or write values that are known."),
    };
    Trouble::new("values", "decide which objects there are, or what they are called")
        .with_detail(format!("They are made of {}, which {are} known only after apply.", names.join(" and ")))
        .with_hint(hint)
}

/// Describes a chart that draws by chance which objects there are.
pub(super) fn left_to_chance() -> Trouble {
    Trouble::new("chart", "the chart leaves to chance which objects there are, or what they are called")
        .with_detail("What is planned has to have a name that is known, and the same one next time.")
        .with_hint("Look for a value of the chart that takes a name, or takes the random part away.")
}

/// Describes what a chart makes that has no name.
pub(super) fn nameless(kind: &str) -> Trouble {
    let kind = if kind.is_empty() { "?" } else { kind };
    Trouble::new("chart", "the chart makes something that is no object").with_detail(format!(
        "An object has `apiVersion`, `kind` and `metadata.name`, and there is one without. Its kind is `{}`.",
        kind.escape_debug()
    ))
}

/// Describes a chart that is not rendered with these values.
pub(super) fn unrendered(error: &RenderError, has_stand_ins: bool) -> Trouble {
    let trouble = Trouble::new("chart", "the chart cannot be rendered");
    let detail = sentence(&error.to_string());
    if has_stand_ins {
        let stood_in = "For values that are known after apply, texts such as `knownone00000later` stand in.";
        return trouble.with_detail(format!("{detail} {stood_in}"));
    }
    trouble.with_detail(detail)
}

/// Begins what others say with a capital, unless it begins with a name.
fn capitalized(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Ends what others say with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
