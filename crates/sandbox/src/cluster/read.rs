//! Reads: one object, or those of a kind.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kind::Kind;
use super::request::{Place, Reply, Request, View};
use super::selector::{Labels, Places};
use super::status::Failure;
use super::store::{Key, Store};
use super::{events, logs, table};

/// Which objects of a kind are meant.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) labels: Labels,
    pub(super) places: Places,
}

impl Selection {
    /// Reads the selectors of a request.
    pub(super) fn read(request: &Request, kind: &Kind) -> Result<Self, Failure> {
        let labels = Labels::read(&request.one("labelSelector"))?;
        Ok(Self { labels, places: Places::read(&request.one("fieldSelector"), kind)? })
    }

    pub(super) fn is_all(&self) -> bool {
        self.labels.is_empty() && self.places.is_empty()
    }

    pub(super) fn has(&self, object: &Value) -> bool {
        self.labels.meet(&object["metadata"]["labels"]) && self.places.meet(object)
    }
}

/// Returns the place of an object.
pub(super) fn key(place: &Place) -> Key {
    Key::new(&place.kind.stored_as(), &place.namespace, &place.name)
}

/// Returns an object as its kind's group and version show it.
pub(super) fn shown(kind: &Kind, object: &Value) -> Value {
    let object = if kind.group == "events.k8s.io" { events::newer(object) } else { object.clone() };
    let mut shown = serde_json::Map::new();
    shown.insert("kind".to_owned(), json!(kind.kind));
    shown.insert("apiVersion".to_owned(), json!(kind.api_version()));
    if let Value::Object(table) = object {
        shown.extend(table);
    }
    Value::Object(shown)
}

/// Answers with an object.
pub(super) fn answer(
    kind: &Kind,
    object: &Value,
    status: u16,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, Failure> {
    let reply = match request.view()? {
        View::Json => Reply::new(status, shown(kind, object)),
        View::Yaml => yaml(status, &sorted(&shown(kind, object)))?,
        View::Table => {
            let columns = table::columns(kind);
            let row = table::row(kind, object, &request.one("includeObject"), now);
            let version = &object["metadata"]["resourceVersion"];
            Reply::new(status, table::table(&columns, &[row], &json!({ "resourceVersion": version })))
        }
        View::Metadata => Reply::new(status, table::metadata_only(object)),
    };
    Ok(reply)
}

fn yaml(status: u16, value: &Value) -> Result<Reply, Failure> {
    let text = serde_saphyr::to_string(value).map_err(|error| Failure::new(500, "", error.to_string()))?;
    Ok(Reply { status, ..Reply::text("application/yaml", text) })
}

/// Returns a value with its fields in the order of the alphabet, as in YAML answers.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(table) => {
            let mut names: Vec<_> = table.keys().collect();
            names.sort();
            Value::Object(names.into_iter().map(|name| (name.clone(), sorted(&table[name]))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Returns one object.
pub(super) fn get(store: &Store, place: &Place, request: &Request, now: Timestamp) -> Result<Reply, Failure> {
    let view = request.view();
    let object = store.get(&key(place)).ok_or_else(|| Failure::not_found(&place.kind, &place.name))?;
    if place.subresource != "log" {
        view?;
    }
    match place.subresource.as_str() {
        "scale" => return Ok(Reply::new(200, scale(object))),
        "log" => return logs::answer(object, request),
        _ => {}
    }
    answer(&place.kind, object, 200, request, now)
}

/// Returns how many there are to be of an object, as the subresource `scale` shows it.
pub(super) fn scale(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let selector = super::selector::written(&object["spec"]["selector"]);
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": { "replicas": object["spec"]["replicas"] },
        "status": { "replicas": object["status"]["replicas"].as_i64().unwrap_or(0) },
    });
    if !selector.is_empty() {
        scale["status"]["selector"] = json!(selector);
    }
    scale
}

/// Where a list goes on.
struct Continuation {
    version: u64,
    after: String,
}

impl Continuation {
    fn read(token: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        };
        // The last bits of a token that is cut mean nothing.
        let whole = token.len() - usize::from(token.len() % 4 == 1);
        let padded = format!("{}{}", &token[..whole], "A".repeat((4 - whole % 4) % 4));
        let bytes = BASE64URL_NOPAD.decode(padded.as_bytes());
        let bytes = bytes.map_err(|error| wrong(format!("illegal base64 data: {error}")))?;
        let bytes = &bytes[..whole * 3 / 4];
        let value: Value = serde_json::from_slice(bytes).map_err(|_| {
            let first = bytes.first().map_or_else(String::new, |byte| byte.escape_ascii().to_string());
            wrong(format!("invalid character '{first}' looking for beginning of value"))
        })?;
        let (Some(version), Some(after)) = (value["rv"].as_u64(), value["start"].as_str()) else {
            return Err(wrong("it has no start".to_owned()));
        };
        Ok(Self { version, after: after.trim_end_matches('\0').to_owned() })
    }

    fn write(&self) -> String {
        let token =
            json!({ "v": "meta.k8s.io/v1", "rv": self.version, "start": format!("{}\0", self.after) });
        BASE64URL_NOPAD.encode(token.to_string().as_bytes())
    }
}

/// What a list has, and where it goes on.
struct Page {
    items: Vec<Arc<Value>>,
    version: u64,
    next: Option<Continuation>,
    remaining: Option<usize>,
}

/// Returns the objects of a kind.
pub(super) fn list(
    store: &Store,
    place: &Place,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, Failure> {
    let view = request.view()?;
    let page = page(store, place, request)?;
    let kind = &place.kind;
    let mut metadata = json!({ "resourceVersion": page.version.to_string() });
    if kind.custom.is_some() {
        metadata["continue"] = json!("");
    }
    if let Some(next) = &page.next {
        metadata["continue"] = json!(next.write());
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    if view == View::Table {
        let include = request.one("includeObject");
        let rows: Vec<_> = page.items.iter().map(|object| table::row(kind, object, &include, now)).collect();
        return Ok(Reply::new(200, table::table(&table::columns(kind), &rows, &metadata)));
    }
    let items: Vec<_> = page.items.iter().map(|object| item(kind, object, view)).collect();
    let (list_kind, api_version) = match view {
        View::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        View::Json | View::Yaml | View::Table => (kind.list_kind(), kind.api_version()),
    };
    let list = json!({ "kind": list_kind, "apiVersion": api_version, "metadata": metadata, "items": items });
    if view == View::Yaml { yaml(200, &sorted(&list)) } else { Ok(Reply::new(200, list)) }
}

/// Returns an object as lists have it: its kind is the list's, unless it is a custom one.
fn item(kind: &Kind, object: &Value, view: View) -> Value {
    if view == View::Metadata {
        return table::metadata_only(object);
    }
    let mut item = shown(kind, object);
    if let Some(table) = item.as_object_mut().filter(|_| kind.custom.is_none()) {
        table.shift_remove("kind");
        table.shift_remove("apiVersion");
    }
    item
}

fn page(store: &Store, place: &Place, request: &Request) -> Result<Page, Failure> {
    let selection = Selection::read(request, &place.kind)?;
    let limit = request.number("limit")?.filter(|limit| *limit > 0);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let start = match request.one("continue").as_str() {
        "" => None,
        token => Some(Continuation::read(token)?),
    };
    check_version(store, request)?;
    let version = start.as_ref().map_or(store.version(), |start| start.version);
    if let Some(start) = start.as_ref().filter(|start| start.version < store.horizon()) {
        return Err(too_old_to_continue(store, start));
    }
    let after = start.map(|start| start.after).unwrap_or_default();
    let resource = place.kind.stored_as();
    let mut rest = store.list_after(&resource, &place.namespace, &after);
    let (mut items, mut last) = (Vec::new(), String::new());
    while items.len() < limit {
        let Some((path, object)) = rest.next() else {
            return Ok(Page { items, version, next: None, remaining: None });
        };
        if selection.has(object) {
            items.push(Arc::clone(object));
            path.clone_into(&mut last);
        }
    }
    let remaining = if selection.is_all() { Some(rest.count()) } else { rest.next().map(|_| 0) };
    let next = remaining.filter(|remaining| !selection.is_all() || *remaining > 0);
    let next = next.map(|_| Continuation { version, after: last });
    let remaining = remaining.filter(|remaining| selection.is_all() && *remaining > 0);
    Ok(Page { items, version, next, remaining })
}

fn too_old_to_continue(store: &Store, start: &Continuation) -> Failure {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start \
        a new list without the continue parameter, or use the continue token in this response to retrieve the \
        remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
        that were created, modified, or deleted between the time the first chunk was returned and now may show \
        up in the list.";
    let token = Continuation { version: store.version(), after: start.after.clone() };
    Failure::new(410, "Expired", message).carried_on_with(token.write())
}

/// Refuses a list of a version that is not known any more, or not yet.
fn check_version(store: &Store, request: &Request) -> Result<(), Failure> {
    let Some(version) = request.number("resourceVersion")? else { return Ok(()) };
    if version > store.version() {
        let current = store.version();
        let message = format!("Timeout: Too large resource version: {version}, current: {current}");
        let details = json!({
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        });
        return Err(Failure::new(504, "Timeout", message).with_details(details));
    }
    if request.one("resourceVersionMatch") == "Exact"
        && version != store.version()
        && version < store.horizon()
    {
        let message = "The resourceVersion for the provided list is too old.";
        return Err(Failure::new(410, "Expired", message));
    }
    Ok(())
}
