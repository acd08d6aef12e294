//! What is another thing each time. The bytes come from whoever renders.

use data_encoding::BASE64;

use super::arguments::{int, position, text};
use super::{Function, Returned, takes};
use crate::helm::template::{CallError, Executor, GoValue};

/// The longest random text, in characters.
const LONGEST: usize = 1 << 16;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "randAlpha", |executor, arguments| letters(executor, arguments, LETTERS)),
    takes(1, "randNumeric", |executor, arguments| letters(executor, arguments, DIGITS)),
    takes(1, "randAlphaNum", |executor, arguments| letters(executor, arguments, &[LETTERS, DIGITS].concat())),
    takes(1, "randAscii", |executor, arguments| {
        letters(executor, arguments, &(b' '..=b'~').collect::<Vec<_>>())
    }),
    takes(1, "randBytes", |executor, arguments| {
        let mut bytes = vec![0; length(arguments)?];
        (executor.world.random)(&mut bytes);
        Ok(GoValue::text(BASE64.encode(&bytes)))
    }),
    takes(2, "randInt", |executor, arguments| {
        let (from, to) = (int(arguments, 0)?, int(arguments, 1)?);
        let span = u64::try_from(to.saturating_sub(from)).ok().filter(|span| *span > 0);
        let span = span.ok_or_else(|| CallError::from("invalid argument to Intn"))?;
        Ok(GoValue::Int(from + (number(executor) % span).cast_signed()))
    }),
    takes(1, "shuffle", |executor, arguments| {
        let mut letters: Vec<char> = text(arguments, 0)?.chars().collect();
        for index in (1..letters.len()).rev() {
            letters.swap(index, below(executor, index + 1));
        }
        Ok(GoValue::text(letters.into_iter().collect::<String>()))
    }),
    takes(0, "uuidv4", |executor, _| {
        let mut bytes = [0; 16];
        (executor.world.random)(&mut bytes);
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        Ok(GoValue::text([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")))
    }),
    takes(1, "bcrypt", |executor, arguments| Ok(GoValue::text(bcrypt(executor, &text(arguments, 0)?)?))),
    takes(2, "htpasswd", |executor, arguments| {
        let (name, password) = (text(arguments, 0)?, text(arguments, 1)?);
        if name.contains(':') {
            return Ok(GoValue::text(format!("invalid username: {name}")));
        }
        Ok(GoValue::text(format!("{name}:{}", bcrypt(executor, &password)?)))
    }),
];

fn letters(executor: &Executor<'_>, arguments: &[GoValue], alphabet: &[u8]) -> Returned {
    let text: String =
        (0..length(arguments)?).map(|_| char::from(alphabet[below(executor, alphabet.len())])).collect();
    Ok(GoValue::text(text))
}

fn length(arguments: &[GoValue]) -> Result<usize, CallError> {
    let length = int(arguments, 0)?;
    position(length)
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| format!("{length} is no length of a random text").into())
}

fn number(executor: &Executor<'_>) -> u64 {
    let mut bytes = [0; 8];
    (executor.world.random)(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn below(executor: &Executor<'_>, end: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "it is below a usize")]
    let number = (number(executor) % end as u64) as usize;
    number
}

/// Returns the hash that web servers keep of a password, with the cost that Go takes.
fn bcrypt(executor: &Executor<'_>, password: &str) -> Result<String, CallError> {
    const COST: u32 = 10;
    let mut salt = [0; 16];
    (executor.world.random)(&mut salt);
    let hash =
        bcrypt::hash_with_salt(password, COST, salt).map_err(|error| CallError::from(error.to_string()))?;
    Ok(hash.format_for_version(bcrypt::Version::TwoA))
}
