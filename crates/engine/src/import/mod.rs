//! Takes things that exist into the stack: looks at them, checks whose they are, and says how they
//! are recorded. Nothing is called that changes anything.

mod candidate;
mod run;

use std::collections::BTreeMap;

use crate::access::Access;
use crate::address::Address;
use crate::diagnostic::Diagnostics;
use crate::erased::ObservedValues;
use crate::import::candidate::{Candidate, elsewhere};
use crate::observation::Observations;
use crate::plan::Import;
use crate::refresh::{known_kind, read_once};
use crate::run::{Engine, RunError};
use crate::spec::{ImportNode, Spec};
use crate::state::{Record, State};

pub use run::ImportReport;

/// What is imported, and what that makes of the state.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// What the plan says of it, sorted by address.
    pub(crate) told: Vec<Import>,
    /// The records of each.
    records: BTreeMap<Address, Vec<Record>>,
}

impl Imports {
    /// Returns the records of everything that is imported.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.values().flatten().cloned().collect()
    }

    /// Leaves out everything but these.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Address) -> bool) {
        self.told.retain(|import| keep(&import.address));
        self.records.retain(|address, _| keep(address));
    }
}

/// Looks at the things that are to become resources and are not yet. What was imported before is
/// passed over. What the reads found is added to `observations`.
///
/// # Errors
/// If a read fails, or one of them cannot be imported.
pub(crate) async fn look(
    engine: &Engine<'_>,
    access: &Access,
    spec: &Spec,
    imports: &[ImportNode],
    state: &State,
    observations: &mut Observations,
) -> Result<Imports, RunError> {
    let candidates = candidates(engine, spec, imports, state)?;
    if candidates.is_empty() {
        return Ok(Imports::default());
    }
    let found = read(engine, access, &candidates).await?;
    let mut problems = Diagnostics::default();
    let mut imported = Imports::default();
    for candidate in candidates {
        let to = &candidate.import.to;
        let taken = state.resources.get(to).and_then(|resource| resource.object.as_ref());
        let is_there = observations.get(to).is_some_and(|observation| observation.object.is_some());
        match (found.get(to), taken.filter(|_| is_there)) {
            // It was imported once and has been replaced since.
            (None, Some(_)) => {}
            (Some(_), Some(object)) => problems.push(candidate.taken(&object.remote_id)),
            (None, None) => problems.push(candidate.not_found(access, spec).await),
            (Some(observed), None) => match candidate.refusal(observed, spec, &state.lineage) {
                Some(problem) => problems.push(problem),
                None => candidate.take(engine, observed, state, observations, &mut imported),
            },
        }
    }
    imported.told.sort_by(|one, other| one.address.cmp(&other.address));
    if problems.is_empty() { Ok(imported) } else { Err(RunError::Diagnostics(problems)) }
}

/// Returns the imports that the state does not show as done.
fn candidates<'a>(
    engine: &'a Engine<'_>,
    spec: &'a Spec,
    imports: &'a [ImportNode],
    state: &State,
) -> Result<Vec<Candidate<'a>>, RunError> {
    let mut candidates = Vec::new();
    let mut problems = Diagnostics::default();
    let owners = owners(state);
    for import in imports {
        let node = &spec.resources[&import.to];
        let account = &spec.accounts[&node.account];
        let owner = owners.get(&(account.id.as_str(), node.kind.as_str(), import.id.as_str()));
        match owner {
            Some(owner) if **owner == import.to => {}
            Some(owner) => problems.push(elsewhere(import, owner)),
            None => {
                let kind = known_kind(engine.registry, &node.kind, &import.to)?;
                candidates.push(Candidate { import, node, account, kind });
            }
        }
    }
    if problems.is_empty() { Ok(candidates) } else { Err(RunError::Diagnostics(problems)) }
}

/// Returns which resource has each thing: by account, kind and id.
fn owners(state: &State) -> BTreeMap<(&str, &str, &str), &Address> {
    let things = state.resources.iter().flat_map(|(address, resource)| {
        let objects = resource.object.iter().chain(&resource.deposed);
        objects.map(move |object| {
            let id = object.remote_id.as_str();
            ((resource.account_id.as_str(), resource.kind.as_str(), id), address)
        })
    });
    things.collect()
}

/// Reads the candidates, with one call for each listing, account and page.
async fn read(
    engine: &Engine<'_>,
    access: &Access,
    candidates: &[Candidate<'_>],
) -> Result<BTreeMap<Address, ObservedValues>, RunError> {
    let provisional: BTreeMap<_, _> = candidates
        .iter()
        .map(|candidate| (candidate.import.to.clone(), candidate.provisional(engine)))
        .collect();
    let wanted = provisional.iter().collect();
    let (found, _) = read_once(engine, access, &wanted).await?;
    Ok(found.into_iter().filter_map(|(address, observation)| Some((address, observation.object?))).collect())
}
