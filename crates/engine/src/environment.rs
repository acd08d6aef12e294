//! The outside facts that a run depends on, so that a simulation can replace them.

use jiff::Timestamp;

/// The clock on the wall and the source of random ids.
///
/// How long something lasts is measured with tokio's clock instead, which tests can pause.
pub trait Environment: Send + Sync {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Returns 128 random bits.
    fn random(&self) -> u128;
}

/// Returns 128 random bits as 32 hexadecimal digits.
#[must_use]
pub fn random_id(environment: &dyn Environment) -> String {
    format!("{:032x}", environment.random())
}

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("every supported system has a random source");
        u128::from_le_bytes(bytes)
    }
}
