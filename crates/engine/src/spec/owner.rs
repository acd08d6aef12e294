//! Fills in whose the things are that resources refer to in other accounts.

use crate::schema::{AttributeSchema, KindSchema};
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::evaluate::Evaluation;
use crate::spec::pattern::Pattern;
use crate::value::{Unknown, Value};

impl Evaluator<'_> {
    /// Sets the owner attributes that the spec does not set: each to the id of the account that
    /// the thing belongs to, if that is not the resource's own.
    pub(crate) fn fill_in_owners(&self, draft: &mut Draft, schema: &KindSchema) {
        for attribute in &schema.inputs {
            let Some(owner) = attribute.owner else { continue };
            if draft.attributes.contains_key(owner) {
                continue;
            }
            if let Some(id) = self.other_owner(draft, attribute) {
                let span = draft.attributes[attribute.name].span;
                draft.attributes.insert(owner.to_owned(), Pattern::constant(span, Value::from(id)));
            }
        }
    }

    /// Returns the id of the account that the thing belongs to that an attribute refers to; `None`
    /// if it refers to none, or to one of the resource's own account.
    fn other_owner(&self, draft: &Draft, attribute: &AttributeSchema) -> Option<&str> {
        let pattern = draft.attributes.get(attribute.name)?;
        let value = Evaluation::new(&self.world, draft.each.as_deref(), &self.scope).pattern(pattern);
        let Ok(Value::Unknown(Unknown { origin, exact: true })) = value else { return None };
        let id = |account| self.accounts.get(account).map(|account| account.id.as_str());
        let owner = id(&self.drafts.get(&origin.address)?.account)?;
        (origin.attribute == "id" && Some(owner) != id(&draft.account)).then_some(owner)
    }
}
