//! What must hold when only a part of a stack is applied.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::{Address, Target};
use straddle_engine::plan::{ChangeAction, Options, Plan};
use straddle_engine::spec::Spec;
use straddle_engine::state::{Record, State, fold};

use crate::script::Part;

impl Part {
    /// Returns the part as a user would ask for it.
    pub(crate) fn options(&self, spec: &Spec, state: Option<&State>) -> Options {
        let wanted: Vec<&Address> = spec.resources.keys().collect();
        let made = state.iter().flat_map(|state| state.resources.keys());
        let all: BTreeSet<&Address> = wanted.iter().copied().chain(made).collect();
        let all: Vec<&Address> = all.into_iter().collect();
        let pick = |numbers: &[u8], from: &[&Address]| {
            let picked = numbers.iter().filter_map(|number| {
                let address = from.get(usize::from(*number) % from.len().max(1))?;
                let name = if self.blocks { address.whole_block() } else { (*address).clone() };
                Some(Target::Resource(name))
            });
            picked.collect::<BTreeSet<_>>()
        };
        let mut options = Options {
            allow_missing: true,
            target: pick(&self.target, &all),
            exclude: pick(&self.exclude, &all),
            replace: pick(&self.replace, &wanted),
            ..Options::default()
        };
        // What is named by a block is its instances, not its children alone.
        options.replace.retain(|asked| wanted.iter().any(|wanted| asked.covers_whole(wanted)));
        // A segment keeps its range, so that the old one has to go first; and a host lets go of it
        // only once it has the next one.
        if wanted.iter().any(|wanted| wanted.block().kind.as_str() == "host") {
            let is_segment = |address: &&&Address| address.block().kind.as_str() == "segment";
            let segments: Vec<_> = wanted.iter().filter(is_segment).collect();
            options.replace.retain(|asked| !segments.iter().any(|segment| asked.covers(segment)));
        }
        options
    }
}

/// Checks that what is left out was not touched, and that nothing was left out that has to come
/// before something that was done.
pub(crate) fn check(spec: &Spec, before: Option<&State>, after: Option<&State>, plan: &Plan) {
    let before = before.map(|state| under_new_names(state, plan));
    let before = before.as_ref();
    let done: BTreeMap<&Address, ChangeAction> =
        plan.changes.iter().map(|change| (&change.address, change.action)).collect();
    let left: BTreeMap<&Address, ChangeAction> =
        plan.left_out.iter().map(|left| (&left.address, left.action)).collect();
    for address in left.keys() {
        assert!(!done.contains_key(address), "{address} is left out and changes");
        // What an earlier run left unknown is cleared up before anything is left out.
        if before.is_some_and(|state| state.pending.values().any(|pending| pending.address == **address)) {
            continue;
        }
        let [before, after] =
            [before, after].map(|state| state.and_then(|state| state.resources.get(address)));
        assert_eq!(before, after, "{address} is left out and was recorded anew");
    }
    for asked in &plan.options.exclude {
        let touched = done.keys().find(|address| asked.covers(address));
        assert_eq!(touched, None, "{asked} is excluded");
    }
    let made = done.iter().filter(|(_, action)| makes(**action));
    for (address, _) in made {
        for needed in &spec.resources[*address].dependencies {
            assert!(
                !left.contains_key(needed),
                "{address} is made, and {needed}, which it needs, is left out"
            );
        }
    }
    for (address, resource) in before.iter().flat_map(|state| &state.resources) {
        for needed in &resource.dependencies {
            let goes = done.get(needed).is_some_and(|action| unmakes(*action));
            let stays = left.get(address).is_some_and(|action| unmakes(*action));
            assert!(!goes || !stays, "{needed} goes, and {address}, which stands on it, is left out");
        }
    }
}

/// Returns the state with the names that the plan gives. All of them are recorded, whatever is left out.
fn under_new_names(state: &State, plan: &Plan) -> State {
    if plan.renames.is_empty() {
        return state.clone();
    }
    let names = plan.renames.iter().map(|rename| (rename.from.clone(), rename.to.clone())).collect();
    fold(state.clone(), &[Record::Renamed { names }]).expect("the names of a plan are those of its state")
}

fn makes(action: ChangeAction) -> bool {
    match action {
        ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace(_) => true,
        ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => false,
    }
}

fn unmakes(action: ChangeAction) -> bool {
    match action {
        ChangeAction::Delete | ChangeAction::Replace(_) => true,
        ChangeAction::Create | ChangeAction::Update | ChangeAction::DeleteDeposed | ChangeAction::Forget => {
            false
        }
    }
}
