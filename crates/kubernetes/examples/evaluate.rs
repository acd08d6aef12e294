//! Evaluates template expressions, one a line of the standard input, and answers in lines of JSON:
//! `{"text": ...}` or `{"error": ...}`. For `tests/helm/record --fuzz`, which compares them with helm's.

use std::io::{self, BufRead, Write};

use serde_json::json;
use straddle_kubernetes::helm::{
    Answers, Capabilities, Chart, ChartFile, Keys, Metadata, Release, Surroundings, Values, render, yaml,
};

fn main() -> io::Result<()> {
    let values = include_str!("../../../tests/helm/fuzz-values.yaml");
    let values = yaml::document(values).map_err(io::Error::other)?;
    let values = values.as_object().cloned().unwrap_or_default();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match evaluate(&line?, &values) {
            Ok(text) => json!({ "text": text }),
            Err(error) => json!({ "error": error }),
        };
        writeln!(output, "{answer}")?;
    }
    Ok(())
}

/// Returns the text of an expression.
fn evaluate(expression: &str, values: &Values) -> Result<String, String> {
    let template = format!("kind: Text\nvalue: {{{{ {expression} | toString | toJson }}}}\n");
    let chart = Chart {
        metadata: Metadata {
            name: "fuzz".to_owned(),
            version: "1.0.0".to_owned(),
            api_version: "v2".to_owned(),
            ..Metadata::default()
        },
        values: values.clone(),
        schema: None,
        templates: vec![ChartFile { name: "templates/a.yaml".to_owned(), data: template.into_bytes() }],
        files: Vec::new(),
        charts: Vec::new(),
    };
    let release = Release {
        name: "trial".to_owned(),
        namespace: "kube-system".to_owned(),
        revision: 1,
        is_upgrade: false,
    };
    let surroundings = Surroundings {
        capabilities: &Capabilities::of_version("1.33.1"),
        answers: &Answers::new(),
        now: jiff::Timestamp::UNIX_EPOCH,
        random: &|bytes| bytes.fill(7),
        keys: Keys::Real,
    };
    let rendered =
        render(&chart, &Values::new(), &release, &surroundings).map_err(|error| error.to_string())?;
    let value = &rendered.objects.first().ok_or("there is no object")?.object["value"];
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{value} is no text"))
}
