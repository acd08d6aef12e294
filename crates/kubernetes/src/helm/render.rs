//! A chart and values in, objects out. Nothing is asked and nothing is read on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::Value;

use super::capabilities::Capabilities;
use super::chart::Chart;
use super::dependencies;
use super::files::{About, Files};
use super::functions::function;
use super::manifests::{ManifestError, Rendered, crds, sorted};
use super::schema;
use super::template::{Executor, Failure, GoValue, TemplateError, Templates, World, from_json};
use super::values::{Nulls, Values, coalesce};
use super::version::{Constraint, Version};

/// The stack that templates run on, in bytes: they may call each other a thousand times, and none of it
/// is used before.
const STACK: usize = 1 << 30;

/// The file of a chart that is for people.
const NOTES: &str = "NOTES.txt";

/// What a chart is rendered as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The namespace that it goes to.
    pub namespace: String,
    /// How often it was installed or upgraded, with this time.
    pub revision: u32,
    /// Whether something is upgraded, and not installed.
    pub is_upgrade: bool,
}

/// An object that templates look up in the cluster; without a name, all of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// Empty for all, and for what has none.
    pub namespace: String,
    /// Empty for all.
    pub name: String,
}

/// What is known of the cluster's objects. What is not in it is not there, as far as templates see.
///
/// `Rendered::lookups` tells what they have asked for, so that somebody who has a cluster reads that and
/// renders again until nothing new is asked.
pub type Answers = BTreeMap<Query, Value>;

/// What a rendering takes that it does not get from the chart.
pub struct Surroundings<'a> {
    /// What the cluster can do.
    pub capabilities: &'a Capabilities,
    /// What is known of its objects.
    pub answers: &'a Answers,
    /// The time that templates see.
    pub now: jiff::Timestamp,
    /// Fills a buffer with random bytes. Keys of certificates do not come from it.
    pub random: &'a (dyn Fn(&mut [u8]) + Sync),
    /// What keys and certificates are.
    pub keys: Keys,
}

/// What the keys and certificates of a rendering are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// What they are for.
    Real,
    /// Texts of their form that are of no use, and equal for equal random bytes. They cost nothing.
    StandIns,
}

/// Why a chart could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The chart is for other charts.
    #[error("library charts are not installable")]
    Library,
    /// The chart is for other versions of Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}")]
    KubernetesVersion {
        /// What it wants.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// The charts in it are not what it says.
    #[error("{0}")]
    Dependencies(String),
    /// The values are not what the chart says.
    #[error("{0}")]
    Values(String),
    /// A template is wrong, or says that something is.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What a template makes is no object.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Renders a chart.
///
/// # Errors
/// Whatever Helm refuses, and functions that are not supported, by name.
pub fn render(
    chart: &Chart,
    values: &Values,
    release: &Release,
    surroundings: &Surroundings<'_>,
) -> Result<Rendered, RenderError> {
    // Values of Go are shared in a way that threads cannot see, and all that is left behind ends with
    // the thread.
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || render_here(chart, values, release, surroundings))
            .map_err(|error| RenderError::Dependencies(format!("no thread for the templates: {error}")))?
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn render_here(
    chart: &Chart,
    values: &Values,
    release: &Release,
    surroundings: &Surroundings<'_>,
) -> Result<Rendered, RenderError> {
    check_kind(chart, surroundings.capabilities)?;
    let mut chart = chart.clone();
    dependencies::resolve(&mut chart, values).map_err(RenderError::Dependencies)?;
    let values = coalesce(&chart, values.clone(), Nulls::Remove).map_err(RenderError::Values)?;
    schema::validate(&chart, &values).map_err(RenderError::Values)?;

    let mut files = BTreeMap::new();
    let shared = Shared { release: release_value(release), capabilities: surroundings.capabilities.object() };
    let values = from_json(&Value::Object(values));
    collect(&chart, chart.name(), true, &values, &shared, &mut files);
    let Ran { texts, lookups, chances } = run(&files, surroundings)?;
    let notes_path = format!("{}/templates/{NOTES}", chart.name());
    let notes = texts.get(&notes_path).cloned().filter(|notes| !notes.trim().is_empty());
    let texts = texts.into_iter().filter(|(name, _)| !name.ends_with(NOTES)).collect();
    let (objects, hooks) = sorted(&texts)?;
    Ok(Rendered { crds: crds(&chart, chart.name())?, objects, hooks, notes, lookups, chances })
}

/// Whether a chart can be rendered at all, and for this cluster.
fn check_kind(chart: &Chart, capabilities: &Capabilities) -> Result<(), RenderError> {
    if chart.is_library() {
        return Err(RenderError::Library);
    }
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let found = &capabilities.kubernetes_version;
    let is_right = Constraint::parse(wanted)
        .ok()
        .zip(Version::parse(found).ok())
        .is_some_and(|(wanted, found)| wanted.allows(&found));
    if is_right {
        return Ok(());
    }
    Err(RenderError::KubernetesVersion { wanted: wanted.clone(), found: found.clone() })
}

/// What templates of all charts see.
struct Shared {
    release: GoValue,
    capabilities: GoValue,
}

fn release_value(release: &Release) -> GoValue {
    GoValue::table([
        ("Name".to_owned(), GoValue::text(&release.name)),
        ("Namespace".to_owned(), GoValue::text(&release.namespace)),
        ("Revision".to_owned(), GoValue::Int(i64::from(release.revision))),
        ("IsInstall".to_owned(), GoValue::Bool(!release.is_upgrade)),
        ("IsUpgrade".to_owned(), GoValue::Bool(release.is_upgrade)),
        ("Service".to_owned(), GoValue::text("Helm")),
    ])
}

/// A template's text with what it sees.
struct File {
    text: String,
    dot: GoValue,
    base: String,
}

/// Collects the templates of a chart and of those in it; returns what the chart's own see.
fn collect(
    chart: &Chart,
    path: &str,
    is_root: bool,
    values: &GoValue,
    shared: &Shared,
    files: &mut BTreeMap<String, File>,
) -> GoValue {
    let inner_values = |name: &str| match values {
        GoValue::Table(table) => match table.borrow().get(name) {
            Some(values @ GoValue::Table(_)) => values.clone(),
            _ => GoValue::table([]),
        },
        _ => GoValue::table([]),
    };
    let inner: Vec<(String, GoValue)> = chart
        .charts
        .iter()
        .map(|inner| {
            let name = inner.name().to_owned();
            let dot =
                collect(inner, &format!("{path}/charts/{name}"), false, &inner_values(&name), shared, files);
            (name, dot)
        })
        .collect();
    let dot = GoValue::table([
        ("Chart".to_owned(), About::of(&chart.metadata, is_root)),
        ("Files".to_owned(), Files::of(chart)),
        ("Release".to_owned(), shared.release.clone()),
        ("Capabilities".to_owned(), shared.capabilities.clone()),
        ("Values".to_owned(), values.clone()),
        ("Subcharts".to_owned(), GoValue::table(inner)),
    ]);
    for template in &chart.templates {
        let is_partial = template.name.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        if is_partial || !chart.is_library() {
            let file = File {
                text: template.text().into_owned(),
                dot: dot.clone(),
                base: format!("{path}/templates"),
            };
            files.insert(format!("{path}/{}", template.name), file);
        }
    }
    dot
}

/// What templates came to.
struct Ran {
    texts: BTreeMap<String, String>,
    lookups: BTreeSet<Query>,
    chances: Vec<String>,
}

/// Runs the templates, deeper ones first, as Helm does: a chart's definitions win over those of the
/// charts in it.
fn run(files: &BTreeMap<String, File>, surroundings: &Surroundings<'_>) -> Result<Ran, RenderError> {
    let mut names: Vec<&String> = files.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse((name.matches('/').count(), *name)));
    let mut templates = Templates::default();
    for name in &names {
        templates.add(name, &files[*name].text, &|name| function(name).is_some())?;
    }
    let world = World::new(surroundings);
    let executor = Executor { world: &world, templates };
    let mut texts = BTreeMap::new();
    for name in names {
        if name.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
            continue;
        }
        let File { dot, base, .. } = &files[name];
        if let GoValue::Table(table) = dot {
            let about = [("Name", name.as_str()), ("BasePath", base)];
            let about = about.map(|(key, text)| (key.to_owned(), GoValue::text(text)));
            table.borrow_mut().insert("Template".to_owned(), GoValue::table(about));
        }
        let text = executor.run_file(name, dot).map_err(Failure::told)?;
        texts.insert(name.clone(), text.replace("<no value>", ""));
    }
    drop(executor);
    Ok(Ran { texts, lookups: world.asked.into_inner(), chances: world.chances.into_inner() })
}
