//! What can be told of problems with sensitive values: what is said as well of stand-ins for them.

use crate::diagnostic::Diagnostic;
use crate::value::{SENSITIVE, Value, ValueMap};

/// Returns what stands for a sensitive value: something of the same type.
pub(crate) fn mask(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => Value::Bool(false),
        Value::Integer(_) => Value::Integer(0),
        Value::Float(_) => Value::Float(0.0),
        Value::String(_) => Value::from(SENSITIVE),
        // Neither keys nor how many there are is told.
        Value::List(items) => Value::List(items.first().map(mask).into_iter().collect()),
        Value::Map(entries) => {
            let first = entries.values().next().map(|value| (SENSITIVE.to_owned(), mask(value)));
            Value::Map(first.into_iter().collect::<ValueMap>())
        }
        Value::Unknown(unknown) => Value::Unknown(unknown.clone()),
    }
}

/// Returns a problem in which no sensitive value is quoted, given the problems that there are with
/// stand-ins in the place of these values: what is said of both, or of a stand-in by its name, can
/// be told.
pub(crate) fn revealed(problem: Diagnostic, masked: &[Diagnostic]) -> Diagnostic {
    let same = |other: &&Diagnostic| {
        (other.code, other.span, &other.summary) == (problem.code, problem.span, &problem.summary)
    };
    let masked = masked.iter().find(same);
    let text = |own: &str, of: fn(&Diagnostic) -> &str| {
        let masked = masked.map(of)?;
        (masked == own || masked.contains(SENSITIVE)).then(|| masked.to_owned())
    };
    let label = text(&problem.label, |masked| &masked.label);
    let detail = text(&problem.detail, |masked| &masked.detail);
    let hint =
        problem.hint.clone().filter(|hint| masked.is_some_and(|masked| masked.hint.as_ref() == Some(hint)));
    let (label, detail) = (label.unwrap_or_else(|| WITHHELD.to_owned()), detail.unwrap_or_default());
    Diagnostic { detail, label, hint, ..problem }
}

/// Stands for a reason that may quote a sensitive value.
pub(crate) const WITHHELD: &str = "why is not shown, since it may tell a sensitive value";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(label: &str) -> Diagnostic {
        Diagnostic { label: label.to_owned(), ..Diagnostic::error("x", "x").with_hint("Write `hunter3`.") }
    }

    #[test]
    fn only_what_is_said_of_stand_ins_too_is_told() {
        for (said, masked, told) in [
            ("expected a list, found a string", Some("expected a list, found a string"), None),
            (
                "`hunter2` is no number",
                Some("`(sensitive)` is no number"),
                Some("`(sensitive)` is no number"),
            ),
            ("a list of length 7", Some("a list of length 1"), Some(WITHHELD)),
            ("`hunter2` is no number", None, Some(WITHHELD)),
        ] {
            let masked: Vec<_> =
                masked.map(|label| Diagnostic { hint: None, ..problem(label) }).into_iter().collect();
            let revealed = revealed(problem(said), &masked);
            assert_eq!((&*revealed.label, &revealed.hint), (told.unwrap_or(said), &None));
        }
    }

    #[test]
    fn stand_ins_tell_neither_keys_nor_how_many_there_are() {
        let table =
            ValueMap::from([("a".to_owned(), Value::from(vec!["x", "y"])), ("b".to_owned(), Value::Null)]);
        let expected = ValueMap::from([(SENSITIVE.to_owned(), Value::from(vec![SENSITIVE]))]);
        assert_eq!(mask(&Value::Map(table)), Value::Map(expected));
    }
}
