//! Account boundaries make edges: a resource that uses a thing of another account needs the share
//! that holds it.
//!
//! 1. [`shares`]: what each share of the spec holds, and for whom;
//! 2. here: what each resource uses of another account's, and the shares that cover it;
//! 3. [`problems`]: what is said about things that no share covers;
//! 4. [`accepters`]: shares that are accepted in vain.
//!
//! Only attributes count that take the id of a resource; text inside documents does not.

mod accepters;
mod problems;
mod shares;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::address::{Address, Kind};
use crate::lookup::is_lookup;
use crate::schema::{AttributeSchema, AttributeType};
use crate::sharing::Sharing;
use crate::spec::boundary::problems::Uncovered;
use crate::spec::boundary::shares::Shares;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::model::Crossing;
use crate::spec::order::Wait;
use crate::value::Value;

/// An account and a region.
type Place<'a> = (&'a str, &'a str);

impl Evaluator<'_> {
    /// Lets every resource that uses a thing of another account wait for the shares that hold it,
    /// and reports what no share covers.
    pub(crate) fn cross_boundaries(&mut self) {
        let registry = self.scope.registry;
        let Some(sharing) = registry.sharing() else { return };
        self.order_preconditions(sharing);
        self.refuse_accepters(sharing);
        let ids: BTreeSet<_> = self.accounts.values().map(|account| &account.id).collect();
        if ids.len() < 2 {
            return;
        }
        let (crossings, uncovered) = self.find_crossings(sharing);
        for problem in uncovered {
            let address = problem.resource.clone();
            let diagnostic = self.describe(sharing, &problem);
            self.report(diagnostic, Some(&address));
        }
        for crossing in &crossings {
            if let Some(draft) = self.drafts.get_mut(&crossing.resource) {
                draft.dependencies.extend(crossing.shares.iter().cloned());
            }
        }
        self.report_cycles(&crossings);
        self.crossings = crossings;
    }

    /// Lets every share wait for what has to be there before any share.
    fn order_preconditions(&mut self, sharing: &Sharing) {
        let of_kind = |draft: &&Draft| Some(draft.kind.as_str()) == sharing.precondition;
        let needed: Vec<_> =
            self.drafts.values().filter(of_kind).map(|draft| draft.address.clone()).collect();
        let shares = self.drafts.values_mut().filter(|draft| draft.kind.as_str() == sharing.share);
        shares.for_each(|share| share.dependencies.extend(needed.iter().cloned()));
    }

    fn find_crossings(&self, sharing: &Sharing) -> (Vec<Crossing>, Vec<Uncovered>) {
        let shares = Shares::of(self, sharing);
        let (mut crossings, mut uncovered) = (Vec::new(), Vec::new());
        let mut attributes = BTreeMap::<&Kind, Vec<&AttributeSchema>>::new();
        for draft in self.drafts.values() {
            let attributes =
                attributes.entry(&draft.kind).or_insert_with(|| self.crossing_attributes(sharing, draft));
            for attribute in attributes.iter() {
                for thing in self.named_by(draft, attribute) {
                    let Some(id) = self.crossed(sharing, draft, &thing) else { continue };
                    match shares.covering(self, &thing, id) {
                        Ok(shares) => {
                            let resource = draft.address.clone();
                            crossings.push(Crossing { resource, thing, shares });
                        }
                        Err(reason) => Uncovered::add(&mut uncovered, draft, attribute.name, reason, thing),
                    }
                }
            }
            if is_lookup(&draft.kind) {
                let first = crossings.iter().rposition(|crossing| crossing.resource != draft.address);
                let own = &crossings[first.map_or(0, |last| last + 1)..];
                let whole = self.read_whole(sharing, &shares, draft, own);
                crossings.extend(whole);
            }
        }
        crossings.sort();
        crossings.dedup();
        (crossings, uncovered)
    }

    /// Returns everything that the shares hold that a lookup waits for: what is looked up in another
    /// account's network, such as its subnets, is not there before all of it is seen.
    fn read_whole(
        &self,
        sharing: &Sharing,
        shares: &Shares<'_>,
        lookup: &Draft,
        crossings: &[Crossing],
    ) -> Vec<Crossing> {
        let Some((here, _)) = self.place(lookup) else { return Vec::new() };
        let is_share = |address: &&Address| {
            self.drafts.get(*address).is_some_and(|draft| draft.kind.as_str() == sharing.share)
        };
        let named = lookup.dependencies.iter().filter(is_share);
        let waited_for: BTreeSet<_> =
            crossings.iter().flat_map(|crossing| &crossing.shares).chain(named).collect();
        let held = waited_for.into_iter().flat_map(|share| {
            let things = shares.held_for(share, here);
            let crossed = things.filter(|thing| self.crossed(sharing, lookup, thing).is_some());
            crossed.map(|thing| Crossing {
                resource: lookup.address.clone(),
                thing: thing.clone(),
                shares: BTreeSet::from([share.clone()]),
            })
        });
        held.collect()
    }

    /// Returns the attributes of a kind, or of a lookup, that may refer to something that can be shared.
    fn crossing_attributes(&self, sharing: &Sharing, draft: &Draft) -> Vec<&AttributeSchema> {
        let registry = self.scope.registry;
        let kind = registry.kind(draft.kind.as_str()).map(|kind| kind.schema());
        let schema = kind.or_else(|| registry.lookup(&draft.kind).map(|lookup| lookup.schema()));
        let inputs = schema.map_or(&[][..], |schema| &schema.inputs);
        inputs.iter().filter(|attribute| may_cross(sharing, attribute)).collect()
    }

    /// Returns the resources whose ids an attribute takes.
    fn named_by(&self, draft: &Draft, attribute: &AttributeSchema) -> BTreeSet<Address> {
        let mut named = Named::default();
        if let Some(value) =
            self.scope.inputs.get(&draft.address).and_then(|inputs| inputs.get(attribute.name))
        {
            named.collect(attribute, &attribute.attribute_type, value);
        }
        if named.vague
            && let Some(pattern) = draft.attributes.get(attribute.name)
        {
            self.collect_dependencies(pattern, draft.each.as_deref(), Wait::Parent, &mut named.addresses);
        }
        named.addresses
    }

    /// Returns the id of the resource's account if the thing can be shared and is another account's.
    fn crossed(&self, sharing: &Sharing, draft: &Draft, thing: &Address) -> Option<&str> {
        let thing = self.drafts.get(thing)?;
        sharing.of(thing.kind.as_str())?;
        let (here, _) = self.place(draft)?;
        let (there, _) = self.place(thing)?;
        (here != there).then_some(here)
    }

    /// Returns the id and the region of a resource's account; `None` if that has problems.
    fn place(&self, draft: &Draft) -> Option<Place<'_>> {
        self.accounts.get(&draft.account).map(|account| (account.id.as_str(), account.region.as_str()))
    }

    /// Reports shares that need what is to wait for them.
    fn report_cycles(&mut self, crossings: &[Crossing]) {
        if crossings.is_empty() {
            return;
        }
        let component = self.components();
        let circular = crossings.iter().flat_map(|crossing| {
            let shares = crossing.shares.iter();
            shares
                .filter(|share| component[*share] == component[&crossing.resource])
                .map(move |share| (crossing, share))
        });
        let problems: Vec<_> = circular
            .map(|(crossing, share)| (crossing.resource.clone(), self.describe_cycle(crossing, share)))
            .collect();
        for (address, diagnostic) in problems {
            self.report(diagnostic, Some(&address));
        }
    }

    /// Numbers the resources: those that need each other have the same number.
    fn components(&self) -> BTreeMap<Address, usize> {
        let mut graph = DiGraph::<&Address, ()>::with_capacity(self.drafts.len(), self.drafts.len());
        let nodes: BTreeMap<_, _> =
            self.drafts.keys().map(|address| (address, graph.add_node(address))).collect();
        for draft in self.drafts.values() {
            for before in draft.dependencies.iter().filter_map(|dependency| nodes.get(dependency)) {
                graph.add_edge(*before, nodes[&draft.address], ());
            }
        }
        let components = kosaraju_scc(&graph).into_iter().enumerate();
        components
            .flat_map(|(number, members)| members.into_iter().map(move |member| (member, number)))
            .map(|(member, number)| (graph[member].clone(), number))
            .collect()
    }
}

/// The resources that a value names.
#[derive(Default)]
struct Named {
    addresses: BTreeSet<Address>,
    /// Whether a part of the value is made of references in a way that does not tell which it will be.
    vague: bool,
}

impl Named {
    /// Adds what a value of an attribute names by its id.
    fn collect(&mut self, attribute: &AttributeSchema, attribute_type: &AttributeType, value: &Value) {
        match (attribute_type, value) {
            (AttributeType::Object(attributes), Value::Map(entries)) => {
                for inner in attributes {
                    if let Some(value) = entries.get(inner.name) {
                        self.collect(inner, &inner.attribute_type, value);
                    }
                }
            }
            (AttributeType::List(item) | AttributeType::Set(item), Value::List(items)) => {
                for value in items {
                    self.collect(attribute, item, value);
                }
            }
            (AttributeType::Map(item), Value::Map(entries)) => {
                for value in entries.values() {
                    self.collect(attribute, item, value);
                }
            }
            (_, Value::Unknown(unknown)) if !attribute.refers_to.is_empty() => {
                self.vague |= !unknown.exact;
                if unknown.exact && unknown.origin.attribute == "id" {
                    self.addresses.insert(unknown.origin.address.clone());
                }
            }
            _ => {}
        }
    }
}

/// Tells whether an attribute, or one inside it, refers to something that can be shared.
fn may_cross(sharing: &Sharing, attribute: &AttributeSchema) -> bool {
    let mut attribute_type = &attribute.attribute_type;
    while let AttributeType::List(item) | AttributeType::Set(item) | AttributeType::Map(item) = attribute_type
    {
        attribute_type = item;
    }
    let inside =
        if let AttributeType::Object(attributes) = attribute_type { attributes.as_slice() } else { &[] };
    attribute.refers_to.iter().any(|kind| sharing.of(kind).is_some())
        || inside.iter().any(|attribute| may_cross(sharing, attribute))
}
