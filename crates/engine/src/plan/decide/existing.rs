//! Decides about a resource that is there: it stays as it is, is changed in place, or replaced.

use crate::erased::{AnyResource, ObservedValues};
use crate::plan::decide::Decisions;
use crate::plan::decide::changes::{followed, impossible, protected};
use crate::plan::diff::Sides;
use crate::plan::{AttributeChange, Change, ChangeAction, Reason};
use crate::resource::{Readiness, ReplaceOrder};
use crate::spec::ResourceNode;
use crate::state::{Object, ResourceState, Status};
use crate::value::{Value, ValueMap};

/// A resource that the state knows and that is there.
pub(super) struct Existing<'a> {
    pub(super) prior: &'a ResourceState,
    pub(super) object: &'a Object,
    pub(super) observed: &'a ObservedValues,
}

impl Decisions<'_> {
    pub(super) fn compare(
        &mut self,
        node: &ResourceNode,
        kind: &dyn AnyResource,
        desired: &ValueMap,
        existing: &Existing<'_>,
    ) {
        let Existing { object, observed, .. } = *existing;
        let lifecycle = &node.lifecycle;
        let sensitive = &lifecycle.all_sensitive(Some(&existing.prior.lifecycle));
        let sides = Sides { kind, desired, object, observed, lifecycle, sensitive };
        let planned = sides.planned_inputs();
        let mut attributes = sides.changes(&planned);
        if kind.made_by().is_some() {
            // What others changed is for whoever makes it to put right: only what the spec changes is awaited.
            attributes.retain(|change| differs_from_applied(object, change));
        }
        let immutable = self.foreseen.get(&node.address).and_then(|foreseen| foreseen.immutable.as_deref());
        if let Some(place) = immutable {
            let inside = |name: &str| place.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
            for attribute in attributes.iter_mut().filter(|attribute| inside(&attribute.name)) {
                attribute.replaces = true;
            }
        }
        let reasons = self.reasons(node, existing, &attributes);
        match reasons.first() {
            None => {
                self.unchanged += 1;
                self.keep(node, &planned, observed);
            }
            Some(
                Reason::CannotChange { .. }
                | Reason::Failed { .. }
                | Reason::Moved { .. }
                | Reason::Exchanged { .. }
                | Reason::Asked,
            ) => {
                // A new object is as the spec wants it, also where differences of the old one are left alone.
                let mut planned = planned;
                for name in &node.lifecycle.ignore_changes {
                    match desired.get(name) {
                        Some(wanted) => drop(planned.insert(name.clone(), wanted.clone())),
                        None => drop(planned.remove(name)),
                    }
                }
                self.replace(node, kind, planned, existing, reasons, attributes);
            }
            Some(_) => {
                let refused = attributes.iter().filter_map(|attribute| {
                    let name = kind.schema().input(&attribute.name)?.name;
                    kind.check_change(name, &attribute.before, &attribute.after)
                });
                self.diagnostics.extend(refused.map(|problem| impossible(node, problem)));
                let outputs = stable_outputs(kind, observed);
                // What does not change is known, also where the spec says nothing of it.
                let mut inputs = observed.inputs.clone();
                inputs.extend(planned.clone());
                self.promise(node, &inputs, outputs);
                self.changes.push(Change {
                    action: ChangeAction::Update,
                    remote_id: Some(object.remote_id.clone()),
                    reasons,
                    follows: followed(node, &attributes),
                    attributes,
                    ..self.change(node, planned)
                });
            }
        }
    }

    /// Returns why an existing resource changes; what makes another object necessary comes first.
    fn reasons(
        &self,
        node: &ResourceNode,
        existing: &Existing<'_>,
        attributes: &[AttributeChange],
    ) -> Vec<Reason> {
        let Existing { prior, object, observed } = *existing;
        let mut reasons = Vec::new();
        if prior.account != node.account {
            reasons.push(Reason::Moved { from: format!("{} {}", prior.account, prior.region) });
        }
        let told = |reason: &str| self.told(existing, reason);
        if let Readiness::Failed(reason) = &observed.readiness
            && !node.lifecycle.is_made_by_others()
        {
            reasons.push(Reason::Failed { reason: told(reason) });
        }
        let immutable = self.foreseen.get(&node.address).and_then(|foreseen| foreseen.immutable.as_ref());
        let place = |attribute: &AttributeChange| {
            let inside = immutable.filter(|place| place.starts_with(&format!("{}.", attribute.name)));
            inside.unwrap_or(&attribute.name).clone()
        };
        let replacing = attributes.iter().filter(|attribute| attribute.replaces);
        reasons.extend(replacing.map(|attribute| Reason::CannotChange { attribute: place(attribute) }));
        let exchanged = self.exchanged.get(&node.address);
        reasons.extend(exchanged.map(|with| Reason::Exchanged { with: with.clone() }));
        if self.options.replaces(&node.address) {
            reasons.push(Reason::Asked);
        }
        let repairs_itself = node.lifecycle.is_made_by_others();
        match &observed.readiness {
            Readiness::Failed(reason) if repairs_itself => {
                reasons.push(Reason::Impaired { reason: told(reason) });
            }
            Readiness::Impaired(reason) => reasons.push(Reason::Impaired { reason: told(reason) }),
            Readiness::Ready | Readiness::Pending(_) | Readiness::Degraded(_) | Readiness::Failed(_) => {}
        }
        if !attributes.is_empty() {
            reasons.push(Reason::Differs);
        }
        if object.status != Status::Ready {
            reasons.push(Reason::Unfinished);
        }
        reasons
    }

    /// Returns a service's words without sensitive values of the resource in them.
    fn told(&self, existing: &Existing<'_>, words: &str) -> String {
        let Existing { prior, object, .. } = existing;
        let mut secrets = self.spec.secrets.clone();
        if let Some(kind) = self.registry.kind(prior.kind.as_str()) {
            secrets.add_inputs(&kind.schema().inputs, &prior.lifecycle.sensitive, &object.inputs);
        }
        secrets.hide(words).into_owned()
    }

    fn replace(
        &mut self,
        node: &ResourceNode,
        kind: &dyn AnyResource,
        planned: ValueMap,
        existing: &Existing<'_>,
        reasons: Vec<Reason>,
        attributes: Vec<AttributeChange>,
    ) {
        if node.lifecycle.prevent_destroy || existing.prior.lifecycle.prevent_destroy {
            self.diagnostics.push(protected(&node.address, "replaced", &reasons).with_span(node.span, ""));
        }
        let moved = reasons.iter().any(|reason| matches!(reason, Reason::Moved { .. }));
        let chosen = node.lifecycle.replace_order.unwrap_or(kind.traits().replace_order);
        // A new object in another account cannot take the old one's place in the state, and what
        // stands on something that is deleted first has to be deleted before that.
        let exclusive = kind.exclusive();
        let changed = |name: &&str| attributes.iter().any(|attribute| attribute.name == *name);
        let same_claim = !exclusive.is_empty() && !exclusive.iter().any(changed);
        let exchanged = self.exchanged.contains_key(&node.address);
        let delete_first = moved || exchanged || same_claim || self.stands_on_deleted_first(node);
        let order = if delete_first { ReplaceOrder::DeleteFirst } else { chosen };
        if order == ReplaceOrder::DeleteFirst {
            self.deleted_first.insert(node.address.clone());
        }
        // What is named by the old one's id goes with it, also where the new one will have the same.
        let mut promised = planned.clone();
        for name in kind.identity() {
            promised.insert((*name).to_owned(), Value::unknown(node.address.clone(), *name));
        }
        self.promise(node, &promised, ValueMap::new());
        self.changes.push(Change {
            action: ChangeAction::Replace(order),
            remote_id: Some(existing.object.remote_id.clone()),
            reasons,
            follows: followed(node, &attributes),
            attributes,
            ..self.change(node, planned)
        });
    }

    fn stands_on_deleted_first(&self, node: &ResourceNode) -> bool {
        node.dependencies.iter().any(|dependency| self.deleted_first.contains(dependency))
    }
}

/// Tells whether an attribute is to become something else than what the last apply set.
fn differs_from_applied(object: &Object, change: &AttributeChange) -> bool {
    let applied = object.inputs.get(&change.name).unwrap_or(&Value::Null);
    !change.form.same(applied, &change.after)
}

fn stable_outputs(kind: &dyn AnyResource, observed: &ObservedValues) -> ValueMap {
    let volatile = |name: &str| kind.schema().output(name).is_some_and(|output| output.volatile);
    let outputs = observed.outputs.iter().filter(|(name, _)| !volatile(name));
    outputs.map(|(name, value)| (name.clone(), value.clone())).collect()
}
