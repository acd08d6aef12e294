//! Takes things that exist into the stack: looks at them, checks whose they are, and says how they
//! are recorded. Nothing is called that changes anything.

mod candidate;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::address::{Address, Kind, RemoteId};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::erased::ObservedValues;
use crate::import::candidate::{Candidate, elsewhere};
use crate::lookup::Found;
use crate::observation::Observations;
use crate::plan::{Import, ResourceValues, Values};
use crate::refresh::{Reading, known_kind, read_once};
use crate::registry::Registry;
use crate::resource::Home;
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
    /// Why others cannot be imported.
    problems: BTreeMap<Address, Diagnostic>,
}

impl Imports {
    /// Returns the records of everything that is imported.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.values().flatten().cloned().collect()
    }

    /// Tells whether everything can be imported but what is left out of the plan.
    ///
    /// # Errors
    /// Why what is not left out cannot be.
    pub(crate) fn check(&self, left_out: &BTreeSet<Address>) -> Result<(), RunError> {
        let mut problems = Diagnostics::default();
        let concerning = self.problems.iter().filter(|(address, _)| !left_out.contains(*address));
        problems.extend(concerning.map(|(_, problem)| problem.clone()));
        if problems.is_empty() { Ok(()) } else { Err(RunError::Diagnostics(problems)) }
    }

    /// Leaves out everything but these.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Address) -> bool) {
        self.told.retain(|import| keep(&import.address));
        self.records.retain(|address, _| keep(address));
    }
}

/// Looks at the things that are to become resources and are not yet. What was imported before is
/// passed over. What the reads found is added to `observations`; what cannot be imported is a problem
/// among the imports, which the plan may leave out.
///
/// # Errors
/// If a read fails.
pub(crate) async fn look(
    engine: &Engine<'_>,
    access: &Access,
    spec: &Spec,
    imports: &[ImportNode],
    state: &State,
    lookups: &Found,
    observations: &mut Observations,
) -> Result<Imports, RunError> {
    let mut imported = Imports::default();
    let candidates = candidates(engine, spec, imports, state, &mut imported.problems)?;
    if candidates.is_empty() {
        return Ok(imported);
    }
    let values = values(state, lookups, observations);
    let found = read(engine, access, &candidates, &values, &state.lineage).await?;
    for candidate in candidates {
        let to = &candidate.import.to;
        let taken = state.resources.get(to).and_then(|resource| resource.object.as_ref());
        let is_there = observations.get(to).is_some_and(|observation| observation.object.is_some());
        match (found.get(to), taken.filter(|_| is_there)) {
            // It was imported once and has been replaced since.
            (None, Some(_)) => {}
            (Some(_), Some(object)) => {
                imported.problems.insert(to.clone(), candidate.taken(&object.remote_id));
            }
            (None, None) => {
                imported.problems.insert(to.clone(), candidate.not_found(access, spec).await);
            }
            (Some(observed), None) => match candidate.refusal(observed, spec, &state.lineage) {
                Some(problem) => drop(imported.problems.insert(to.clone(), problem)),
                None => candidate.take(engine, observed, state, observations, &mut imported),
            },
        }
    }
    imported.told.sort_by(|one, other| one.address.cmp(&other.address));
    Ok(imported)
}

/// Returns the imports that the state does not show as done.
fn candidates<'a>(
    engine: &'a Engine<'_>,
    spec: &'a Spec,
    imports: &'a [ImportNode],
    state: &State,
    problems: &mut BTreeMap<Address, Diagnostic>,
) -> Result<Vec<Candidate<'a>>, RunError> {
    let mut candidates = Vec::new();
    let owners = owners(engine.registry, state);
    for import in imports {
        let node = &spec.resources[&import.to];
        let account = &spec.accounts[&node.account];
        let owner = owners.get(&(engine.registry.scope(&node.kind, account.home()), &node.kind, &import.id));
        match owner {
            Some(owner) if **owner == import.to => {}
            Some(owner) => drop(problems.insert(import.to.clone(), elsewhere(import, owner))),
            None => {
                let kind = known_kind(engine.registry, &node.kind, &import.to)?;
                candidates.push(Candidate { import, node, account, kind });
            }
        }
    }
    Ok(candidates)
}

/// Returns which resource has each thing.
fn owners<'a>(
    registry: &Registry,
    state: &'a State,
) -> BTreeMap<(Home<'a>, &'a Kind, &'a RemoteId), &'a Address> {
    let things = state.resources.iter().flat_map(|(address, resource)| {
        let objects = resource.object.iter().chain(&resource.deposed);
        let scope = registry.scope(&resource.kind, resource.home());
        objects.map(move |object| ((scope, &resource.kind, &object.remote_id), address))
    });
    things.collect()
}

/// Returns what references see of what is there before anything is planned.
fn values(state: &State, lookups: &Found, observations: &Observations) -> Values {
    let mut values = Values::new(state.lineage.as_str());
    for (address, observation) in observations {
        let Some(ObservedValues { inputs, outputs, .. }) = observation.object.clone() else { continue };
        values.set(address.clone(), ResourceValues { inputs, outputs, settled: !observation.is_brief });
    }
    for (address, (inputs, outputs)) in lookups {
        let (inputs, outputs) = (inputs.clone(), outputs.clone());
        values.set(address.clone(), ResourceValues { inputs, outputs, settled: true });
    }
    values
}

/// Reads the candidates, with one call for each listing, account and page.
async fn read(
    engine: &Engine<'_>,
    access: &Access,
    candidates: &[Candidate<'_>],
    values: &Values,
    lineage: &str,
) -> Result<BTreeMap<Address, ObservedValues>, RunError> {
    let mut provisional = BTreeMap::new();
    let mut problems = Diagnostics::default();
    for candidate in candidates {
        match candidate.way(values, lineage) {
            Ok(way) => {
                provisional.insert(candidate.import.to.clone(), candidate.provisional(engine, &way));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    if !problems.is_empty() {
        return Err(RunError::Diagnostics(problems));
    }
    let wanted = provisional.iter().collect();
    let (found, _) = read_once(engine, access, &wanted, Reading::FULL).await?;
    Ok(found.into_iter().filter_map(|(address, observation)| Some((address, observation.object?))).collect())
}
