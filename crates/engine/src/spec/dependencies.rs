//! Which resources have to be there before another one.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::lookup::is_lookup;
use crate::spec::evaluator::Evaluator;
use crate::spec::expression::access::missing_instance;
use crate::spec::expression::ast::{Instance, Reference, ResourceReference};
use crate::spec::expression::evaluate::Evaluation;
use crate::spec::order::Wait;
use crate::spec::pattern::Pattern;
use crate::spec::resource_block::ResourceBlock;
use crate::spec::world::{Each, Shape};
use crate::value::Value;

impl Evaluator<'_> {
    /// Reports keys in `depends_on` that no resource has.
    pub(crate) fn check_depends_on(&mut self, block: &ResourceBlock) {
        for (target, span) in &block.depends_on {
            if let Some(Shape::Keyed(instances)) = self.world.shapes.get(target.block())
                && let Some(key) = target.key().filter(|key| !instances.contains_key(*key))
            {
                let diagnostic = missing_instance(target.block(), key, instances, *span);
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Returns what the `depends_on` of a block stands for.
    pub(crate) fn depends_on(&self, block: &ResourceBlock) -> BTreeSet<Address> {
        let mut addresses = BTreeSet::new();
        for (target, _) in &block.depends_on {
            match (self.world.shapes.get(target.block()), target.key()) {
                (Some(Shape::Keyed(instances)), Some(key)) => {
                    if let Some(address) = instances.get(key) {
                        self.wait_for(address, Wait::Whole, &mut addresses);
                    }
                }
                (Some(Shape::Keyed(instances)), None) => {
                    for address in instances.values() {
                        self.wait_for(address, Wait::Whole, &mut addresses);
                    }
                }
                (Some(Shape::Single(address)), _) => self.wait_for(address, Wait::Whole, &mut addresses),
                (Some(Shape::Broken) | None, _) => {}
            }
        }
        addresses
    }

    /// Lets every resource wait for what the lookups wait for that it refers to: the state has no
    /// lookup, and keeps the order for the way back.
    pub(crate) fn reach_through_lookups(&mut self) {
        let is_found =
            |address: &&Address| self.drafts.get(*address).is_some_and(|draft| is_lookup(&draft.kind));
        let mut needed = Vec::new();
        for draft in self.drafts.values().filter(|draft| !is_lookup(&draft.kind)) {
            let mut waiting: Vec<_> = draft.dependencies.iter().filter(is_found).collect();
            let mut seen: BTreeSet<&Address> = waiting.iter().copied().collect();
            while let Some(lookup) = waiting.pop() {
                for next in &self.drafts[lookup].dependencies {
                    if *next != draft.address && seen.insert(next) && is_found(&next) {
                        waiting.push(next);
                    }
                }
            }
            if !seen.is_empty() {
                needed.push((draft.address.clone(), seen.into_iter().cloned().collect::<Vec<_>>()));
            }
        }
        for (address, through) in needed {
            self.drafts.get_mut(&address).expect("it was walked from").dependencies.extend(through);
        }
    }

    fn wait_for(&self, address: &Address, wait: Wait, addresses: &mut BTreeSet<Address>) {
        addresses.insert(address.clone());
        if wait == Wait::Whole {
            addresses.extend(self.children.get(address).into_iter().flatten().cloned());
        }
    }

    /// Adds the resources that a pattern refers to.
    pub(crate) fn collect_dependencies(
        &self,
        pattern: &Pattern,
        each: Option<&Each>,
        wait: Wait,
        addresses: &mut BTreeSet<Address>,
    ) {
        let mut uses_each_value = false;
        pattern.visit_references(&mut |reference, _| match reference {
            Reference::Resource(reference) | Reference::Whole(reference) => {
                for address in self.instances(reference, each) {
                    self.wait_for(address, wait, addresses);
                }
            }
            Reference::Local(name) => {
                let found = self.local_dependencies.get(&(name.clone(), wait));
                addresses.extend(found.into_iter().flatten().cloned());
            }
            Reference::EachValue => uses_each_value = true,
            Reference::Variable(_)
            | Reference::AccountId(_)
            | Reference::AccountRegion(_)
            | Reference::StackName
            | Reference::StackId
            | Reference::EachKey
            | Reference::Use(_) => {}
        });
        pattern.visit_attributes(&mut |reference| self.wait_for(&reference.address, wait, addresses));
        if let Some(each) = each.filter(|_| uses_each_value) {
            self.collect_dependencies(&each.value, None, wait, addresses);
        }
    }

    /// Returns the resources that a reference means; all of the block if its key is not known.
    fn instances(&self, reference: &ResourceReference, each: Option<&Each>) -> Vec<&Address> {
        match (self.world.shapes.get(&reference.block), &reference.instance) {
            (Some(Shape::Single(address)), _) => vec![address],
            (Some(Shape::Keyed(addresses)), Instance::Key(key)) => {
                let key = Evaluation::new(&self.world, each, &self.scope).expression(key);
                match key.as_deref() {
                    Ok(Value::String(key)) => addresses.get(key.as_str()).into_iter().collect(),
                    Ok(_) | Err(_) => addresses.values().collect(),
                }
            }
            (Some(Shape::Keyed(addresses)), Instance::Single | Instance::All) => addresses.values().collect(),
            (Some(Shape::Broken) | None, _) => Vec::new(),
        }
    }
}
