//! Makes a chart of its files.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Chart, ChartError, ChartFile, DEEPEST, Metadata, archive};
use crate::helm::yaml::document;

/// Makes a chart of files; `depth` charts are around it.
pub(super) fn chart(files: Vec<ChartFile>, depth: usize) -> Result<Chart, ChartError> {
    if depth == DEEPEST {
        return Err(ChartError::Refused(format!(
            "there are more than {DEEPEST} charts inside of each other"
        )));
    }
    let mut sorted = Sorted::default();
    for file in files {
        sorted.add(file)?;
    }
    let Some(mut metadata) = sorted.metadata else {
        return Err(ChartError::Refused("Chart.yaml file is missing".to_owned()));
    };
    if let Some(requirements) = sorted.requirements
        && metadata.api_version == "v1"
    {
        metadata.dependencies = serde_json::from_value(requirements["dependencies"].clone())
            .map_err(|error| content("requirements.yaml", &error.to_string()))?;
    }
    let charts = sorted
        .inner
        .into_iter()
        .map(|(name, files)| inner(&name, files, depth))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Chart {
        metadata,
        values: sorted.values,
        schema: sorted.schema,
        templates: sorted.templates,
        files: sorted.files,
        charts,
    })
}

fn content(file: &str, problem: &str) -> ChartError {
    ChartError::Content { file: file.to_owned(), problem: problem.to_owned() }
}

/// The files of a chart by what they are for.
#[derive(Default)]
struct Sorted {
    metadata: Option<Metadata>,
    requirements: Option<Value>,
    values: Map<String, Value>,
    schema: Option<Vec<u8>>,
    templates: Vec<ChartFile>,
    files: Vec<ChartFile>,
    /// The files of the charts in it, without what they all begin with.
    inner: BTreeMap<String, Vec<ChartFile>>,
}

impl Sorted {
    fn add(&mut self, mut file: ChartFile) -> Result<(), ChartError> {
        if let Some(rest) = file.data.strip_prefix(b"\xef\xbb\xbf") {
            file.data = rest.to_vec();
        }
        match file.name.as_str() {
            "Chart.yaml" => self.metadata = Some(Metadata::read(read(&file)?)?),
            "Chart.lock" => {}
            "values.yaml" => {
                self.values = match read(&file)? {
                    Value::Object(values) => values,
                    Value::Null => Map::new(),
                    _ => return Err(content("values.yaml", "it is no table")),
                }
            }
            "values.schema.json" => self.schema = Some(file.data),
            "requirements.yaml" | "requirements.lock" => {
                if file.name == "requirements.yaml" {
                    self.requirements = Some(read(&file)?);
                }
                self.files.push(file);
            }
            name if name.starts_with("templates/") => self.templates.push(file),
            name if name.starts_with("charts/") => self.add_inner(file),
            _ => self.files.push(file),
        }
        Ok(())
    }

    fn add_inner(&mut self, file: ChartFile) {
        let name = &file.name["charts/".len()..];
        if has_extension(name, "prov") && !name.contains('/') {
            self.files.push(file);
            return;
        }
        let (chart, rest) = name.split_once('/').unwrap_or((name, ""));
        // What is not in a folder and no archive is a file beside the charts.
        let is_archive = rest.is_empty() && has_extension(chart, "tgz");
        if chart.starts_with(['_', '.']) || (rest.is_empty() && !is_archive) {
            return;
        }
        let (chart, rest) = (chart.to_owned(), rest.to_owned());
        self.inner.entry(chart).or_default().push(ChartFile { name: rest, data: file.data });
    }
}

/// Whether a name ends with an extension in small letters, as Helm wants it.
fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

fn read(file: &ChartFile) -> Result<Value, ChartError> {
    document(&file.text()).map_err(|source| ChartError::Yaml { file: file.name.clone(), source })
}

/// Makes one of the charts in a chart.
fn inner(name: &str, files: Vec<ChartFile>, depth: usize) -> Result<Chart, ChartError> {
    let error = |source| ChartError::Inner { name: name.to_owned(), source: Box::new(source) };
    match files.as_slice() {
        [file] if file.name.is_empty() => {
            archive::files(&file.data).and_then(|files| chart(files, depth + 1)).map_err(error)
        }
        _ => chart(files, depth + 1).map_err(error),
    }
}
