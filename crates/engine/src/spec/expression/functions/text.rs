//! Functions on text.

use super::argument::{
    ArgumentError, check_size, count_argument, integer_argument, length_value, list_argument, text_argument,
};
use super::{Body, Function, FunctionGroup, MANY, format};
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Text",
    functions: &[
        Function::new(
            "endswith(text, ending)",
            (2, 2),
            Body::Whole(|arguments| {
                let (text, ending) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
                Ok(text.ends_with(ending).into())
            }),
            "Whether the text ends so.",
            ("endswith('main.tf', '.tf')", "true"),
        ),
        Function::new(
            "format(pattern[, value, ...])",
            (1, MANY),
            Body::Whole(format::format),
            "The pattern with a value for each of its `%s`, `%v`, `%q`, `%d`, `%x` and `%f`. `%03d` fills with \
             zeros, `%-8s` with spaces on the right, `%.2f` says how many digits; `%%` is a `%`.",
            ("format('%s-%03d', 'host', 7)", "'host-007'"),
        ),
        Function::new(
            "indent(spaces, text)",
            (2, 2),
            Body::Whole(indent),
            "The text with so many spaces before each line but the first.",
            ("indent(2, 'a\\nb')", "'a\\n  b'"),
        ),
        Function::new(
            "join(separator, list)",
            (2, 2),
            Body::Whole(join),
            "The items as one text, the separator between them.",
            ("join(', ', ['a', 'b'])", "'a, b'"),
        ),
        Function::new(
            "lower(text)",
            (1, 1),
            Body::Whole(|arguments| Ok(text_argument(arguments, 0)?.to_lowercase().into())),
            "The text in small letters.",
            ("lower('EU-West')", "'eu-west'"),
        ),
        Function::new(
            "split(separator, text)",
            (2, 2),
            Body::Whole(split),
            "The parts of a text between separators.",
            ("split(',', 'a,b')", "['a', 'b']"),
        ),
        Function::new(
            "startswith(text, beginning)",
            (2, 2),
            Body::Whole(|arguments| {
                let (text, beginning) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
                Ok(text.starts_with(beginning).into())
            }),
            "Whether the text begins so.",
            ("startswith('vpc-0a1b', 'vpc-')", "true"),
        ),
        Function::new(
            "strlen(text)",
            (1, 1),
            Body::Whole(|arguments| Ok(length_value(text_argument(arguments, 0)?.chars().count()))),
            "How many characters the text has.",
            ("strlen('häuser')", "6"),
        ),
        Function::new(
            "substr(text, start, length)",
            (3, 3),
            Body::Whole(substr),
            "A part of the text. A negative start counts from the end, and a length of -1 takes the rest.",
            ("substr('eu-west-1', 3, 4)", "'west'"),
        ),
        Function::new(
            "title(text)",
            (1, 1),
            Body::Whole(title),
            "The text with a capital at the beginning of each word.",
            ("title('hello world')", "'Hello World'"),
        ),
        Function::new(
            "trim(text[, characters])",
            (1, 2),
            Body::Whole(trim),
            "The text without these characters at both ends; without white space if none are given.",
            ("trim('?!hello?!', '!?')", "'hello'"),
        ),
        Function::new(
            "trimprefix(text, beginning)",
            (2, 2),
            Body::Whole(|arguments| {
                let (text, beginning) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
                Ok(text.strip_prefix(beginning).unwrap_or(text).into())
            }),
            "The text without this beginning, if it has it.",
            ("trimprefix('vpc-0a1b', 'vpc-')", "'0a1b'"),
        ),
        Function::new(
            "trimspace(text)",
            (1, 1),
            Body::Whole(|arguments| Ok(text_argument(arguments, 0)?.trim().into())),
            "The text without white space at both ends.",
            ("trimspace(' a\\n')", "'a'"),
        ),
        Function::new(
            "trimsuffix(text, ending)",
            (2, 2),
            Body::Whole(|arguments| {
                let (text, ending) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
                Ok(text.strip_suffix(ending).unwrap_or(text).into())
            }),
            "The text without this ending, if it has it.",
            ("trimsuffix('shop.example.', '.')", "'shop.example'"),
        ),
        Function::new(
            "upper(text)",
            (1, 1),
            Body::Whole(|arguments| Ok(text_argument(arguments, 0)?.to_uppercase().into())),
            "The text in capitals.",
            ("upper('a')", "'A'"),
        ),
    ],
};

fn join(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let separator = text_argument(arguments, 0)?;
    let items = list_argument(arguments, 1)?;
    check_size(separator.len().saturating_mul(items.len()))?;
    let parts = items.iter().enumerate().map(|(index, item)| {
        scalar_text(item).ok_or_else(|| {
            ArgumentError::new(1, format!("item {index} is {}, which has no text form", item.type_name()))
        })
    });
    Ok(Value::from(parts.collect::<Result<Vec<_>, _>>()?.join(separator)))
}

fn split(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let (separator, text) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
    if separator.is_empty() {
        return Err(ArgumentError::new(0, "the separator is empty"));
    }
    check_size(text.matches(separator).count().saturating_mul(size_of::<Value>()))?;
    Ok(Value::from(text.split(separator).collect::<Vec<_>>()))
}

fn indent(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let (spaces, text) = (count_argument(arguments, 0)?, text_argument(arguments, 1)?);
    check_size(text.matches('\n').count().saturating_mul(spaces))?;
    check_size(spaces)?;
    Ok(Value::from(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn substr(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    let (start, length) = (integer_argument(arguments, 1)?, integer_argument(arguments, 2)?);
    let taken = match length {
        -1 => usize::MAX,
        length => usize::try_from(length)
            .map_err(|_| ArgumentError::new(2, format!("expected -1 or more, found {length}")))?,
    };
    let skipped = usize::try_from(start).unwrap_or_else(|_| {
        let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        text.chars().count().saturating_sub(back)
    });
    Ok(Value::String(text.chars().skip(skipped).take(taken).collect()))
}

fn title(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut titled = String::new();
    let mut inside = false;
    for character in text_argument(arguments, 0)?.chars() {
        if inside {
            titled.push(character);
        } else {
            titled.extend(character.to_uppercase());
        }
        inside = character.is_alphanumeric() || character == '_' || character == '\'';
    }
    Ok(Value::String(titled))
}

/// Takes white space off both ends, or the characters of the second argument.
fn trim(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    if arguments.len() == 1 {
        return Ok(Value::from(text.trim()));
    }
    let characters: std::collections::BTreeSet<_> = text_argument(arguments, 1)?.chars().collect();
    Ok(Value::from(text.trim_matches(|character| characters.contains(&character))))
}

/// Returns the text of a value that stands inside a text; `None` for what has no such form.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}
