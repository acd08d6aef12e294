//! What templates see of a chart itself: `.Chart` and `.Files`.

use std::rc::Rc;

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::chart::{Chart, ChartFile, Metadata, glob};
use super::template::{GoValue, Object, from_json};
use super::yaml::{Lists, write};

/// The files of a chart that are no templates.
pub(super) struct Files(Rc<Vec<ChartFile>>);

impl Files {
    pub(super) fn of(chart: &Chart) -> GoValue {
        GoValue::Object(Rc::new(Self(Rc::new(chart.files.clone()))))
    }

    fn get(&self, name: &str) -> String {
        self.0.iter().find(|file| file.name == name).map(|file| file.text().into_owned()).unwrap_or_default()
    }

    /// Returns the files as a document of YAML: their names, without folders, and what `content` is.
    fn document(&self, content: fn(&ChartFile) -> String) -> GoValue {
        if self.0.is_empty() {
            return GoValue::text("");
        }
        let name = |file: &ChartFile| file.name.rsplit('/').next().unwrap_or_default().to_owned();
        let entries: Map<String, Value> =
            self.0.iter().map(|file| (name(file), Value::from(content(file)))).collect();
        let text = write(&Value::Object(entries), Lists::AtKey);
        GoValue::text(text.strip_suffix('\n').unwrap_or(&text))
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn member(&self, name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>> {
        let argument = || match arguments {
            [GoValue::Text(text)] => Ok(Rc::clone(text)),
            _ => Err(format!("{name} takes one text")),
        };
        Some(match name {
            "Get" | "GetBytes" => argument().map(|path| GoValue::text(self.get(&path))),
            "Lines" => argument().map(|path| {
                let text = self.get(&path);
                let text = text.strip_suffix('\n').unwrap_or(&text);
                if text.is_empty() { GoValue::list(Vec::new()) } else { GoValue::texts(text.split('\n')) }
            }),
            "Glob" => argument().map(|pattern| {
                // Helm takes a pattern that is none for the one that finds everything.
                let pattern = glob(&pattern).or_else(|| glob("**")).expect("two stars are a pattern");
                let found = self.0.iter().filter(|file| pattern.is_match(&file.name)).cloned().collect();
                GoValue::Object(Rc::new(Self(Rc::new(found))))
            }),
            "AsConfig" => Ok(self.document(|file| file.text().into_owned())),
            "AsSecrets" => Ok(self.document(|file| BASE64.encode(&file.data))),
            _ => return None,
        })
    }

    fn text(&self) -> String {
        self.data().display()
    }

    fn data(&self) -> GoValue {
        GoValue::table(self.0.iter().map(|file| (file.name.clone(), GoValue::text(file.text()))))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A chart's metadata, by the names that Go's fields have.
pub(super) struct About {
    metadata: Metadata,
    is_root: bool,
}

impl About {
    pub(super) fn of(metadata: &Metadata, is_root: bool) -> GoValue {
        GoValue::Object(Rc::new(Self { metadata: metadata.clone(), is_root }))
    }
}

impl Object for About {
    fn type_name(&self) -> &'static str {
        "interface {}"
    }

    fn member(&self, name: &str, _: &[GoValue]) -> Option<Result<GoValue, String>> {
        let metadata = &self.metadata;
        let maintainer = |entry: &Map<String, Value>| {
            let field = |key: &str| from_json(entry.get(key).unwrap_or(&Value::from("")));
            let fields = [("Name", "name"), ("Email", "email"), ("URL", "url")];
            GoValue::table(fields.map(|(name, key)| (name.to_owned(), field(key))))
        };
        let dependency = |needed: &super::chart::Dependency| {
            let fields = [
                ("Name", &needed.name),
                ("Version", &needed.version),
                ("Repository", &needed.repository),
                ("Condition", &needed.condition),
                ("Alias", &needed.alias),
            ];
            let fields = fields.map(|(name, text)| (name.to_owned(), GoValue::text(text)));
            let more = [
                ("Tags".to_owned(), GoValue::texts(&needed.tags)),
                ("Enabled".to_owned(), GoValue::Bool(needed.enabled)),
            ];
            GoValue::table(fields.into_iter().chain(more))
        };
        Some(Ok(match name {
            "Name" => GoValue::text(&metadata.name),
            "Home" => GoValue::text(&metadata.home),
            "Sources" => GoValue::texts(&metadata.sources),
            "Version" => GoValue::text(&metadata.version),
            "Description" => GoValue::text(&metadata.description),
            "Keywords" => GoValue::texts(&metadata.keywords),
            "Maintainers" => GoValue::list(metadata.maintainers.iter().map(maintainer).collect()),
            "Icon" => GoValue::text(&metadata.icon),
            "APIVersion" => GoValue::text(&metadata.api_version),
            "Condition" => GoValue::text(&metadata.condition),
            "Tags" => GoValue::text(&metadata.tags),
            "AppVersion" => GoValue::text(&metadata.app_version),
            "Deprecated" => GoValue::Bool(metadata.deprecated),
            "Annotations" => from_json(&Value::Object(metadata.annotations.clone())),
            "KubeVersion" => GoValue::text(&metadata.kube_version),
            "Dependencies" => GoValue::list(metadata.dependencies.iter().map(dependency).collect()),
            "Type" => GoValue::text(&metadata.kind),
            "IsRoot" => GoValue::Bool(self.is_root),
            _ => return None,
        }))
    }

    fn text(&self) -> String {
        self.data().display()
    }

    fn data(&self) -> GoValue {
        let data = serde_json::to_value(&self.metadata).unwrap_or_default();
        let data = from_json(&data);
        if let GoValue::Table(table) = &data {
            table.borrow_mut().insert("IsRoot".to_owned(), GoValue::Bool(self.is_root));
        }
        data
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
