//! Attributes that follow an attribute of another resource, such as a node group's version that of its
//! cluster: what the spec does not set is taken from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::erased::AnyKind;
use crate::schema::{AttributeSchema, KindSchema};
use crate::spec::Scope;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::ast::{Expression, ExpressionKind, Reference};
use crate::spec::model::Followed;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::world::{Each, Local, LocalName};
use crate::value::{AttributeReference, Unknown, Value};

impl Evaluator<'_> {
    /// Finds out which attributes of a resource follow what, and adds those that the spec does not set.
    pub(crate) fn follow(&self, draft: &mut Draft, schema: &KindSchema) {
        let follows = schema.inputs.iter().filter_map(|attribute| self.followed(draft, attribute));
        let follows: BTreeMap<_, _> = follows.collect();
        for (name, followed) in follows.iter().filter(|(_, followed)| !followed.is_written) {
            let pattern = Pattern::attribute(draft.span, followed.reference.clone());
            draft.attributes.insert(name.clone(), pattern);
        }
        draft.follows = follows;
    }

    fn followed(&self, draft: &Draft, attribute: &AttributeSchema) -> Option<(String, Followed)> {
        let follows = attribute.follows?;
        let address = self.named(draft.attributes.get(follows.by)?, draft.each.as_deref())?;
        // A child is of another kind than its block.
        let kind =
            address.child_name().is_none().then(|| self.scope.registry.kind(address.block().kind.as_str()));
        let schema = kind.flatten()?.schema();
        if schema.input(follows.attribute).is_none() && schema.output(follows.attribute).is_none() {
            return None;
        }
        let reference = AttributeReference { address, attribute: follows.attribute.to_owned() };
        let is_written = draft.attributes.contains_key(attribute.name);
        Some((attribute.name.to_owned(), Followed { reference, is_written }))
    }

    /// Returns the resource that a value is exactly an attribute of.
    fn named(&self, pattern: &Arc<Pattern>, each: Option<&Each>) -> Option<Address> {
        let Value::Unknown(Unknown { origin, exact: true }) = self.symbolic(pattern, each)? else {
            return None;
        };
        Some(origin.address)
    }

    /// Returns the first resource that a value is made of.
    pub(crate) fn made_of(&self, pattern: &Arc<Pattern>, each: Option<&Each>) -> Option<Address> {
        let value = self.symbolic(pattern, each)?;
        value.first_unknown().map(|unknown| unknown.origin.address.clone())
    }

    /// Returns a value in which every attribute of a resource tells which one it is.
    fn symbolic(&self, pattern: &Arc<Pattern>, each: Option<&Each>) -> Option<Value> {
        let (mut pattern, mut each) = (pattern, each);
        while let Some(name) = local(pattern) {
            // One that is made of itself has no value; of the others, each is made of those before it.
            self.world.locals.get(name).filter(|local| !matches!(local, Local::Broken))?;
            (pattern, each) = (self.program.locals.get(name)?, None);
        }
        self.world.evaluate(pattern, each, &NothingKnown).ok()
    }
}

/// Returns what is known of an attribute before anything is read, where it follows another resource.
pub(crate) fn followed_value(draft: &Draft, resource: &dyn AnyKind, name: &str, value: Value) -> Value {
    let follows = draft.follows.get(name).is_some_and(|followed| !followed.is_written);
    if !follows || !value.is_known() {
        return value;
    }
    resource.follow(name, &value, None).unwrap_or_else(|| Value::unknown(draft.address.clone(), name))
}

/// Returns the local value, or the input of a component, that a pattern is exactly.
fn local(pattern: &Pattern) -> Option<&LocalName> {
    let Content::Expression(Expression { kind, .. }) = &pattern.content else { return None };
    let ExpressionKind::Reference(Reference::Local(name)) = kind else { return None };
    Some(name)
}

/// Knows no attribute of any resource, so that a value tells which one it is.
pub(crate) struct NothingKnown;

impl Scope for NothingKnown {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::Null
    }
}
