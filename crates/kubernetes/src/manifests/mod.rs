//! `kubernetes_manifests`: the objects in files of manifests, each a resource of its own.

pub(crate) mod object;
mod patch;
mod yaml;

use std::collections::BTreeMap;
use std::ops::Range;

use straddle_engine::bundle::{Bundle, Context, Files, Member, Place, Trouble};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use crate::manifests::object::{Object, ObjectName, settle_namespaces};
use crate::manifests::yaml::{Data, Node};

/// The objects in files of manifests, as [`Bundle`].
#[derive(Debug)]
pub struct KubernetesManifests;

/// Objects of a cluster that are described in files of YAML or JSON. Each of them is a resource of the kind
/// `kubernetes_object`, with its own line in the plan, and is named by its kind, namespace and name:
/// `kubernetes_manifests.NAME['Ingress/shop/web']`, or `['Namespace/shop']` in no namespace. What an object
/// names is there before it: namespaces, definitions, accounts, configuration, services.
#[derive(Debug, Clone, Attributes)]
pub struct Inputs {
    /// The cluster, such as `${eks_cluster.main}`.
    cluster: Value,
    /// Files in the folder of the spec, each with any number of documents, and lists of objects among them.
    /// `*` stands for any part of a name, `**` for any folders: `manifests/**/*.yaml`. Nothing in them is
    /// an expression.
    files: Option<Vec<String>>,
    /// Manifests as text, such as `${templatefile('shop.yaml', { host = var.host })}`. It must be known when
    /// planning.
    text: Option<String>,
    /// The namespace of objects that do not say theirs and have to be in one. Without it, that is `default`.
    namespace: Option<String>,
    /// Labels of every object; they win over those in the files. Those of pods and selectors stay as they are.
    labels: Option<BTreeMap<String, String>>,
    /// Annotations of every object; they win over those in the files.
    annotations: Option<BTreeMap<String, String>>,
    /// Changes of single objects, by name: tables are merged into the manifest, `"${null}"` takes something
    /// out, anything else takes the place of what the file says. Values may be known after apply.
    patch: Option<BTreeMap<String, Value>>,
    /// What happens where somebody else has set a field of one of the objects to another value: `fail` names it,
    /// and who that is; `force` takes it over.
    #[attribute(one_of = ["fail", "force"])]
    conflicts: Option<String>,
    /// Whether to wait until what the objects describe is there, as `kubernetes_object` does.
    wait: Option<bool>,
}

impl Bundle for KubernetesManifests {
    const KIND: &'static str = "kubernetes_manifests";
    const MEMBER_KIND: &'static str = "kubernetes_object";
    const PASSED: &'static [&'static str] = &["cluster", "conflicts", "wait"];
    const EXAMPLE: &'static str = include_str!("example.toml");

    type Inputs = Inputs;

    fn members(inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>> {
        let mut reading =
            Reading { settings: Settings::of(inputs), objects: Vec::new(), troubles: Vec::new() };
        reading.files(inputs, context.files);
        reading.text(inputs);
        if inputs.get("files").is_none() && inputs.get("text").is_none() {
            let trouble = Trouble::new("", "has neither `files` nor `text`");
            reading.troubles.push(trouble.with_hint("Write `files = [\"manifests/*.yaml\"]`."));
        }
        reading.settle_namespaces();
        reading.patches(inputs);
        let Reading { objects, troubles, .. } = reading;
        if troubles.is_empty() { Ok(members(objects)) } else { Err(troubles) }
    }
}

/// What holds for every object.
struct Settings {
    namespace: Option<Value>,
    labels: Option<Value>,
    annotations: Option<Value>,
}

impl Settings {
    fn of(inputs: &ValueMap) -> Self {
        let input = |name: &str| inputs.get(name).cloned();
        Self { namespace: input("namespace"), labels: input("labels"), annotations: input("annotations") }
    }
}

/// What is read of files and text.
struct Reading {
    settings: Settings,
    objects: Vec<Object>,
    troubles: Vec<Trouble>,
}

/// Where a document comes from.
struct Origin<'a> {
    /// The input, such as `files[0]`.
    input: String,
    file: Option<&'a str>,
    text: &'a str,
}

impl Origin<'_> {
    fn place(&self, range: &Range<usize>) -> Option<Place> {
        let file = self.file?.to_owned();
        // What begins a list has no text of its own.
        let end = if range.is_empty() { yaml::end_of_line(self.text, range.start) } else { range.end };
        Some(Place { file, range: range.start..end })
    }

    /// Describes what is wrong at a place; in text that is in no file, the line is told in words.
    fn trouble(&self, range: &Range<usize>, message: impl Into<String>) -> Trouble {
        let message = message.into();
        if let Some(place) = self.place(range) {
            return Trouble::new(self.input.clone(), message).at(place);
        }
        let line = 1 + self.text.get(..range.start).unwrap_or_default().matches('\n').count();
        Trouble::new(self.input.clone(), format!("line {line}: {message}"))
    }
}

impl Reading {
    fn files(&mut self, inputs: &ValueMap, files: &dyn Files) {
        let patterns = match inputs.get("files") {
            None => return,
            Some(Value::List(patterns)) => patterns,
            Some(_) => return self.troubles.push(known_late("files")),
        };
        let mut seen = BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let input = format!("files[{index}]");
            let Some(pattern) = pattern.as_str() else {
                self.troubles.push(known_late(&input));
                continue;
            };
            match paths(pattern, files) {
                Ok(found) => {
                    for path in found {
                        if seen.insert(path.clone(), index).is_none() {
                            self.file(&input, &path, files);
                        }
                    }
                }
                Err(problem) => self.troubles.push(Trouble::new(input, problem)),
            }
        }
    }

    fn file(&mut self, input: &str, path: &str, files: &dyn Files) {
        match files.read(path) {
            Ok(text) => {
                self.documents(&Origin { input: input.to_owned(), file: Some(path), text: &text });
            }
            Err(problem) => {
                self.troubles.push(Trouble::new(input, format!("`{}`: {problem}", path.escape_debug())));
            }
        }
    }

    fn text(&mut self, inputs: &ValueMap) {
        match inputs.get("text") {
            None => {}
            Some(Value::String(text)) => {
                self.documents(&Origin { input: "text".to_owned(), file: None, text });
            }
            Some(_) => self.troubles.push(known_late("text")),
        }
    }

    fn documents(&mut self, origin: &Origin<'_>) {
        match yaml::read(origin.text) {
            Ok(documents) => {
                for document in documents.iter().filter(|document| !document.is_null()) {
                    self.document(origin, document);
                }
            }
            Err(error) => {
                let trouble = origin.trouble(&error.range, error.problem);
                let related = error.related.and_then(|(range, seen)| Some((origin.place(&range)?, seen)));
                self.troubles.push(match related {
                    Some((place, seen)) => trouble.with_related(place, seen),
                    None => trouble,
                });
            }
        }
    }

    /// Takes an object, or those of a list.
    fn document(&mut self, origin: &Origin<'_>, document: &Node) {
        let items = document
            .get("items")
            .filter(|_| document.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List")));
        if let Some(Node { data: Data::List(items), .. }) = items {
            return items.iter().for_each(|item| self.document(origin, item));
        }
        match self.object(origin, document) {
            Ok(object) => self.objects.push(object),
            Err(trouble) => self.troubles.push(*trouble),
        }
    }

    fn object(&self, origin: &Origin<'_>, document: &Node) -> Result<Object, Box<Trouble>> {
        let wrong = |range: &Range<usize>, message: String| Box::new(origin.trouble(range, message));
        let Value::Map(mut manifest) = document.value() else {
            let message = format!("expected an object, which is a table, found {}", document.type_name());
            return Err(wrong(&document.range, message));
        };
        let text = |table: &Node, key: &str, called: &str| match table.get(key) {
            Some(node) => node.text().map(|text| (text.to_owned(), node.range.clone())).ok_or_else(|| {
                let found = node.type_name();
                wrong(&node.range, format!("`{called}` has to be a text that is not empty, found {found}"))
            }),
            None => Err(wrong(&table.range, format!("the object has no `{called}`"))),
        };
        let (api_version, _) = text(document, "apiVersion", "apiVersion")?;
        let (kind, _) = text(document, "kind", "kind")?;
        let Some(metadata @ Node { data: Data::Table(_), .. }) = document.get("metadata") else {
            return Err(wrong(&document.range, "the object has no `metadata`".to_owned()));
        };
        let (name, range) = text(metadata, "name", "metadata.name")?;
        let own = metadata.get("namespace").filter(|node| !node.is_null());
        let own = own.map(|_| text(metadata, "namespace", "metadata.namespace")).transpose()?;
        let name = ObjectName { api_version, kind, namespace: own.map(|(namespace, _)| namespace), name };
        if let Some(Value::Map(metadata)) = manifest.get_mut("metadata") {
            metadata.retain(|_, value| !value.is_null());
            self.settings.put_into(metadata);
        }
        Ok(Object { manifest, name, place: origin.place(&range) })
    }

    /// Gives objects a namespace that need one and do not say it.
    fn settle_namespaces(&mut self) {
        match &self.settings.namespace {
            None => settle_namespaces(&mut self.objects, None),
            Some(Value::String(namespace)) => settle_namespaces(&mut self.objects, Some(namespace)),
            Some(_) => self.troubles.push(known_late("namespace")),
        }
    }

    /// Changes single objects.
    fn patches(&mut self, inputs: &ValueMap) {
        let patches = match inputs.get("patch") {
            None => return,
            Some(Value::Map(patches)) => patches,
            Some(_) => return self.troubles.push(known_late("patch")),
        };
        let mut positions = BTreeMap::new();
        for (position, object) in self.objects.iter().enumerate() {
            positions.insert(object.name.to_string(), position);
        }
        for (key, patch) in patches {
            let input = format!("patch.{key}");
            let Some(position) = positions.get(key) else {
                // What could not be read may be what is meant.
                if self.troubles.is_empty() {
                    self.troubles.push(no_such_object(&input, key, positions.keys()));
                }
                continue;
            };
            let object = &mut self.objects[*position];
            let Value::Map(patch) = patch else {
                self.troubles.push(not_a_table(&input, patch));
                continue;
            };
            patch::merge(&mut object.manifest, patch);
            if ObjectName::of(&object.manifest).as_ref() != Some(&object.name) {
                let trouble = Trouble::new(input, "changes what the object is called");
                let detail =
                    "`apiVersion`, `kind`, and the name and namespace in `metadata` say which object it is.";
                self.troubles.push(trouble.with_detail(detail).with_hint("Change the file."));
            }
        }
    }
}

impl Settings {
    fn put_into(&self, metadata: &mut ValueMap) {
        for (key, added) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            match added {
                None => {}
                Some(added @ Value::Map(_)) => {
                    patch::merge(metadata, &ValueMap::from([(key.to_owned(), added.clone())]));
                }
                Some(other) => drop(metadata.insert(key.to_owned(), other.clone())),
            }
        }
    }
}

/// Returns the files that a path or pattern stands for.
fn paths(pattern: &str, files: &dyn Files) -> Result<Vec<String>, String> {
    if !pattern.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let found = files.matching(pattern)?;
    if found.is_empty() { Err("no file has such a name".to_owned()) } else { Ok(found) }
}

/// Returns the resources for objects. Which of them wait for which follows from what they name.
fn members(objects: Vec<Object>) -> Vec<Member> {
    objects.into_iter().map(|object| object.into_member(Vec::new())).collect()
}

fn known_late(input: &str) -> Trouble {
    Trouble::new(input, "has to be known when planning").with_detail(
        "Which objects there are is in the plan, so what names them cannot be known after apply.",
    )
}

fn not_a_table(input: &str, patch: &Value) -> Trouble {
    if let Value::Unknown(_) = patch {
        return known_late(input);
    }
    Trouble::new(input, format!("expected a table, found {}", patch.type_name()))
}

fn no_such_object<'a>(input: &str, key: &str, known: impl Iterator<Item = &'a String>) -> Trouble {
    const SHOWN: usize = 10;
    let known: Vec<_> = known.collect();
    let shown: Vec<_> = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > SHOWN { format!(" and {} more", known.len() - SHOWN) } else { String::new() };
    let trouble = Trouble::new(input, format!("the files have no `{}`", key.escape_debug()));
    trouble.with_detail(format!("They have {}{more}.", shown.join(", ")))
}

#[cfg(test)]
mod loaded;
#[cfg(test)]
mod tests;
