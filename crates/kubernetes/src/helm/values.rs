//! Values of a chart, of the charts in it and of whoever uses it, made into one table.
//!
//! Source: <https://helm.sh/docs/chart_template_guide/values_files/> and
//! <https://helm.sh/docs/chart_template_guide/subcharts_and_globals/>; the corners were tried on helm.

use serde_json::{Map, Value};

use super::chart::Chart;

/// A table of values.
pub type Values = Map<String, Value>;

/// The key of the values that all charts see.
const GLOBAL: &str = "global";

/// What becomes of a null.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Nulls {
    /// It takes away what the chart sets.
    Remove,
    /// It stays, for a later time.
    Keep,
}

/// Puts tables of values over each other; later ones win.
#[must_use]
pub fn overlay(layers: impl IntoIterator<Item = Values>) -> Values {
    fn over(below: &mut Values, above: Values) {
        for (key, value) in above {
            match (below.get_mut(&key), value) {
                (Some(Value::Object(below)), Value::Object(above)) => over(below, above),
                (_, value) => {
                    below.insert(key, value);
                }
            }
        }
    }
    layers.into_iter().fold(Values::new(), |mut below, above| {
        over(&mut below, above);
        below
    })
}

/// Fills in what a chart and the charts in it set by themselves.
///
/// # Errors
/// Something stands where the values of a chart in this one should.
pub(super) fn coalesce(chart: &Chart, mut values: Values, nulls: Nulls) -> Result<Values, String> {
    fill_chart(chart, &mut values, nulls);
    for inner in &chart.charts {
        let own = values.remove(inner.name()).unwrap_or_else(|| Value::Object(Values::new()));
        let Value::Object(mut own) = own else {
            return Err(format!("type mismatch on {}: the values of a chart are a table", inner.name()));
        };
        share_globals(&mut own, &mut values);
        values.insert(inner.name().to_owned(), Value::Object(coalesce(inner, own, nulls)?));
    }
    Ok(values)
}

/// Gives a chart's table what all charts see.
fn share_globals(own: &mut Values, around: &mut Values) {
    let around = around.entry(GLOBAL).or_insert_with(|| Value::Object(Values::new()));
    let own = own.entry(GLOBAL).or_insert_with(|| Value::Object(Values::new()));
    let (Value::Object(around), Value::Object(own)) = (around, own) else { return };
    for (key, value) in around.iter() {
        match (value, own.get_mut(key)) {
            (Value::Object(outer), Some(Value::Object(inner))) => {
                // What is outside wins here, since it is who uses the chart that says it.
                let mut merged = outer.clone();
                fill_table(&mut merged, std::mem::take(inner), Nulls::Remove);
                *inner = merged;
            }
            (Value::Object(_), Some(_)) | (_, Some(Value::Object(_))) => {}
            (value, _) => {
                own.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Fills in the chart's own values.
fn fill_chart(chart: &Chart, values: &mut Values, nulls: Nulls) {
    for (key, default) in &chart.values {
        match values.get_mut(key) {
            None => {
                values.insert(key.clone(), default.clone());
            }
            Some(Value::Null) if nulls == Nulls::Remove => {
                values.shift_remove(key);
            }
            Some(Value::Object(given)) => {
                if let Value::Object(default) = default {
                    // Nulls for a chart in this one are still to be heard by it.
                    let is_chart = chart.charts.iter().any(|inner| inner.name() == key);
                    fill_table(given, default.clone(), if is_chart { Nulls::Keep } else { nulls });
                }
            }
            Some(_) => {}
        }
    }
}

/// Fills in what a table does not have. A null in it takes away the default, and goes with it.
pub(super) fn fill_table(given: &mut Values, defaults: Values, nulls: Nulls) {
    let nulls_given: Vec<String> = match nulls {
        Nulls::Remove => {
            given.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect()
        }
        Nulls::Keep => Vec::new(),
    };
    for (key, default) in defaults {
        match (given.get_mut(&key), default) {
            (Some(Value::Object(given)), Value::Object(default)) => fill_table(given, default, nulls),
            (Some(_), _) => {}
            (None, default) => {
                given.insert(key, default);
            }
        }
    }
    for key in nulls_given {
        given.shift_remove(&key);
    }
}

/// Returns the table at a path with dots.
pub(super) fn table_at<'a>(values: &'a Values, path: &str) -> Option<&'a Values> {
    path.split('.').try_fold(values, |table, key| table.get(key)?.as_object())
}

/// Returns the value at a path with dots.
pub(super) fn value_at<'a>(values: &'a Values, path: &str) -> Option<&'a Value> {
    match path.rsplit_once('.') {
        Some((table, key)) => table_at(values, table)?.get(key),
        None => values.get(path),
    }
}
