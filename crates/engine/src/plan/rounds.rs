//! Changes that go in several rounds, since a service does not make them at once: the version of a
//! control plane goes one minor by one, and what follows it goes along before it goes on.
//!
//! Each change says what of it is done in the rounds before the last one, which is the change as the
//! plan has it anyway. In those rounds, only what differs because of them changes: the attributes that
//! are on their way, and in what needs them directly or by way of others, those whose value would be
//! another one there. Everything else is done in the last round, with everything in place.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::diagnostic::Diagnostics;
use crate::erased::{AnyResource, ObservedValues};
use crate::graph::dependency_order;
use crate::plan::inputs::desired_inputs;
use crate::plan::{AttributeChange, Change, ChangeAction, Reason, Request, Round, Values, add_promised};
use crate::resource::{ReplaceOrder, Way};
use crate::schema::AttributeSchema;
use crate::spec::{ResourceNode, Scope};
use crate::value::{Value, ValueMap};

/// The stops of attributes on their way, in order, with the beginning and without the end, by the
/// attribute's name.
type Stops = BTreeMap<String, Vec<Value>>;

/// Works out the rounds of all changes.
///
/// # Errors
/// If resources need each other in a circle.
pub(super) fn add(request: &Request<'_>, values: &Values, changes: &mut [Change]) -> Result<(), Diagnostics> {
    let stops = stops(request, changes);
    if stops.is_empty() {
        return Ok(());
    }
    let order = dependency_order(request.spec)?;
    let positions: BTreeMap<Address, usize> = changes
        .iter()
        .enumerate()
        .filter(|(_, change)| goes_along(change))
        .map(|(position, change)| (change.address.clone(), position))
        .collect();
    for family in families(request, &order, &stops) {
        Family::new(request, &stops, family, &positions).plan(values, changes);
    }
    Ok(())
}

/// Returns the stops of every change by itself, whatever it needs.
fn stops(request: &Request<'_>, changes: &[Change]) -> BTreeMap<Address, Stops> {
    let mut all = BTreeMap::new();
    for change in changes.iter().filter(|change| change.action == ChangeAction::Update) {
        let Some(kind) = request.registry.kind(change.kind.as_str()) else { continue };
        let is_stepwise = |name: &str| kind.schema().input(name).is_some_and(|attribute| attribute.stepwise);
        let attributes = change.attributes.iter().filter(|attribute| is_stepwise(&attribute.name));
        let stops = attributes.map(|attribute| (attribute.name.clone(), stops_of(&**kind, attribute)));
        let stops: Stops = stops.collect();
        if !stops.is_empty() {
            all.insert(change.address.clone(), stops);
        }
    }
    all
}

/// How many stops an attribute may have: a way without an end is a defect of its kind.
const MOST_STOPS: usize = 100;

/// Returns where an attribute stops, beginning with where it is: an earlier run may have ended before
/// everything had come as far.
fn stops_of(kind: &dyn AnyResource, attribute: &AttributeChange) -> Vec<Value> {
    let mut stops = vec![attribute.before.clone()];
    while stops.len() < MOST_STOPS {
        let from = &stops[stops.len() - 1];
        match kind.waypoint(&attribute.name, &Way { from, to: &attribute.after, followed: None }) {
            Some(stop) if stop != attribute.after => stops.push(stop),
            _ => break,
        }
    }
    stops
}

/// Returns the resources that go in rounds together, in the order of their needs: what has stops with
/// everything that needs it. Those that have something in common are one family.
fn families<'a>(
    request: &Request<'_>,
    order: &'a [Address],
    stops: &BTreeMap<Address, Stops>,
) -> Vec<Vec<&'a Address>> {
    // By resource, a member of its family that is nearer to the one that stands for all.
    let mut towards: BTreeMap<&Address, &Address> = BTreeMap::new();
    for address in order {
        let needs = request.spec.resources.get(address).map(|node| &node.dependencies);
        let families: BTreeSet<_> =
            needs.into_iter().flatten().filter_map(|needed| representative(&towards, needed)).collect();
        let mut families = families.into_iter();
        match families.next() {
            Some(first) => {
                towards.insert(address, first);
                towards.extend(families.map(|other| (other, first)));
            }
            None if stops.contains_key(address) => drop(towards.insert(address, address)),
            None => {}
        }
    }
    let mut families: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for address in order {
        if let Some(family) = representative(&towards, address) {
            families.entry(family).or_default().push(address);
        }
    }
    families.into_values().collect()
}

fn representative<'a>(towards: &BTreeMap<&'a Address, &'a Address>, of: &Address) -> Option<&'a Address> {
    let mut next = *towards.get(of)?;
    while towards[next] != next {
        next = towards[next];
    }
    Some(next)
}

/// Resources that go in rounds together.
struct Family<'a> {
    request: &'a Request<'a>,
    stops: &'a BTreeMap<Address, Stops>,
    members: Vec<Member<'a>>,
    /// How many rounds there are.
    rounds: usize,
}

/// A resource that can change in rounds.
struct Member<'a> {
    node: &'a ResourceNode,
    kind: &'a dyn AnyResource,
    found: &'a ObservedValues,
    /// The position of its change.
    change: usize,
    /// What it is by now, as far as rounds have changed it.
    now: ValueMap,
}

impl<'a> Family<'a> {
    fn new(
        request: &'a Request<'a>,
        stops: &'a BTreeMap<Address, Stops>,
        family: Vec<&Address>,
        positions: &BTreeMap<Address, usize>,
    ) -> Self {
        let own = family.iter().filter_map(|address| stops.get(*address)).flat_map(BTreeMap::values);
        let rounds = own.map(Vec::len).max().unwrap_or_default() + 1;
        let member = |address: &Address| {
            let node = request.spec.resources.get(address)?;
            Some(Member {
                node,
                kind: &**request.registry.kind(node.kind.as_str())?,
                found: request.observations.get(address)?.object.as_ref()?,
                change: *positions.get(address)?,
                now: ValueMap::new(),
            })
        };
        let members = family.into_iter().filter_map(member).collect();
        Self { request, stops, members, rounds }
    }

    fn plan(mut self, values: &Values, changes: &mut [Change]) {
        for number in 1..self.rounds {
            let mut values = values.clone();
            let mut members = std::mem::take(&mut self.members);
            for member in &mut members {
                let attributes = self.changed_in(number, member, &values, &changes[member.change]);
                member.now.extend(attributes.iter().map(|it| (it.name.clone(), it.after.clone())));
                self.show(member, number, &mut values);
                if !attributes.is_empty() {
                    changes[member.change].rounds.push(Round { number, attributes });
                }
            }
            self.members = members;
        }
        self.number(changes);
    }

    /// Leaves out the first round if everything has come as far as it is already.
    fn number(&self, changes: &mut [Change]) {
        let has_first = |member: &Member<'_>| {
            changes[member.change].rounds.first().is_some_and(|round| round.number == 1)
        };
        let left_out = usize::from(!self.members.iter().any(has_first));
        let last = self.rounds - left_out;
        for member in self.members.iter().filter(|_| last > 1) {
            let change = &mut changes[member.change];
            change.last_round = Some(last);
            change.rounds.iter_mut().for_each(|round| round.number -= left_out);
        }
    }

    /// Returns what of a change is done in a round.
    fn changed_in(
        &self,
        number: usize,
        member: &Member<'_>,
        values: &Values,
        change: &Change,
    ) -> Vec<AttributeChange> {
        let Member { node, kind, found, .. } = *member;
        let home = self.request.spec.home(&node.account);
        let lineage = &self.request.state.lineage;
        // That it can be worked out for the last round is known.
        let Ok(mut there) = desired_inputs(node, kind, home, Some(found), values, lineage) else {
            return Vec::new();
        };
        let prior = self.request.state.resources.get(&node.address).map(|prior| &prior.lifecycle);
        let sensitive = change.lifecycle.all_sensitive(prior);
        let mut changed = Vec::new();
        for attribute in kind.schema().inputs.iter().filter(|attribute| !attribute.replace) {
            let name = attribute.name;
            let Some(end) = change.inputs.get(name) else { continue };
            if let Some(there) = there.get_mut(name) {
                add_promised(&attribute.attribute_type, there, end);
            }
            let before = member.value(name);
            let stop =
                self.stops_of(member).and_then(|stops| stops.get(name)).map(|stops| stops.get(number - 1));
            let after = match (stop, there.get(name)) {
                (Some(stop), _) => stop.unwrap_or(end).clone(),
                (None, _) if change.lifecycle.ignore_changes.contains(name) => continue,
                (None, Some(there))
                    if there != end
                        && there.is_known()
                        && (number > 1 || member.keeps_up(name, there, values)) =>
                {
                    there.clone()
                }
                (None, _) => match member.held_back(attribute, end, values) {
                    Some(stop) => stop,
                    None => continue,
                },
            };
            let form = attribute.attribute_type.form();
            if !form.same(&before, &after) {
                let sensitive = attribute.is_hidden(&sensitive);
                let name = name.to_owned();
                changed.push(AttributeChange { name, before, after, replaces: false, sensitive, form });
            }
        }
        if !changed.is_empty() && change.rounds.is_empty() {
            changed.extend(hows(kind, change));
        }
        changed.sort_by(|one, other| one.name.cmp(&other.name));
        changed
    }

    /// Lets others see what a member is in a round.
    fn show(&self, member: &Member<'_>, number: usize, values: &mut Values) {
        let mut shown = values.get(&member.node.address).cloned().unwrap_or_default();
        shown.inputs.extend(member.now.clone());
        // What has its stops behind it is where it was going to.
        for (name, stops) in self.stops_of(member).into_iter().flatten() {
            if number <= stops.len() {
                shown.inputs.insert(name.clone(), stops[number - 1].clone());
            }
        }
        values.set(member.node.address.clone(), shown);
    }

    fn stops_of(&self, member: &Member<'_>) -> Option<&'a Stops> {
        self.stops.get(&member.node.address)
    }
}

impl Member<'_> {
    fn value(&self, name: &str) -> Value {
        self.now.get(name).or_else(|| self.found.inputs.get(name)).cloned().unwrap_or(Value::Null)
    }

    /// Tells whether an attribute is as the one that it follows: what only goes along with it need not
    /// be caught up with.
    fn keeps_up(&self, name: &str, value: &Value, values: &Values) -> bool {
        let reference = self.node.follows.get(name).map(|followed| &followed.reference);
        reference.is_some_and(|it| values.attribute(&it.address, &it.attribute) == *value)
    }

    /// Returns what an attribute that the spec sets has to be as long as the one that it would follow is
    /// on its way; `None` if it can go to its end.
    fn held_back(&self, attribute: &AttributeSchema, end: &Value, values: &Values) -> Option<Value> {
        let followed = self.node.follows.get(attribute.name)?;
        let reference = &followed.reference;
        let there = values.attribute(&reference.address, &reference.attribute);
        let from = self.value(attribute.name);
        self.kind.waypoint(attribute.name, &Way { from: &from, to: end, followed: Some(&there) })
    }
}

/// Returns what a change says of how it is made, such as by force: that holds from its first round on.
fn hows(kind: &dyn AnyResource, change: &Change) -> Vec<AttributeChange> {
    let is_how = |it: &&AttributeChange| {
        let attribute = kind.schema().input(&it.name);
        it.after.is_known() && attribute.is_some_and(|it| it.write_only && !it.replace)
    };
    change.attributes.iter().filter(is_how).cloned().collect()
}

/// Tells whether a thing can change before it does what the plan says of it. What is new comes in the
/// last round, and so does what replaces something.
fn goes_along(change: &Change) -> bool {
    let useless = |reason: &Reason| matches!(reason, Reason::Failed { .. } | Reason::Moved { .. });
    match change.action {
        ChangeAction::Update => true,
        ChangeAction::Replace(ReplaceOrder::CreateFirst) => !change.reasons.iter().any(useless),
        // What goes first is gone by then.
        ChangeAction::Replace(ReplaceOrder::DeleteFirst)
        | ChangeAction::Create
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => false,
    }
}
