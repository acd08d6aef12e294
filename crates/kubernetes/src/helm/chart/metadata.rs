//! `Chart.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ChartError;
use crate::helm::version::Version;

/// What a chart says of itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The name.
    pub name: String,
    /// Where the project lives.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where its sources are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The version of the chart.
    #[serde(deserialize_with = "text")]
    pub version: String,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words it is found by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list")]
    pub maintainers: Vec<Map<String, Value>>,
    /// Its picture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// The version of the form of charts: `v1` or `v2`.
    pub api_version: String,
    /// When a chart that others depend on is taken.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// As `condition`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of what it installs, which need not be a version by any rule.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "text")]
    pub app_version: String,
    /// Whether nobody should use it any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// More that it says.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
    /// The versions of Kubernetes it is for, as a constraint; empty for all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts it needs.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "list")]
    pub dependencies: Vec<Dependency>,
    /// `application`, `library`, or empty for the former.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// A chart that another one needs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The versions that may be taken, as a constraint.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "text")]
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths in the values, the first of which that is a boolean decides whether it is taken.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Names in the values' `tags`, of which one has to be true if any is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is taken; worked out of the values.
    #[serde(skip_deserializing, skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Values of it that the other one takes over: names of its `exports`, or `child` and `parent`.
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty", deserialize_with = "list")]
    pub import_values: Vec<Value>,
    /// The name it has here, so that one chart can be taken twice.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

/// Takes versions that somebody has written as numbers.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Takes null for an empty list.
fn list<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Metadata {
    /// Reads what is in `Chart.yaml`, and checks what Helm checks.
    pub(super) fn read(mut value: Value) -> Result<Self, ChartError> {
        let error = |problem: String| ChartError::Content { file: "Chart.yaml".to_owned(), problem };
        if let Value::Object(entries) = &mut value {
            // What is null is as if it were not there.
            entries.retain(|_, entry| !entry.is_null());
        }
        let metadata: Self = serde_json::from_value(value).map_err(|problem| error(problem.to_string()))?;
        if metadata.api_version.is_empty() {
            return Err(error("apiVersion is required".to_owned()));
        }
        if metadata.name.is_empty() {
            return Err(error("name is required".to_owned()));
        }
        if metadata.name.contains(['/', '\\']) || matches!(metadata.name.as_str(), "." | "..") {
            return Err(error(format!("{:?} is no name of a chart", metadata.name)));
        }
        if Version::parse(&metadata.version).is_err() {
            return Err(error(format!("{:?} is no version", metadata.version)));
        }
        if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
            return Err(error("type must be application or library".to_owned()));
        }
        Ok(metadata)
    }
}
