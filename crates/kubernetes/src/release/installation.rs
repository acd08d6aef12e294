//! What a release is made of: a chart, values, and what the chart is told of the cluster.

use serde_json::Value as Json;
use straddle_engine::bundle::{Context, Files, Trouble};
use straddle_engine::supply::Supply;
use straddle_engine::value::{Value, ValueMap};

use crate::helm::fetch::Reference;
use crate::helm::version::{Constraint, Version};
use crate::helm::{Capabilities, Chart, Release, Values, yaml};
use crate::release::troubles::{another_version, known_late, misnamed, unavailable, unreadable};

/// The version of Kubernetes that charts are told if that of the cluster is not known.
const KUBERNETES_VERSION: &str = "1.33";

/// A chart with everything that it is rendered with.
pub(super) struct Installation {
    pub(super) chart: Chart,
    /// Of files; later ones win.
    pub(super) files: Vec<Values>,
    /// Those of the block, with unknown parts; they win over files.
    pub(super) values: ValueMap,
    pub(super) release: Release,
    pub(super) creates_namespace: bool,
    pub(super) capabilities: Capabilities,
}

impl Installation {
    pub(super) fn read(inputs: &ValueMap, context: &Context<'_>) -> Result<Self, Vec<Trouble>> {
        let chart = open(inputs, context.files)?;
        let mut troubles = Vec::new();
        let mut files = Vec::new();
        for (index, path) in list(inputs, "values_files")?.iter().enumerate() {
            let input = format!("values_files[{index}]");
            match path.as_str().map(|path| values_of(path, context.files)) {
                Some(Ok(found)) => files.push(found),
                Some(Err(problem)) => troubles.push(Trouble::new(input, problem)),
                None => troubles.push(known_late(&input)),
            }
        }
        let values = match inputs.get("values") {
            None => ValueMap::new(),
            Some(Value::Map(values)) => values.clone(),
            Some(_) => {
                troubles.push(known_late("values"));
                ValueMap::new()
            }
        };
        let creates_namespace = match inputs.get("create_namespace") {
            None => false,
            Some(Value::Bool(creates)) => *creates,
            Some(_) => {
                troubles.push(known_late("create_namespace"));
                false
            }
        };
        if !troubles.is_empty() {
            return Err(troubles);
        }
        let release = Release {
            name: known_text(inputs, "release_name")?.unwrap_or(chart.name()).to_owned(),
            namespace: known_text(inputs, "namespace")?.unwrap_or("default").to_owned(),
            // What is rendered may not depend on how often that was done.
            revision: 1,
            is_upgrade: false,
        };
        let capabilities = capabilities(inputs)?;
        Ok(Self { chart, files, values, release, creates_namespace, capabilities })
    }
}

/// Opens the chart, which is in the folder of the spec or was fetched.
fn open(inputs: &ValueMap, files: &dyn Files) -> Result<Chart, Vec<Trouble>> {
    let Some(name) = known_text(inputs, "chart")? else {
        return Err(vec![Trouble::new("chart", "no chart is named")]);
    };
    let repository = known_text(inputs, "repository")?;
    let version = known_text(inputs, "version")?;
    let tree = if Reference::is_remote(repository, name) {
        let [repository, version] = [repository, version].map(|text| text.map(str::to_owned));
        Reference::new(repository.as_deref(), name, version.as_deref())
            .map_err(|error| vec![misnamed(&error, repository.is_some())])?;
        let supply = Supply { repository, name: name.to_owned(), version };
        match files.supplied(&supply) {
            None => return Err(vec![Trouble::unfetched("chart", &supply)]),
            Some(Err(unsupplied)) => return Err(vec![unavailable(&unsupplied)]),
            Some(Ok(tree)) => tree,
        }
    } else {
        files.tree(name).map_err(|problem| vec![Trouble::new("chart", problem)])?
    };
    let chart = Chart::from_tree(&tree).map_err(|error| vec![unreadable(name, &error)])?;
    let is_allowed = |wanted: &str| is_wanted(wanted, &chart.metadata.version);
    match version.filter(|wanted| !is_allowed(wanted)) {
        Some(wanted) => Err(vec![another_version(wanted, &chart.metadata.version)]),
        None => Ok(chart),
    }
}

/// Whether a version is one that the block allows; what is no version of the usual form is compared as a text.
fn is_wanted(wanted: &str, version: &str) -> bool {
    let allows =
        |constraint: Constraint| Version::parse(version).is_ok_and(|found| constraint.allows(&found));
    wanted == version || Constraint::parse(wanted).is_ok_and(allows)
}

fn values_of(path: &str, files: &dyn Files) -> Result<Values, String> {
    let text = files.read(path)?;
    match yaml::document(&text) {
        Ok(Json::Null) => Ok(Values::new()),
        Ok(Json::Object(values)) => Ok(values),
        Ok(_) => Err("the values are no table".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns what the cluster can do, as far as it is known.
fn capabilities(inputs: &ValueMap) -> Result<Capabilities, Vec<Trouble>> {
    let of_cluster = || inputs.get("cluster")?.as_map()?.get("version")?.as_str();
    let version = known_text(inputs, "kubernetes_version")?.or_else(of_cluster);
    let mut capabilities = Capabilities::of_version(version.unwrap_or(KUBERNETES_VERSION));
    for served in list(inputs, "api_versions")? {
        let served = served.as_str().ok_or_else(|| vec![known_late("api_versions")])?;
        capabilities.api_versions.push(served.to_owned());
    }
    Ok(capabilities)
}

/// Returns an input that decides which objects there are; `None` if it is not set.
fn known_text<'a>(inputs: &'a ValueMap, name: &str) -> Result<Option<&'a str>, Vec<Trouble>> {
    match inputs.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(vec![known_late(name)]),
    }
}

fn list<'a>(inputs: &'a ValueMap, name: &str) -> Result<&'a [Value], Vec<Trouble>> {
    match inputs.get(name) {
        None => Ok(&[]),
        Some(Value::List(items)) => Ok(items),
        Some(_) => Err(vec![known_late(name)]),
    }
}
