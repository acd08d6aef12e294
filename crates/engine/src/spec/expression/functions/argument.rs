//! Takes arguments apart, and says what is wrong with them.

use crate::value::{Unknown, Value, ValueMap};

/// The longest text, or list of small things, that a function makes. Without a limit, a few
/// words could ask for more memory than there is.
const LARGEST_RESULT: usize = 16 * 1024 * 1024;

/// An argument that the function cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArgumentError {
    /// Counted from 0.
    pub(crate) argument: usize,
    /// What is wrong, without a full stop.
    pub(crate) message: String,
}

impl ArgumentError {
    pub(super) fn new(argument: usize, message: impl Into<String>) -> Self {
        Self { argument, message: message.into() }
    }

    pub(super) fn wrong_type(arguments: &[&Value], argument: usize, expected: &str) -> Self {
        Self::new(argument, format!("expected {expected}, found {}", arguments[argument].type_name()))
    }
}

pub(super) fn text_argument<'v>(arguments: &[&'v Value], argument: usize) -> Result<&'v str, ArgumentError> {
    arguments[argument].as_str().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a string"))
}

pub(super) fn list_argument<'v>(
    arguments: &[&'v Value],
    argument: usize,
) -> Result<&'v [Value], ArgumentError> {
    arguments[argument].as_list().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a list"))
}

pub(super) fn map_argument<'v>(
    arguments: &[&'v Value],
    argument: usize,
) -> Result<&'v ValueMap, ArgumentError> {
    arguments[argument].as_map().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a table"))
}

pub(super) fn integer_argument(arguments: &[&Value], argument: usize) -> Result<i64, ArgumentError> {
    match arguments[argument] {
        Value::Integer(integer) => Ok(*integer),
        Value::Null
        | Value::Bool(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(ArgumentError::wrong_type(arguments, argument, "a whole number")),
    }
}

/// Returns a number that counts things.
pub(super) fn count_argument(arguments: &[&Value], argument: usize) -> Result<usize, ArgumentError> {
    let integer = integer_argument(arguments, argument)?;
    usize::try_from(integer)
        .map_err(|_| ArgumentError::new(argument, format!("expected 0 or more, found {integer}")))
}

/// Returns the texts of a list.
pub(super) fn texts_argument<'v>(
    arguments: &[&'v Value],
    argument: usize,
) -> Result<Vec<&'v str>, ArgumentError> {
    let items = list_argument(arguments, argument)?.iter().enumerate();
    let text = |(index, item): (usize, &'v Value)| {
        item.as_str().ok_or_else(|| {
            ArgumentError::new(argument, format!("item {index} is {}, not a string", item.type_name()))
        })
    };
    items.map(text).collect()
}

/// Refuses to make something of so many bytes.
pub(super) fn check_size(bytes: usize) -> Result<(), ArgumentError> {
    if bytes <= LARGEST_RESULT {
        return Ok(());
    }
    Err(ArgumentError::new(0, "the result would be larger than 16 MiB"))
}

/// Returns a length as a value.
pub(super) fn length_value(length: usize) -> Value {
    Value::Integer(i64::try_from(length).expect("nothing in memory is that long"))
}

/// Returns the first item that is unknown as a whole.
pub(super) fn unknown_item(items: &[Value]) -> Option<&Unknown> {
    items.iter().find_map(|item| if let Value::Unknown(unknown) = item { Some(unknown) } else { None })
}
