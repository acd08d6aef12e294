//! Encodings, and the parts of paths and addresses.

use data_encoding::{BASE32, BASE64, Encoding};
use straddle_web::Url;

use super::arguments::{data, table, text};
use super::{Function, Returned, takes};
use crate::helm::template::{CallError, Executor, GoValue, from_json, json_text, pretty_json_text};

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "b64enc", |_, arguments| Ok(GoValue::text(BASE64.encode(text(arguments, 0)?.as_bytes())))),
    takes(1, "b64dec", |_, arguments| decoded(&BASE64, "base64", arguments)),
    takes(1, "b32enc", |_, arguments| Ok(GoValue::text(BASE32.encode(text(arguments, 0)?.as_bytes())))),
    takes(1, "b32dec", |_, arguments| decoded(&BASE32, "base32", arguments)),
    // What cannot be encoded is nothing, but for those that say `must`.
    takes(1, "toJson", |_, arguments| {
        Ok(GoValue::text(data(arguments, 0).map(|data| json_text(&data, true)).unwrap_or_default()))
    }),
    takes(1, "mustToJson", |_, arguments| Ok(GoValue::text(json_text(&data(arguments, 0)?, true)))),
    takes(1, "toRawJson", to_raw_json),
    takes(1, "mustToRawJson", to_raw_json),
    takes(1, "toPrettyJson", to_pretty_json),
    takes(1, "mustToPrettyJson", to_pretty_json),
    takes(1, "mustFromJson", |_, arguments| Ok(from_json(&read_json(&text(arguments, 0)?)?))),
    takes(1, "base", base),
    takes(1, "osBase", base),
    takes(1, "dir", dir),
    takes(1, "osDir", dir),
    takes(1, "ext", ext),
    takes(1, "osExt", ext),
    takes(1, "clean", |_, arguments| Ok(GoValue::text(clean(&text(arguments, 0)?)))),
    takes(1, "osClean", |_, arguments| Ok(GoValue::text(clean(&text(arguments, 0)?)))),
    takes(1, "isAbs", |_, arguments| Ok(GoValue::Bool(text(arguments, 0)?.starts_with('/')))),
    takes(1, "osIsAbs", |_, arguments| Ok(GoValue::Bool(text(arguments, 0)?.starts_with('/')))),
    takes(1, "urlParse", url_parse),
    takes(1, "urlJoin", url_join),
];

/// Reads JSON.
///
/// # Errors
/// What Go says of text that ends too early, and what the parser says of all else.
pub(super) fn read_json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() }
    })
}

fn decoded(encoding: &Encoding, name: &str, arguments: &[GoValue]) -> Returned {
    let text = text(arguments, 0)?.replace(['\n', '\r'], "");
    Ok(GoValue::text(match encoding.decode(text.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        // What it says stands where the data should.
        Err(error) => format!("illegal {name} data at input byte {}", error.position),
    }))
}

fn to_raw_json(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(GoValue::text(json_text(&data(arguments, 0)?, false)))
}

fn to_pretty_json(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(GoValue::text(pretty_json_text(&data(arguments, 0)?)))
}

fn base(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let path = text(arguments, 0)?;
    let trimmed = path.trim_end_matches('/');
    Ok(GoValue::text(match (path.is_empty(), trimmed.rsplit('/').next()) {
        (true, _) => ".",
        (false, Some("") | None) => "/",
        (false, Some(name)) => name,
    }))
}

fn dir(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let path = text(arguments, 0)?;
    Ok(GoValue::text(clean(path.rfind('/').map_or("", |at| &path[..=at]))))
}

fn ext(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let path = text(arguments, 0)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(GoValue::text(name.rfind('.').map_or("", |at| &name[at..])))
}

/// Returns the shortest path that means the same.
pub(super) fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn url_parse(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let address = text(arguments, 0)?;
    let url = Url::parse(&address)
        .map_err(|error| CallError::from(format!("unable to parse url: parse {address:?}: {error}")))?;
    let after = address.split_once("://").map_or("", |(_, after)| after);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    // A library adds a path where none is written.
    let path = if after[authority.len()..].starts_with('/') { url.path() } else { "" };
    let parts = [
        ("scheme", url.scheme()),
        ("host", host),
        ("hostname", url.host_str().unwrap_or_default()),
        ("path", path),
        ("query", url.query().unwrap_or_default()),
        ("opaque", if url.cannot_be_a_base() { url.path() } else { "" }),
        ("fragment", url.fragment().unwrap_or_default()),
        ("userinfo", user),
    ];
    Ok(GoValue::table(parts.map(|(name, part)| (name.to_owned(), GoValue::text(part)))))
}

fn url_join(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let parts = table(arguments, 0)?;
    let parts = parts.borrow();
    let part = |name: &str, before: &str| match parts.get(name) {
        Some(GoValue::Text(text)) if !text.is_empty() => format!("{before}{text}"),
        _ => String::new(),
    };
    let scheme = match part("scheme", "") {
        scheme if scheme.is_empty() => scheme,
        scheme => format!("{scheme}:"),
    };
    let user = match part("userinfo", "") {
        user if user.is_empty() => user,
        user => format!("{user}@"),
    };
    let host = part("host", "");
    let slashes = if host.is_empty() { "" } else { "//" };
    let path = match part("path", "") {
        path if path.is_empty() || path.starts_with('/') || host.is_empty() => path,
        path => format!("/{path}"),
    };
    let rest = part("query", "?") + &part("fragment", "#");
    Ok(GoValue::text(format!("{scheme}{slashes}{user}{host}{path}{rest}")))
}
