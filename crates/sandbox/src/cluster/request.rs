//! A request to a cluster: what it is for, and how it is to be answered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::Kind;
use super::status::{Cause, Failure};

/// A request, by whoever it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Still encoded.
    pub(crate) query: String,
    pub(crate) accept: String,
    pub(crate) content_type: String,
    /// The program that asks.
    pub(crate) agent: String,
    pub(crate) body: String,
}

/// What a request is for.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Something about the server itself.
    Path(String),
    Place(Place),
}

/// An object, a part of one, or the objects of a kind.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) kind: Arc<Kind>,
    pub(super) namespace: String,
    /// Empty if all objects are meant.
    pub(super) name: String,
    /// Empty if the object as a whole is meant.
    pub(super) subresource: String,
    /// Whether the path itself says that changes are wanted.
    pub(super) is_watched: bool,
}

/// How a client wants to see objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Json,
    Yaml,
    Table,
    Metadata,
}

/// How unknown fields of a write are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    Ignore,
    Warn,
    Strict,
}

impl Request {
    /// Returns the values of a query parameter.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(of, _)| of == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// Returns a query parameter; empty if it is not there.
    pub(super) fn one(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.all(name).first().is_some_and(|value| !["0", "false"].contains(&value.as_str()))
    }

    /// Returns a query parameter that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let text = self.one(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .map_err(|_| Failure::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))
    }

    /// Tells whether it asks for changes as they come.
    pub(super) fn is_watch(&self) -> bool {
        self.method == "GET" && self.flag("watch")
    }

    /// Tells whether the path names all objects of a kind, and not one of them or what kinds there are.
    pub(super) fn is_of_many(&self) -> bool {
        let segments: Vec<_> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = segments.as_slice() else { return false };
        match rest {
            ["namespaces", _, plural] => !is_part_of_namespace(plural),
            [_] => true,
            _ => false,
        }
    }

    /// Tells whether nothing is to be kept of what it does.
    pub(super) fn is_dry(&self) -> bool {
        self.all("dryRun").iter().any(|value| value == "All")
    }

    /// Refuses a value of `dryRun` that does not exist.
    pub(super) fn check_dry_run(&self, options: &str) -> Result<(), Failure> {
        let wrong: Vec<_> = self.all("dryRun").into_iter().filter(|value| value != "All").collect();
        if wrong.iter().all(String::is_empty) {
            return Ok(());
        }
        let cause = Cause::unsupported("dryRun", &json!(wrong), &["All"]);
        Err(Failure::invalid("meta.k8s.io", options, "", &[cause]))
    }

    /// Returns who writes: by the parameter, else by the program's name.
    pub(super) fn manager(&self) -> String {
        let given = self.one("fieldManager");
        if !given.is_empty() {
            return given;
        }
        let program = self.agent.split('/').next().unwrap_or_default();
        if program.is_empty() { "unknown".to_owned() } else { program.to_owned() }
    }

    pub(super) fn strictness(&self) -> Strictness {
        match self.one("fieldValidation").as_str() {
            "Strict" => Strictness::Strict,
            "Ignore" => Strictness::Ignore,
            _ => Strictness::Warn,
        }
    }

    /// Returns the media type of the body.
    pub(super) fn media(&self) -> &str {
        self.content_type.split(';').next().unwrap_or_default().trim()
    }

    /// Returns how the answer is to look: the first form of those that the client takes which is
    /// there.
    pub(super) fn view(&self) -> Result<View, Failure> {
        if self.accept.trim().is_empty() {
            return Ok(View::Json);
        }
        for form in self.accept.split(',') {
            let mut parts = form.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let shape = parts.find_map(|part| part.strip_prefix("as="));
            match (media, shape) {
                ("application/json" | "*/*" | "application/*", None) => return Ok(View::Json),
                ("application/json", Some("Table")) => return Ok(View::Table),
                ("application/json", Some("PartialObjectMetadata" | "PartialObjectMetadataList")) => {
                    return Ok(View::Metadata);
                }
                ("application/yaml", None) => return Ok(View::Yaml),
                _ => {}
            }
        }
        let available = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
        let message = format!("406: Not Acceptable\n\nAvailable representations: {available}");
        Err(Failure::new(406, "NotAcceptable", message).with_details(json!({})))
    }

    /// Finds what the request is for among the kinds that are served.
    pub(super) fn target(&self, kinds: &[Arc<Kind>]) -> Result<Target, Failure> {
        let segments: Vec<_> =
            self.path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Ok(Target::Path(self.path.clone())),
        };
        if !group.is_empty() && !kinds.iter().any(|kind| kind.group == group && kind.version == version) {
            return Err(Failure::no_path());
        }
        let (is_watched, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let of_kind = |plural: &str| {
            let mut kinds = kinds.iter();
            kinds
                .find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
                .cloned()
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, plural, ..] if !is_part_of_namespace(plural) => {
                (*namespace, &rest[2..])
            }
            rest => ("", rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, part] => (*plural, *name, *part),
            _ => return Err(Failure::no_resource()),
        };
        let kind = of_kind(plural).ok_or_else(Failure::no_resource)?;
        let is_misplaced =
            if kind.namespaced { namespace.is_empty() && !name.is_empty() } else { !namespace.is_empty() };
        if is_misplaced || (!subresource.is_empty() && kind.subresource(subresource).is_none()) {
            return Err(Failure::no_resource());
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Ok(Target::Place(Place { kind, namespace, name, subresource: subresource.to_owned(), is_watched }))
    }
}

fn is_part_of_namespace(segment: &str) -> bool {
    ["status", "finalize"].contains(&segment)
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

impl Place {
    /// Returns the verb by which it is decided whether a request is allowed.
    pub(super) fn verb(&self, request: &Request) -> Result<&'static str, Failure> {
        let verb = match (request.method.as_str(), self.name.is_empty()) {
            ("GET", _) if self.is_watched || request.is_watch() => "watch",
            ("GET", false) => "get",
            ("GET", true) => "list",
            ("POST", true) => "create",
            ("POST", false) if !self.subresource.is_empty() => "create",
            ("PUT", false) => "update",
            ("PATCH", false) => "patch",
            ("DELETE", false) => "delete",
            ("DELETE", true) => "deletecollection",
            _ => return Err(Failure::not_allowed()),
        };
        let part = self.kind.subresource(&self.subresource);
        let verbs = part.map_or(&self.kind.verbs, |part| &part.verbs);
        if verbs.iter().any(|allowed| allowed == verb) { Ok(verb) } else { Err(Failure::not_allowed()) }
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The body if it is no JSON, with its type.
    pub(crate) text: Option<(String, String)>,
    pub(crate) warnings: Vec<String>,
    /// Claims that the cluster's issuer has to sign: the token goes into the body's status.
    pub(crate) to_sign: Option<Value>,
}

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, body, text: None, warnings: Vec::new(), to_sign: None }
    }

    /// Answers with text.
    pub(super) fn text(content_type: &str, text: impl Into<String>) -> Self {
        Self { text: Some((content_type.to_owned(), text.into())), ..Self::new(200, Value::Null) }
    }
}
