//! How long something took, in words.

use std::time::Duration;

/// Returns a duration as a reader wants it: `0.3 s`, `12 s`, `2 min 5 s`, `1 h 2 min`.
pub(crate) fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        1..60 => format!("{seconds} s"),
        60..3600 => two(seconds, 60, "min", "s"),
        _ => two(seconds / 60, 60, "h", "min"),
    }
}

fn two(count: u64, size: u64, large: &str, small: &str) -> String {
    match (count / size, count % size) {
        (whole, 0) => format!("{whole} {large}"),
        (whole, rest) => format!("{whole} {large} {rest} {small}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (milliseconds, expected) in [
            (0, "0.0 s"),
            (340, "0.3 s"),
            (3_900, "3 s"),
            (60_000, "1 min"),
            (125_000, "2 min 5 s"),
            (3_725_000, "1 h 2 min"),
        ] {
            assert_eq!(words(Duration::from_millis(milliseconds)), expected);
        }
    }
}
