//! What a rendering has besides its templates and values.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::value::GoValue;
use crate::helm::render::{Answers, Keys, Query, Surroundings};

/// What functions reach beyond their arguments.
pub(in crate::helm) struct World<'a> {
    /// What is known of the cluster's objects.
    pub(in crate::helm) answers: &'a Answers,
    /// What templates have asked for.
    pub(in crate::helm) asked: RefCell<BTreeSet<Query>>,
    pub(in crate::helm) now: jiff::Timestamp,
    /// Fills a buffer with bytes that nobody can foresee.
    pub(in crate::helm) random: &'a dyn Fn(&mut [u8]),
    pub(in crate::helm) keys: Keys,
    /// What was called that returns something else each time, with its arguments.
    pub(in crate::helm) chances: RefCell<Vec<String>>,
    pub(super) steps: Cell<u64>,
    pub(super) depth: Cell<usize>,
}

impl<'a> World<'a> {
    pub(in crate::helm) fn new(surroundings: &'a Surroundings<'a>) -> Self {
        let Surroundings { answers, now, random, keys, .. } = *surroundings;
        Self {
            answers,
            asked: RefCell::default(),
            now,
            random,
            keys,
            chances: RefCell::default(),
            steps: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// Notes a call whose result is another one each time.
    pub(super) fn note_chance(&self, name: &str, arguments: &[GoValue]) {
        let argument = |argument: &GoValue| match argument {
            // Certificates are by chance themselves, and were noted when they were made.
            GoValue::Object(_) => String::new(),
            other => other.display(),
        };
        let arguments: Vec<_> = arguments.iter().map(argument).collect();
        self.chances.borrow_mut().push(format!("{name}({})", arguments.join(", ")));
    }
}
