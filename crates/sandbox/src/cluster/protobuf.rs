//! Bodies in the binary form that clients written in Go send of the kinds that every cluster has: they become
//! JSON ("Kubernetes Protobuf encoding", documentation of Kubernetes).
//!
//! The numbers of fields are in `data/numbers.txt`, a type a line. `+TYPE` is a message whose fields stand in
//! its own place in JSON.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kind;
use super::schema::Type;

/// The media type.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";
/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Numbers and switches that may be left out, and that mean something else when they are zero or off. All others
/// are written whether somebody has set them or not.
const MAY_BE_ZERO: &[&str] = &[
    "activeDeadlineSeconds",
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "backoffLimit",
    "completions",
    "defaultMode",
    "deletionGracePeriodSeconds",
    "enableServiceLinks",
    "expirationSeconds",
    "gracePeriodSeconds",
    "hostUsers",
    "immutable",
    "maxReplicas",
    "minReplicas",
    "optional",
    "orphanDependents",
    "parallelism",
    "partition",
    "priority",
    "privileged",
    "progressDeadlineSeconds",
    "readOnlyRootFilesystem",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "suspend",
    "terminationGracePeriodSeconds",
    "tolerationSeconds",
    "ttlSecondsAfterFinished",
];

type Numbers = BTreeMap<u64, &'static str>;

static NUMBERS: LazyLock<BTreeMap<&'static str, Numbers>> = LazyLock::new(|| {
    let types = include_str!("data/numbers.txt").lines().map(|line| {
        let (name, fields) = line.split_once(' ').expect("a type has fields");
        let words: Vec<_> = fields.split(' ').collect();
        let field = |pair: &[&'static str]| (pair[0].parse().expect("a field has a number"), pair[1]);
        (name, words.chunks_exact(2).map(field).collect())
    });
    types.collect()
});

/// Why a body cannot be read.
type Wrong = String;

/// Returns a body as JSON.
///
/// # Errors
/// If it is cut short, or of a kind that has no binary form.
pub(super) fn to_json(body: &[u8]) -> Result<String, Wrong> {
    let envelope = body.strip_prefix(MAGIC).ok_or("the prefix of the encoding is missing")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in fields(envelope)? {
        match field {
            (1, Wire::Bytes(bytes)) => {
                for field in fields(bytes)? {
                    match field {
                        (1, Wire::Bytes(bytes)) => api_version = text(bytes)?,
                        (2, Wire::Bytes(bytes)) => kind = text(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = type_name(&api_version, &kind);
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(kind));
    object.insert("apiVersion".to_owned(), json!(api_version));
    read(&name, &Type::named(&name), raw, &mut object)?;
    Ok(Value::Object(object).to_string())
}

/// Returns the name that a kind's type has in the tables.
fn type_name(api_version: &str, kind: &str) -> String {
    let is_meant =
        |known: &&std::sync::Arc<kind::Kind>| known.kind == kind && (known.api_version() == api_version);
    if let Some(Type::Named { name, .. }) = kind::built_in().iter().find(is_meant).map(|known| known.of()) {
        return name;
    }
    if kind == "DeleteOptions" {
        return "meta.DeleteOptions".to_owned();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or_default();
    format!("{group}.{version}.{kind}")
}

/// What is on the wire of a field.
#[derive(Debug, Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Fraction(f64),
    Bytes(&'a [u8]),
}

/// Reads the fields of a message, each with its number.
fn fields(mut rest: &[u8]) -> Result<Vec<(u64, Wire<'_>)>, Wrong> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let tag = number(&mut rest)?;
        let wire = match tag & 7 {
            0 => Wire::Number(number(&mut rest)?),
            1 => {
                let bytes = take(&mut rest, 8)?.try_into().map_err(|_| "a number is cut short")?;
                Wire::Fraction(f64::from_le_bytes(bytes))
            }
            2 => {
                let length = number(&mut rest)?;
                Wire::Bytes(take(&mut rest, usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            form => return Err(format!("a field has the unknown wire type {form}")),
        };
        found.push((tag >> 3, wire));
    }
    Ok(found)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Wrong> {
    let (taken, left) = rest.split_at_checked(count).ok_or("unexpected EOF")?;
    *rest = left;
    Ok(taken)
}

/// Reads a number of seven bits a byte.
fn number(rest: &mut &[u8]) -> Result<u64, Wrong> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number has too many digits".to_owned())
}

fn text(bytes: &[u8]) -> Result<String, Wrong> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text is no UTF-8".to_owned())
}

/// Reads a message into an object. `name` says which numbers its fields have, `of` what they are.
fn read(name: &str, of: &Type, bytes: &[u8], object: &mut Map<String, Value>) -> Result<(), Wrong> {
    let numbers = NUMBERS.get(name).ok_or_else(|| format!("no kind {name:?} is registered"))?;
    for (number, wire) in fields(bytes)? {
        // Newer clients know more fields.
        let Some(field) = numbers.get(&number) else { continue };
        if let (Some(inside), Wire::Bytes(bytes)) = (field.strip_prefix('+'), wire) {
            read(inside, of, bytes, object)?;
            continue;
        }
        let Some((of, _)) = of.field(field) else { continue };
        match &of {
            Type::List { items, .. } => {
                let entry = object.entry(*field).or_insert_with(|| json!([]));
                let value = value(items, wire)?;
                entry.as_array_mut().expect("it was made one").push(value);
            }
            Type::Map { items, .. } => {
                let entry = object.entry(*field).or_insert_with(|| json!({}));
                let (key, value) = pair(items, wire)?;
                entry[key] = value;
            }
            Type::Text
            | Type::Bytes
            | Type::Integer
            | Type::Number
            | Type::Flag
            | Type::Port
            | Type::Quantity
            | Type::Time
            | Type::MicroTime
            | Type::Any
            | Type::Named { .. }
            | Type::Struct(_) => {
                let value = value(&of, wire)?;
                if is_said(field, &value) {
                    object.insert((*field).to_owned(), value);
                }
            }
        }
    }
    Ok(())
}

/// Tells whether somebody has said a value: those that nobody has set are written too.
fn is_said(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_on) => *is_on || MAY_BE_ZERO.contains(&field),
        Value::Number(number) => number.as_f64() != Some(0.0) || MAY_BE_ZERO.contains(&field),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Reads an entry of a map.
fn pair(items: &Type, wire: Wire<'_>) -> Result<(String, Value), Wrong> {
    let Wire::Bytes(bytes) = wire else { return Err("an entry of a map is a number".to_owned()) };
    let (mut key, mut found) = (String::new(), value(items, Wire::Bytes(&[]))?);
    for field in fields(bytes)? {
        match field {
            (1, Wire::Bytes(bytes)) => key = text(bytes)?,
            // A list that stands in a map is a message of its own.
            (2, Wire::Bytes(bytes)) if matches!(items, Type::List { .. }) => found = list(items, bytes)?,
            (2, wire) => found = value(items, wire)?,
            _ => {}
        }
    }
    Ok((key, found))
}

fn list(of: &Type, bytes: &[u8]) -> Result<Value, Wrong> {
    let Type::List { items, .. } = of else { return Ok(Value::Null) };
    fields(bytes)?.into_iter().map(|(_, wire)| value(items, wire)).collect()
}

/// Reads a value.
fn value(of: &Type, wire: Wire<'_>) -> Result<Value, Wrong> {
    Ok(match (of, wire) {
        (Type::Flag, Wire::Number(number)) => json!(number != 0),
        // Numbers below zero are written as if they were great.
        (_, Wire::Number(number)) => json!(number.cast_signed()),
        (_, Wire::Fraction(number)) => json!(number),
        (Type::Text, Wire::Bytes(bytes)) => json!(text(bytes)?),
        (Type::Bytes, Wire::Bytes(bytes)) => json!(BASE64.encode(bytes)),
        (Type::Quantity, Wire::Bytes(bytes)) => only(bytes, 1, &Type::Text)?,
        (Type::Port, Wire::Bytes(bytes)) => port(bytes)?,
        (Type::Time, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%SZ")?,
        (Type::MicroTime, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%S%.6fZ")?,
        (Type::Any, Wire::Bytes(bytes)) => {
            let raw = fields(bytes)?.into_iter().find_map(|(number, wire)| match wire {
                Wire::Bytes(bytes) if number == 1 => Some(bytes),
                Wire::Bytes(_) | Wire::Number(_) | Wire::Fraction(_) => None,
            });
            serde_json::from_slice(raw.unwrap_or(b"null")).map_err(|error| error.to_string())?
        }
        (Type::Named { name, .. }, Wire::Bytes(bytes)) => {
            let mut object = Map::new();
            read(name, of, bytes, &mut object)?;
            Value::Object(object)
        }
        (Type::List { .. }, Wire::Bytes(bytes)) => list(of, bytes)?,
        (Type::Integer | Type::Number, Wire::Bytes(_)) => json!(0),
        (Type::Flag, Wire::Bytes(_)) => json!(false),
        (Type::Map { .. } | Type::Struct(_), Wire::Bytes(_)) => json!({}),
    })
}

/// Reads the one field of a message that counts.
fn only(bytes: &[u8], wanted: u64, of: &Type) -> Result<Value, Wrong> {
    let found = fields(bytes)?.into_iter().find(|(number, _)| *number == wanted);
    found.map_or(Ok(Value::Null), |(_, wire)| value(of, wire))
}

/// Reads what is a number or a text.
fn port(bytes: &[u8]) -> Result<Value, Wrong> {
    if only(bytes, 1, &Type::Integer)? == json!(1) {
        return only(bytes, 3, &Type::Text);
    }
    let number = only(bytes, 2, &Type::Integer)?;
    Ok(if number.is_null() { json!(0) } else { number })
}

/// Reads a time; one that was never set is nothing.
fn time(bytes: &[u8], form: &str) -> Result<Value, Wrong> {
    let seconds = only(bytes, 1, &Type::Integer)?.as_i64();
    let nanoseconds = only(bytes, 2, &Type::Integer)?.as_i64().unwrap_or(0);
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let time = Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or(0));
    Ok(json!(time.map_err(|error| error.to_string())?.strftime(form).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that is bytes.
    fn bytes(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("it is short");
        assert!(length < 0x80, "it would need another byte");
        [&[number << 3 | 2, length], bytes].concat()
    }

    /// A field of more than one byte's number that is bytes.
    fn later(number: u16, inside: &[u8]) -> Vec<u8> {
        let [low, high] =
            [u8::try_from((number << 3 | 2) & 0x7f).unwrap() | 0x80, u8::try_from(number >> 4).unwrap()];
        [&[low, high, u8::try_from(inside.len()).unwrap()], inside].concat()
    }

    fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC, &bytes(1, &meta), &bytes(2, raw)].concat()
    }

    fn told(api_version: &str, kind: &str, raw: &[u8]) -> Value {
        serde_json::from_str(&to_json(&envelope(api_version, kind, raw)).unwrap()).unwrap()
    }

    #[test]
    fn what_nobody_has_said_is_left_out_and_a_zero_that_means_something_is_not() {
        let metadata = [
            bytes(1, b"web"),
            bytes(2, b""),
            vec![7 << 3, 0],
            bytes(8, b""),
            bytes(11, &[bytes(1, b"app"), bytes(2, b"web")].concat()),
        ];
        let spec = [vec![1 << 3, 0], vec![5 << 3, 0]].concat();
        let object = told("apps/v1", "Deployment", &[bytes(1, &metadata.concat()), bytes(2, &spec)].concat());
        let expected = json!({
            "kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": { "name": "web", "labels": { "app": "web" } }, "spec": { "replicas": 0 },
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn messages_inside_that_json_does_not_have_are_opened() {
        let volume = [bytes(1, b"v"), bytes(2, &later(19, &bytes(1, &bytes(1, b"settings"))))].concat();
        let spec = bytes(1, &volume);
        let object = told("v1", "Pod", &bytes(2, &spec));
        assert_eq!(object["spec"]["volumes"], json!([{ "name": "v", "configMap": { "name": "settings" } }]));
        let port = |target: &[u8]| bytes(2, &bytes(1, &[vec![3 << 3, 80], bytes(4, target)].concat()));
        let number = told("v1", "Service", &port(&[1 << 3, 0, 2 << 3, 81, 3 << 3 | 2, 0]));
        assert_eq!(number["spec"]["ports"], json!([{ "port": 80, "targetPort": 81 }]));
        let name = told("v1", "Service", &port(&[1 << 3, 1, 2 << 3, 0, 3 << 3 | 2, 1, b'x']));
        assert_eq!(name["spec"]["ports"][0]["targetPort"], "x");
    }

    #[test]
    fn data_are_text_in_base64_and_requests_have_types_of_their_own() {
        let secret = told("v1", "Secret", &bytes(2, &[bytes(1, b"a"), bytes(2, &[0, 255])].concat()));
        assert_eq!(secret["data"], json!({ "a": "AP8=" }));
        let spec = bytes(2, &bytes(1, &[bytes(2, b"create"), bytes(5, b"pods")].concat()));
        let review = told("authorization.k8s.io/v1", "SelfSubjectAccessReview", &spec);
        assert_eq!(review["spec"]["resourceAttributes"], json!({ "verb": "create", "resource": "pods" }));
        let token = told("authentication.k8s.io/v1", "TokenRequest", &bytes(2, &[4 << 3, 0x90, 0x1c]));
        assert_eq!(token["spec"]["expirationSeconds"], 3600);
    }

    #[test]
    fn bodies_that_are_cut_or_of_no_kind_are_refused() {
        let whole = envelope("v1", "ConfigMap", &bytes(1, &bytes(1, b"settings")));
        for length in 0..whole.len() {
            // What ends between two fields is whole, without the rest.
            if let Err(problem) = to_json(&whole[..length]) {
                assert!(!problem.is_empty());
            }
        }
        assert_eq!(to_json(&whole[..whole.len() - 1]), Err("unexpected EOF".to_owned()));
        assert!(to_json(b"{}").is_err());
        let unknown = to_json(&envelope("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", b""));
        assert_eq!(unknown, Err("no kind \"elbv2.v1beta1.TargetGroupBinding\" is registered".to_owned()));
    }

    /// Every type has numbers for fields that it has.
    #[test]
    fn the_table_fits_the_types() {
        for (name, numbers) in &*NUMBERS {
            let of = Type::named(name.split('+').next().unwrap());
            for field in numbers.values().filter(|field| !field.starts_with('+')) {
                assert!(of.field(field).is_some(), "{name} has no {field}");
            }
            for inside in numbers.values().filter_map(|field| field.strip_prefix('+')) {
                assert!(NUMBERS.contains_key(inside), "{inside} has no fields");
            }
        }
    }
}
