//! Text: cutting, filling, quoting, hashing.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::{int, position, shown, text};
use super::{Function, takes, takes_from};
use crate::helm::template::{CallError, GoValue, quoted};

/// The longest text that is made by repetition, in bytes.
const LONGEST: usize = 16 << 20;

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "upper", |_, arguments| Ok(GoValue::text(text(arguments, 0)?.to_uppercase()))),
    takes(1, "lower", |_, arguments| Ok(GoValue::text(text(arguments, 0)?.to_lowercase()))),
    takes(1, "trim", |_, arguments| Ok(GoValue::text(text(arguments, 0)?.trim()))),
    takes(2, "trimAll", trim_all),
    takes(2, "trimall", trim_all),
    takes(2, "trimSuffix", |_, arguments| {
        let whole = text(arguments, 1)?;
        Ok(GoValue::text(whole.strip_suffix(&*text(arguments, 0)?).unwrap_or(&whole)))
    }),
    takes(2, "trimPrefix", |_, arguments| {
        let whole = text(arguments, 1)?;
        Ok(GoValue::text(whole.strip_prefix(&*text(arguments, 0)?).unwrap_or(&whole)))
    }),
    takes(1, "nospace", |_, arguments| {
        Ok(GoValue::text(text(arguments, 0)?.replace(char::is_whitespace, "")))
    }),
    takes(2, "repeat", |_, arguments| {
        let (count, whole) = (int(arguments, 0)?, text(arguments, 1)?);
        let count = position(count).ok_or_else(|| CallError::from("strings: negative Repeat count"))?;
        if count.saturating_mul(whole.len()) > LONGEST {
            return Err(format!("the text would have more than {LONGEST} bytes").into());
        }
        Ok(GoValue::text(whole.repeat(count)))
    }),
    takes(2, "contains", |_, arguments| {
        Ok(GoValue::Bool(text(arguments, 1)?.contains(&*text(arguments, 0)?)))
    }),
    takes(2, "hasPrefix", |_, arguments| {
        Ok(GoValue::Bool(text(arguments, 1)?.starts_with(&*text(arguments, 0)?)))
    }),
    takes(2, "hasSuffix", |_, arguments| {
        Ok(GoValue::Bool(text(arguments, 1)?.ends_with(&*text(arguments, 0)?)))
    }),
    takes(3, "replace", |_, arguments| {
        Ok(GoValue::text(text(arguments, 2)?.replace(&*text(arguments, 0)?, &text(arguments, 1)?)))
    }),
    takes(3, "plural", |_, arguments| {
        let (one, many) = (text(arguments, 0)?, text(arguments, 1)?);
        Ok(GoValue::Text(if int(arguments, 2)? == 1 { one } else { many }))
    }),
    takes_from(0, "quote", |_, arguments| Ok(joined(arguments, |value| quoted(&shown(value))))),
    takes_from(0, "squote", |_, arguments| Ok(joined(arguments, |value| format!("'{}'", shown(value))))),
    takes_from(0, "cat", |_, arguments| Ok(joined(arguments, |value| shown(value).to_string()))),
    takes(2, "indent", |_, arguments| Ok(GoValue::text(indented(arguments)?))),
    takes(2, "nindent", |_, arguments| Ok(GoValue::text(format!("\n{}", indented(arguments)?)))),
    takes(1, "toString", |_, arguments| Ok(GoValue::Text(shown(&arguments[0])))),
    takes(1, "sha1sum", |_, arguments| Ok(hex(&Sha1::digest(text(arguments, 0)?.as_bytes())))),
    takes(1, "sha256sum", |_, arguments| Ok(hex(&Sha256::digest(text(arguments, 0)?.as_bytes())))),
    takes(1, "sha512sum", |_, arguments| Ok(hex(&Sha512::digest(text(arguments, 0)?.as_bytes())))),
    takes(1, "adler32sum", |_, arguments| {
        Ok(GoValue::text(adler_32(text(arguments, 0)?.as_bytes()).to_string()))
    }),
];

fn trim_all(_: &crate::helm::template::Executor<'_>, arguments: &[GoValue]) -> Result<GoValue, CallError> {
    let (set, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(GoValue::text(whole.trim_matches(|character| set.contains(character))))
}

/// Puts what is not nil beside each other.
fn joined(arguments: &[GoValue], show: impl Fn(&GoValue) -> String) -> GoValue {
    let parts = arguments.iter().filter(|value| !matches!(value, GoValue::Nil)).map(show);
    GoValue::text(parts.collect::<Vec<_>>().join(" "))
}

fn indented(arguments: &[GoValue]) -> Result<String, CallError> {
    let spaces = position(int(arguments, 0)?).filter(|spaces| *spaces <= 1000);
    let spaces = spaces.ok_or_else(|| CallError::from("strings: negative Repeat count"))?;
    let pad = " ".repeat(spaces);
    Ok(format!("{pad}{}", text(arguments, 1)?.replace('\n', &format!("\n{pad}"))))
}

fn hex(bytes: &[u8]) -> GoValue {
    GoValue::text(data_encoding::HEXLOWER.encode(bytes))
}

fn adler_32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}
