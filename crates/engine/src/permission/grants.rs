//! What a spec and its plan need to be allowed: the needs of kinds, with the names of their things.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{AccountName, Address};
use crate::permission::pattern::{ANYTHING, Naming, Thing, Things, distinct};
use crate::permission::{Cause, Need, Occasion};
use crate::plan::{Change, ChangeAction, Plan, Reason};
use crate::registry::Registry;
use crate::spec::{ResourceNode, Spec};
use crate::state::State;

/// An action that has to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// In which account.
    pub account: AccountName,
    /// Such as `ec2:CreateVpc`.
    pub action: String,
    /// The values that keys of conditions have.
    pub conditions: BTreeMap<String, String>,
    /// What it is done to: ARNs with `*` for what is not known; `*` alone for anything.
    pub resources: BTreeSet<String>,
}

/// What is to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everything is looked at.
    Plan,
    /// What the spec says is brought about.
    Apply,
    /// Everything is deleted.
    Destroy,
    /// The checks before an apply are run, after everything is looked at.
    Preflight,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// What the plan has, from the state that there is to what the spec says.
    ThisPlan,
    /// Whatever may become necessary for what the spec has: other values, replacements, repairs.
    AnyChange,
}

/// What is known of a stack.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The kinds.
    pub registry: &'a Registry,
    /// What is wanted.
    pub spec: &'a Spec,
    /// What is there.
    pub state: &'a State,
    /// A plan from the one to the other.
    pub plan: &'a Plan,
}

/// Returns what has to be allowed for a phase, in every account, sorted.
#[must_use]
pub fn grants(known: Known<'_>, phase: Phase, breadth: Breadth) -> Vec<Grant> {
    let things = Things::new(known);
    let mut moments = Vec::new();
    looks(known, &mut moments);
    match (phase, breadth) {
        (Phase::Plan | Phase::Preflight, _) => {}
        (Phase::Apply, Breadth::ThisPlan) => {
            crossings(known, &mut moments);
            changes(known, &mut moments);
        }
        (Phase::Apply, Breadth::AnyChange) => {
            crossings(known, &mut moments);
            changes(known, &mut moments);
            for address in known.spec.resources.keys() {
                moments
                    .extend([Moment::Birth, Moment::AnyChange, Moment::End].map(|moment| (address, moment)));
            }
        }
        (Phase::Destroy, _) => {
            let all: BTreeSet<_> = known.spec.resources.keys().chain(known.state.resources.keys()).collect();
            moments.extend(all.into_iter().map(|address| (address, Moment::End)));
        }
    }
    let mut found = Found { things: &things, breadth, grants: BTreeMap::new() };
    for (address, moment) in moments {
        found.add(address, &moment);
    }
    if phase == Phase::Preflight {
        found.add_checks(known);
    }
    if breadth == Breadth::AnyChange && matches!(phase, Phase::Apply | Phase::Destroy) {
        found.add_audit(known);
    }
    let mut grants = found.into_grants();
    if phase != Phase::Destroy {
        grants.extend(lookups(known));
        grants.sort();
        grants.dedup();
    }
    grants
}

/// Returns what has to be allowed for lookups, which name no thing.
fn lookups(known: Known<'_>) -> Vec<Grant> {
    let of = |node: &ResourceNode| {
        let actions = known.registry.lookup(&node.kind).map_or(&[][..], |lookup| lookup.actions());
        let account = node.account.clone();
        actions.iter().map(move |action| Grant {
            account: account.clone(),
            action: (*action).to_owned(),
            conditions: BTreeMap::new(),
            resources: BTreeSet::from([ANYTHING.to_owned()]),
        })
    };
    known.spec.resources.values().flat_map(of).collect()
}

/// A moment in the life of a thing.
#[derive(Debug, Clone, PartialEq)]
enum Moment<'a> {
    Look,
    /// Another account looks at it.
    LookFrom(&'a AccountName),
    Birth,
    /// These attributes become other ones.
    Change(BTreeSet<&'a str>),
    AnyChange,
    End,
}

/// Everything is looked at, as it is and as it will be.
fn looks<'a>(known: Known<'a>, moments: &mut Vec<(&'a Address, Moment<'a>)>) {
    let all: BTreeSet<_> = known.spec.resources.keys().chain(known.state.resources.keys()).collect();
    moments.extend(all.into_iter().map(|address| (address, Moment::Look)));
}

/// An account looks at what others share with it, until it sees it.
fn crossings<'a>(known: Known<'a>, moments: &mut Vec<(&'a Address, Moment<'a>)>) {
    for crossing in &known.spec.crossings {
        if let Some(user) = known.spec.resources.get(&crossing.resource) {
            moments.push((&crossing.thing, Moment::LookFrom(&user.account)));
        }
    }
}

fn changes<'a>(known: Known<'a>, moments: &mut Vec<(&'a Address, Moment<'a>)>) {
    for change in &known.plan.changes {
        let address = &change.address;
        if change.lifecycle.is_made_by_others() && !known.plan.options.delete_made_by_others {
            // It is only looked at.
            continue;
        }
        match change.action {
            ChangeAction::Create => moments.push((address, Moment::Birth)),
            // Of what an earlier run left undone, the state does not have how much that is.
            ChangeAction::Update if is_unfinished(change) => moments.push((address, Moment::AnyChange)),
            ChangeAction::Update => moments.push((address, Moment::Change(changed(change)))),
            ChangeAction::Replace(_) => moments.extend([(address, Moment::Birth), (address, Moment::End)]),
            ChangeAction::Delete | ChangeAction::DeleteDeposed => moments.push((address, Moment::End)),
            ChangeAction::Forget => {}
        }
    }
}

fn is_unfinished(change: &Change) -> bool {
    change.reasons.iter().any(|reason| matches!(reason, Reason::Unfinished | Reason::Impaired { .. }))
}

fn changed(change: &Change) -> BTreeSet<&str> {
    change.attributes.iter().map(|attribute| attribute.name.as_str()).collect()
}

impl Moment<'_> {
    fn occasion(&self) -> &'static [Occasion] {
        match self {
            Self::Look | Self::LookFrom(_) => &[Occasion::Read],
            // What a birth cannot give is set right afterwards.
            Self::Birth => &[Occasion::Create, Occasion::Update],
            Self::Change(_) | Self::AnyChange => &[Occasion::Update],
            Self::End => &[Occasion::Delete],
        }
    }
}

/// The grants that were found.
struct Found<'a> {
    things: &'a Things<'a>,
    breadth: Breadth,
    /// By everything else: what they are done to.
    grants: BTreeMap<(AccountName, String, BTreeMap<String, String>), BTreeSet<String>>,
}

impl Found<'_> {
    fn add(&mut self, address: &Address, moment: &Moment<'_>) {
        let things = self.things;
        let views = match moment {
            Moment::Look | Moment::LookFrom(_) => [things.now(address), things.then(address)],
            Moment::Birth | Moment::Change(_) | Moment::AnyChange => [None, things.then(address)],
            Moment::End => match things.now(address) {
                Some(now) => [Some(now), None],
                None => [None, things.then(address)],
            },
        };
        for thing in views.into_iter().flatten() {
            for need in thing.kind.permissions() {
                if self.is_needed(need, moment, &thing) {
                    self.add_need(need, moment, &thing);
                }
            }
        }
    }

    fn is_needed(&self, need: &Need, moment: &Moment<'_>, thing: &Thing<'_>) -> bool {
        if !moment.occasion().contains(&need.occasion) || !thing.meets(need.only_if) {
            return false;
        }
        let any_change = matches!(moment, Moment::AnyChange);
        match need.cause {
            Cause::Repair => self.breadth == Breadth::AnyChange,
            Cause::Any => *moment != Moment::Birth || need.occasion == Occasion::Create,
            Cause::Setting(names) => match moment {
                Moment::Birth => names.iter().any(|name| thing.sets(name)),
                Moment::Change(changed) => names.iter().any(|name| changed.contains(name)),
                Moment::Look | Moment::LookFrom(_) => names.iter().any(|name| thing.sets(name)),
                Moment::End => {
                    self.breadth == Breadth::AnyChange || names.iter().any(|name| thing.sets(name))
                }
                Moment::AnyChange => any_change,
            },
            Cause::Changing(names) => match moment {
                Moment::Change(changed) => names.iter().any(|name| changed.contains(name)),
                Moment::Look | Moment::LookFrom(_) | Moment::Birth | Moment::AnyChange | Moment::End => {
                    any_change
                }
            },
        }
    }

    fn add_need(&mut self, need: &Need, moment: &Moment<'_>, thing: &Thing<'_>) {
        let mut resources = BTreeSet::new();
        for pattern in need.resources {
            resources.extend(self.things.names(pattern, thing, Naming::Whole));
            // Of what is gone, a service knows no more than its name.
            if need.occasion == Occasion::Read && *pattern == "{arn}" && thing.kind.arn() != "{arn}" {
                resources.extend(self.things.names(thing.kind.arn(), thing, Naming::Bare));
            }
        }
        if need.resources.is_empty() {
            resources.insert(ANYTHING.to_owned());
        }
        if resources.is_empty() {
            return;
        }
        let account = match moment {
            Moment::LookFrom(account) => (*account).clone(),
            Moment::Look | Moment::Birth | Moment::Change(_) | Moment::AnyChange | Moment::End => {
                thing.account.name.clone()
            }
        };
        let condition = |(key, pattern): &(&str, &'static str)| {
            let mut values = self.things.names(pattern, thing, Naming::Whole).into_iter();
            // What is not known yet cannot be asked for.
            let value = values.next().filter(|value| !value.contains(ANYTHING) && values.next().is_none())?;
            Some(((*key).to_owned(), value))
        };
        let conditions: BTreeMap<_, _> = need.conditions.iter().filter_map(condition).collect();
        for action in need.actions {
            let key = (account.clone(), (*action).to_owned(), conditions.clone());
            self.grants.entry(key).or_default().extend(resources.iter().cloned());
        }
    }

    fn add_checks(&mut self, known: Known<'_>) {
        let needs = || known.registry.checks().iter().flat_map(|check| check.permissions);
        for account in known.spec.accounts.keys() {
            for action in needs().flat_map(|need| need.actions) {
                let key = (account.clone(), (*action).to_owned(), BTreeMap::new());
                self.grants.entry(key).or_default().insert(ANYTHING.to_owned());
            }
        }
    }

    /// Adds what the search takes for what is left behind, in every account.
    fn add_audit(&mut self, known: Known<'_>) {
        let Some(audit) = known.registry.audit() else { return };
        let wanted = known.spec.resources.values().map(|node| &node.account);
        let made = known.state.resources.values().map(|resource| &resource.account);
        for account in wanted.chain(made).collect::<BTreeSet<_>>() {
            for action in audit.permissions().iter().flat_map(|need| need.actions) {
                let key = (account.clone(), (*action).to_owned(), BTreeMap::new());
                self.grants.entry(key).or_default().insert(ANYTHING.to_owned());
            }
        }
    }

    fn into_grants(self) -> Vec<Grant> {
        let grant = |((account, action, conditions), resources)| Grant {
            account,
            action,
            conditions,
            resources: distinct(resources),
        };
        self.grants.into_iter().map(grant).collect()
    }
}
