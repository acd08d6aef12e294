//! Numbers as Go writes them.

use serde_json::{Number, Value};

/// Returns a float as Go's `%v` writes it: the fewest digits, and an exponent from a million on.
pub(in crate::helm) fn float_text(number: f64) -> String {
    if let Some(word) = not_finite(number) {
        return word.to_owned();
    }
    match exponent_of(number) {
        exponent if number != 0.0 && !(-4..6).contains(&exponent) => with_exponent(number),
        _ => format!("{number}"),
    }
}

/// Returns a number as Go writes it in YAML.
pub(in crate::helm) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

/// Returns a number as Go writes it in JSON: an exponent only for what is very large or small.
pub(super) fn json_number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            let size = float.abs();
            if size != 0.0 && !(1e-6..1e21).contains(&size) {
                return with_exponent(float).replace("e-0", "e-");
            }
            format!("{float}")
        }
        _ => number.to_string(),
    }
}

/// Returns a float as JSON has it, which makes no difference between `1.0` and `1`: a number without
/// digits behind the point is an integer, as far as those reach.
pub(in crate::helm) fn whole_if_whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e20 {
        // The fewest digits that mean this float, filled up with zeros, as Go writes it.
        let text = format!("{number}");
        if let Ok(whole) = text.parse::<i64>() {
            return Value::from(whole);
        }
        if let Ok(whole) = text.parse::<u64>() {
            return Value::from(whole);
        }
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Returns a float with an exponent of at least two digits.
pub(super) fn with_exponent(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').expect("this form has an exponent");
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

pub(super) fn not_finite(number: f64) -> Option<&'static str> {
    match number {
        number if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

fn exponent_of(number: f64) -> i32 {
    let text = format!("{number:e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What helm 3.17.2 prints for these.
    #[test]
    fn floats_are_written_as_go_does() {
        for (number, plain, json) in [
            (3.0, "3", "3"),
            (100_000.0, "100000", "100000"),
            (1_234_567.0, "1.234567e+06", "1234567"),
            (12_345_678.9, "1.23456789e+07", "12345678.9"),
            (1e-4, "0.0001", "0.0001"),
            (1e-5, "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-7"),
            (1e21, "1e+21", "1e+21"),
            (-1.5e300, "-1.5e+300", "-1.5e+300"),
        ] {
            assert_eq!(float_text(number), plain);
            let Value::Number(number) = whole_if_whole(number) else { panic!("it is a number") };
            assert_eq!(json_number(&number), json);
        }
        assert_eq!(whole_if_whole(1_234_567_890_123_456_768.0).to_string(), "1234567890123456800");
        assert_eq!(float_text(f64::NEG_INFINITY), "-Inf");
    }
}
