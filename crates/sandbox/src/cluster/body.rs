//! Bodies of writes: reading them, and checking that they fit the path that they are sent to.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::request::{Place, Request, Strictness};
use super::schema::Type;
use super::status::Failure;
use super::structure;

/// The largest body that is taken, in bytes.
pub(super) const LARGEST: usize = 3 << 20;

/// Returns a text; empty if it is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the metadata of an object, which gets some if it has none.
pub(super) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it was made one")
}

/// Puts what every object has before what only some have.
pub(super) fn arranged(object: Value) -> Value {
    let Value::Object(mut table) = object else { return object };
    table.shift_remove("kind");
    table.shift_remove("apiVersion");
    let metadata = table.shift_remove("metadata").unwrap_or_else(|| json!({}));
    let mut arranged = Map::new();
    arranged.insert("metadata".to_owned(), metadata);
    arranged.extend(table);
    Value::Object(arranged)
}

/// Reads an object of a kind.
pub(super) fn read(request: &Request, kind: &Kind) -> Result<Value, Failure> {
    if request.body.len() > LARGEST {
        let message = format!("Request entity too large: limit is {LARGEST}");
        return Err(Failure::new(413, "RequestEntityTooLarge", message));
    }
    match request.media() {
        "application/json" | "" => serde_json::from_str(&request.body).map_err(|error| {
            let why =
                if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
            let told = format!("couldn't get version/kind; json parse error: {why} ({})", request.body);
            let kind = &kind.kind;
            Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {kind}): {told}"
            ))
        }),
        "application/yaml" => yaml(&request.body),
        _ => {
            let message = "the body of the request was in an unknown format - accepted media types include: \
                application/json, application/yaml, application/vnd.kubernetes.protobuf";
            Err(Failure::new(415, "UnsupportedMediaType", message))
        }
    }
}

/// Reads YAML, which JSON is as well.
pub(super) fn yaml(body: &str) -> Result<Value, Failure> {
    if let Ok(value) = serde_json::from_str(body) {
        return Ok(value);
    }
    if body.trim_start().starts_with('{') {
        let message = "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected \
            node content";
        return Err(Failure::bad_request(message));
    }
    serde_saphyr::from_str(body).map_err(|error| {
        Failure::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}"))
    })
}

/// Refuses an object of another kind than the path's.
pub(super) fn check_kind(object: &Value, kind: &Kind) -> Result<(), Failure> {
    let (found, version) = (text(&object["kind"]), text(&object["apiVersion"]));
    let own = kind.api_version();
    let is_other = (!found.is_empty() && found != kind.kind) || (!version.is_empty() && version != own);
    if !is_other {
        return Ok(());
    }
    let (of, short) = (&kind.kind, version.rsplit('/').next().unwrap_or_default());
    let package =
        if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or_default() };
    let told = format!("converting ({short}.{found}) to ({package}.{of}): unknown conversion");
    Err(Failure::bad_request(format!("{found} in version {version:?} cannot be handled as a {of}: {told}")))
}

/// Refuses an intent of another kind than the path's.
pub(super) fn check_applied_kind(object: &Value, kind: &Kind) -> Result<(), Failure> {
    let (found, version) = (text(&object["kind"]), text(&object["apiVersion"]));
    if found == kind.kind && version == kind.api_version() {
        return Ok(());
    }
    let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
    Err(Failure::bad_request(format!("invalid object type: {version}, Kind={found}")))
}

/// Refuses an object of another place than the path's, and fills in what the path says.
pub(super) fn check_place(object: &mut Value, place: &Place) -> Result<(), Failure> {
    let own = metadata(object);
    let name = own.get("name").map(text).unwrap_or_default().to_owned();
    if !place.name.is_empty() && !name.is_empty() && name != place.name {
        let (given, wanted) = (name, &place.name);
        return Err(Failure::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({wanted})"
        )));
    }
    if !place.name.is_empty() {
        own.insert("name".to_owned(), json!(place.name));
    }
    let namespace = own.get("namespace").map(text).unwrap_or_default().to_owned();
    if !namespace.is_empty() && namespace != place.namespace && place.kind.namespaced {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if place.namespace.is_empty() {
        own.shift_remove("namespace");
    } else {
        own.insert("namespace".to_owned(), json!(place.namespace));
    }
    Ok(())
}

/// Takes out fields that the kind does not have: refuses them, warns of them, or keeps quiet.
pub(super) fn check_fields(
    object: &mut Value,
    kind: &Kind,
    strictness: Strictness,
    repeated: &[String],
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let unknown = structure::prune(&kind.of(), object, "");
    let mut told: Vec<_> = repeated.iter().map(|field| format!("duplicate field {field:?}")).collect();
    told.extend(unknown.iter().map(|field| format!("unknown field {field:?}")));
    if told.is_empty() {
        return Ok(());
    }
    match strictness {
        Strictness::Ignore => {}
        Strictness::Warn => warnings.extend(told),
        Strictness::Strict => {
            let (version, kind) = (kind.version.as_str(), kind.kind.as_str());
            let told = told.join(", ");
            return Err(Failure::bad_request(format!(
                "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {told}"
            )));
        }
    }
    Ok(())
}

/// Refuses an intent that has something in it which is no base64 where it should be.
pub(super) fn check_encodings(of: &Type, intent: &Value, kind: &Kind, place: &Place) -> Result<(), Failure> {
    let Some(index) = wrong_encoding(of, intent) else { return Ok(()) };
    let Place { namespace, name, .. } = place;
    let version = if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() };
    let kind = format!("{version}, Kind={}", kind.kind);
    Err(Failure::new(
        500,
        "",
        format!(
            "failed to convert new object ({namespace}/{name}; {kind}) to proper version: unable to convert unstructured \
         object to {kind}: error decoding from json: illegal base64 data at input byte {index}"
        ),
    ))
}

/// Returns where the first text that is no base64 goes wrong.
fn wrong_encoding(of: &Type, value: &Value) -> Option<usize> {
    match (of, value) {
        (Type::Bytes, Value::String(text)) => {
            data_encoding::BASE64.decode(text.as_bytes()).err().map(|error| {
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
                text.bytes().position(|byte| !is_letter(byte)).unwrap_or(error.position)
            })
        }
        (Type::List { items, .. }, Value::Array(values)) => {
            values.iter().find_map(|value| wrong_encoding(items, value))
        }
        (_, Value::Object(table)) => {
            table.iter().find_map(|(name, value)| wrong_encoding(&of.field(name)?.0, value))
        }
        _ => None,
    }
}

/// Returns the fields that a JSON text has twice, such as `data.a`.
pub(super) fn repeated(body: &str) -> Vec<String> {
    /// Collects the names of a table while it is read.
    struct Names<'a> {
        path: String,
        found: &'a std::cell::RefCell<Vec<String>>,
    }
    impl<'de> serde::de::DeserializeSeed<'de> for Names<'_> {
        type Value = ();
        fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
            source.deserialize_any(self)
        }
    }
    impl<'de> serde::de::Visitor<'de> for Names<'_> {
        type Value = ();
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a value")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut table: A) -> Result<(), A::Error> {
            let mut seen = std::collections::BTreeSet::new();
            while let Some(name) = table.next_key::<String>()? {
                let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
                if !seen.insert(name) {
                    self.found.borrow_mut().push(path.clone());
                }
                table.next_value_seed(Names { path, found: self.found })?;
            }
            Ok(())
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            let mut index = 0;
            while items
                .next_element_seed(Names { path: format!("{}[{index}]", self.path), found: self.found })?
                .is_some()
            {
                index += 1;
            }
            Ok(())
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }
    let found = std::cell::RefCell::new(Vec::new());
    let mut source = serde_json::Deserializer::from_str(body);
    // What cannot be read is refused elsewhere.
    drop(serde::de::DeserializeSeed::deserialize(Names { path: String::new(), found: &found }, &mut source));
    found.into_inner()
}
