//! Which of the charts in a chart are taken, under what name, and what values they give to it.
//!
//! Source: <https://helm.sh/docs/topics/charts/#chart-dependencies>.

use serde_json::{Map, Value};

use super::chart::{Chart, Dependency};
use super::values::{Nulls, Values, coalesce, fill_table, table_at, value_at};
use super::version::{Constraint, Version};

/// Takes the charts in a chart that its values want, and the values that these export.
///
/// # Errors
/// A chart that is needed and missing, or values that are no table.
pub(super) fn resolve(chart: &mut Chart, values: &Values) -> Result<(), String> {
    require(chart)?;
    choose(chart, values.clone(), "")?;
    import(chart)
}

/// Whether every chart that is named is there.
fn require(chart: &Chart) -> Result<(), String> {
    let is_missing = |needed: &&Dependency| !chart.charts.iter().any(|inner| inner.name() == needed.name);
    let missing: Vec<&str> =
        chart.metadata.dependencies.iter().filter(is_missing).map(|needed| needed.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", ")))
}

/// Leaves out what conditions and tags leave out, chart by chart inwards. `path` leads to the chart's
/// values.
fn choose(chart: &mut Chart, values: Values, path: &str) -> Result<(), String> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let mut taken: Vec<Chart> = Vec::new();
    for inner in &chart.charts {
        let is_named = |needed: &Dependency| inner.name() == needed.name && is_compatible(needed, inner);
        if !chart.metadata.dependencies.iter().any(is_named) {
            taken.push(inner.clone());
        }
    }
    for needed in &mut chart.metadata.dependencies {
        let found =
            chart.charts.iter().find(|inner| inner.name() == needed.name && is_compatible(needed, inner));
        if let Some(found) = found {
            let mut found = found.clone();
            if !needed.alias.is_empty() {
                found.metadata.name.clone_from(&needed.alias);
            }
            taken.push(found);
        }
        if !needed.alias.is_empty() {
            needed.name.clone_from(&needed.alias);
        }
    }
    chart.charts = taken;
    let values = coalesce(chart, values, Nulls::Remove)?;
    for needed in &mut chart.metadata.dependencies {
        needed.enabled = is_enabled(needed, &values, path);
    }
    let disabled: Vec<String> = chart
        .metadata
        .dependencies
        .iter()
        .filter(|needed| !needed.enabled)
        .map(|needed| needed.name.clone())
        .collect();
    chart.charts.retain(|inner| !disabled.iter().any(|name| name == inner.name()));
    chart.metadata.dependencies.retain(|needed| needed.enabled);
    for inner in &mut chart.charts {
        let path = format!("{path}{}.", inner.name());
        choose(inner, values.clone(), &path)?;
    }
    Ok(())
}

fn is_compatible(needed: &Dependency, found: &Chart) -> bool {
    let (Ok(constraint), Ok(version)) =
        (Constraint::parse(&needed.version), Version::parse(&found.metadata.version))
    else {
        return false;
    };
    constraint.allows(&version)
}

/// Conditions come before tags; without either, a chart is taken.
fn is_enabled(needed: &Dependency, values: &Values, path: &str) -> bool {
    let conditions = needed.condition.split(',').map(str::trim).filter(|condition| !condition.is_empty());
    for condition in conditions {
        if let Some(Value::Bool(word)) = value_at(values, &format!("{path}{condition}")) {
            return *word;
        }
    }
    let Some(tags) = table_at(values, "tags") else { return true };
    let said: Vec<bool> = needed.tags.iter().filter_map(|tag| tags.get(tag)?.as_bool()).collect();
    said.is_empty() || said.contains(&true)
}

/// Adds to a chart's values what it imports from those in it, innermost first.
fn import(chart: &mut Chart) -> Result<(), String> {
    for inner in &mut chart.charts {
        import(inner)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let mut values = coalesce(chart, Values::new(), Nulls::Keep)?;
    let mut imported = Values::new();
    for needed in &chart.metadata.dependencies {
        for import in &needed.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(pair) => {
                    let text = |key: &str| pair.get(key).and_then(Value::as_str).map(str::to_owned);
                    let (Some(child), Some(parent)) = (text("child"), text("parent")) else {
                        return Err(format!("import-values of {} need child and parent", needed.name));
                    };
                    (child, parent)
                }
                other => return Err(format!("import-values of {} has {other} in it", needed.name)),
            };
            // What is not exported is no error for Helm.
            let Some(table) = table_at(&values, &format!("{}.{child}", needed.name)) else { continue };
            fill_table(&mut imported, nested(&parent, table.clone()), Nulls::Keep);
        }
    }
    fill_table(&mut values, imported, Nulls::Keep);
    chart.values = values;
    Ok(())
}

/// Returns a table with another one at a path; `.` is no path.
fn nested(path: &str, table: Values) -> Values {
    path.rsplit('.')
        .filter(|key| !key.is_empty())
        .fold(table, |inner, key| Map::from_iter([(key.to_owned(), Value::Object(inner))]))
}
