//! Rehearsals: a spec is played in sandboxes again and again, and each time something else goes wrong.
//!
//! A [`stage`] is a sandbox, a state and a time of their own. On it a [`scenario`] makes everything and takes it
//! away, with one [`trouble`] on the way: a call that is answered with a fault, or a [`crash`] at a write of the state.
//! [`play_all`] plays many at once.

mod clock;
mod crash;
mod scenario;
mod stage;
mod timing;
mod trouble;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::commands::no_resources;
use crate::failure::Failure;

pub(crate) use scenario::{Clean, Outcome};
pub(crate) use stage::{Ending, Play, Played, Scene};
pub(crate) use timing::{Timed, critical_path};
pub(crate) use trouble::{Sort, Trouble, sample};

/// Plays without anything going wrong.
pub(crate) fn play_clean(play: &Play<'_>) -> Result<Clean, Failure> {
    let runtime = stage::runtime().map_err(|error| no_resources("start a rehearsal", &error))?;
    runtime.block_on(scenario::clean(play))
}

/// Plays once with each trouble, on several threads at once, and tells `told` of each outcome as it comes. Returns the
/// outcomes in the order of the troubles.
pub(crate) fn play_all(
    play: &Play<'_>,
    scene: &Scene,
    troubles: &[Trouble],
    jobs: usize,
    mut told: impl FnMut(&Outcome),
) -> Result<Vec<Outcome>, Failure> {
    let next = AtomicUsize::new(0);
    let (sender, outcomes) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(troubles.len()) {
            let (sender, next) = (sender.clone(), &next);
            let work = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(trouble) = troubles.get(index) else { return };
                    // Whoever does not listen any more does not need the others either.
                    if sender.send((index, play_one(play, scene, trouble, index))).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name("rehearsal".to_owned())
                .spawn_scoped(scope, work)
                .map_err(|error| no_resources("start a thread", &error))?;
        }
        drop(sender);
        let mut all = Vec::new();
        for (index, outcome) in outcomes {
            let outcome = outcome?;
            told(&outcome);
            all.push((index, outcome));
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
    })
}

fn play_one(play: &Play<'_>, scene: &Scene, trouble: &Trouble, index: usize) -> Result<Outcome, Failure> {
    let runtime = stage::runtime().map_err(|error| no_resources("start a rehearsal", &error))?;
    // No two rehearsals give the same ids, nor does any give those of the scene.
    let seed = index as u64 + 1;
    runtime.block_on(scenario::perform(play, trouble.clone(), scene, seed))
}
