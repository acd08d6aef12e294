//! One thing that is to become a resource: whose it is, and what of it is ours from then on.

use crate::access::Access;
use crate::address::{AccountName, Address, RemoteId};
use crate::diagnostic::Diagnostic;
use crate::environment::random_id;
use crate::erased::{AnyResource, ObservedValues};
use crate::import::Imports;
use crate::observation::{Observation, Observations};
use crate::plan::{self, Import, Values, inputs_so_far};
use crate::provider::Account;
use crate::resource::STACK_TAG;
use crate::run::Engine;
use crate::schema::AttributeSchema;
use crate::spec::{ImportNode, ResourceNode, Spec};
use crate::state::{Imported, Record, ResourceState, State};
use crate::value::{Value, ValueMap};

/// A thing that is to become a resource.
pub(super) struct Candidate<'a> {
    pub(super) import: &'a ImportNode,
    pub(super) node: &'a ResourceNode,
    pub(super) account: &'a Account,
    pub(super) kind: &'a dyn AnyResource,
}

impl Candidate<'_> {
    /// Returns the part of the inputs that says by which cluster the thing is reached, if it is in one.
    ///
    /// # Errors
    /// If that is not known before something is made.
    pub(super) fn way(&self, values: &Values, lineage: &str) -> Result<ValueMap, Box<Diagnostic>> {
        let Some(attribute) = self.kind.through() else { return Ok(ValueMap::new()) };
        let home = self.account.home();
        let inputs = inputs_so_far(self.node, self.kind, home, None, values, lineage);
        let cluster = inputs.get(attribute).filter(|cluster| cluster.is_known());
        let cluster = cluster.ok_or_else(|| self.out_of_reach(attribute))?;
        Ok(ValueMap::from([(attribute.to_owned(), cluster.clone())]))
    }

    fn out_of_reach(&self, attribute: &str) -> Box<Diagnostic> {
        let ImportNode { to, id, .. } = self.import;
        let problem = Diagnostic::error("import-out-of-reach", format!("{id} cannot be looked at yet"))
            .with_detail(format!(
                "The `{attribute}` of {to} is known only after an apply, so that nothing can be in it."
            ))
            .with_hint("Import the cluster first, or take the import away.");
        Box::new(self.placed(problem, "is out of reach"))
    }

    fn record(&self, engine: &Engine<'_>) -> Imported {
        Imported {
            operation_id: random_id(engine.environment),
            address: self.import.to.clone(),
            kind: self.node.kind.clone(),
            account: self.node.account.clone(),
            account_id: self.account.id.clone(),
            region: self.account.region.clone(),
            remote_id: self.import.id.clone(),
            inputs: ValueMap::new(),
            outputs: ValueMap::new(),
            dependencies: self.node.dependencies.clone(),
            lifecycle: self.node.lifecycle.clone(),
            at: engine.environment.now(),
        }
    }

    /// Returns what the state would have of the thing before it is looked at.
    pub(super) fn provisional(&self, engine: &Engine<'_>, way: &ValueMap) -> ResourceState {
        ResourceState::from(&Imported { inputs: way.clone(), ..self.record(engine) })
    }

    /// Notes the import of a thing as it was found.
    pub(super) fn take(
        &self,
        engine: &Engine<'_>,
        observed: &ObservedValues,
        state: &State,
        observations: &mut Observations,
        imports: &mut Imports,
    ) {
        let address = &self.import.to;
        let inputs = self.owned(observed, &state.lineage);
        let imported = Imported { inputs, outputs: observed.outputs.clone(), ..self.record(engine) };
        let before = state.resources.get(address);
        let mut records = Vec::new();
        if before.is_some_and(|resource| resource.object.is_some()) {
            // What the state has is gone.
            records.push(Record::Observed { address: address.clone(), inputs: None, outputs: None });
        }
        records.push(Record::Imported(Box::new(imported)));
        imports.records.insert(address.clone(), records);
        imports.told.push(Import {
            address: address.clone(),
            kind: self.node.kind.clone(),
            account: self.node.account.clone(),
            region: self.account.region.clone(),
            remote_id: self.import.id.clone(),
            taken_from: other_stack(observed, &state.lineage).map(str::to_owned),
        });
        let observation: &mut Observation = observations.entry(address.clone()).or_default();
        observation.object = Some(observed.clone());
    }

    /// Returns what is there of the inputs that the spec sets, as if the last apply had set them:
    /// nothing else is ours, so that what the spec says nothing of stays as it is, tags of others
    /// among it.
    fn owned(&self, observed: &ObservedValues, lineage: &str) -> ValueMap {
        let schema = self.kind.schema();
        // What is wrong with the values is said by the plan.
        let (home, values) = (self.account.home(), Values::new(lineage));
        let desired = inputs_so_far(self.node, self.kind, home, Some(observed), &values, lineage);
        // Nobody can tell how it was made; that it was made otherwise is no reason to replace it. What
        // others may change is told by the state, and is taken as it is found.
        let mut said = observed.inputs.clone();
        plan::members::copy(&schema.inputs, is_taken_as_said, &desired, &mut said);
        let mut owned = ValueMap::new();
        for (name, wanted) in &desired {
            let Some(attribute) = schema.input(name) else { continue };
            let said = said.get(name).filter(|said| said.is_known());
            let found = plan::owned(attribute, observed.inputs.get(name), &[wanted], said).or(said.cloned());
            owned.extend(found.map(|found| (name.clone(), found)));
        }
        owned
    }

    /// Says why a thing that was found is not imported.
    pub(super) fn refusal(
        &self,
        observed: &ObservedValues,
        spec: &Spec,
        lineage: &str,
    ) -> Option<Diagnostic> {
        let (to, id) = (&self.import.to, &self.import.id);
        if let Some(owner) = owner(observed).filter(|owner| *owner != self.account.id) {
            let name =
                spec.accounts.values().find(|account| account.id == owner).map(|account| &account.name);
            let problem =
                Diagnostic::error("import-of-another-account", format!("{id} belongs to another account"));
            let problem = problem.with_detail(format!(
                "{to} is in the account `{}` ({}), which only sees it: it belongs to {}.",
                self.account.name,
                self.account.id,
                name.map_or_else(|| owner.to_owned(), |name| format!("the account `{name}` ({owner})")),
            ));
            let hint = match name {
                Some(name) => format!("Put its block into `account = \"{name}\"`."),
                None => {
                    "Import it into a stack of that account, or look it up with `[lookup.NAME]`.".to_owned()
                }
            };
            return Some(self.placed(problem.with_hint(hint), "belongs to another account"));
        }
        let other = other_stack(observed, lineage).filter(|_| !self.import.take_over)?;
        let problem = Diagnostic::error("import-of-another-stack", format!("{id} belongs to another stack"))
            .with_detail(format!(
                "Its tag `{STACK_TAG}` names the stack {other}. Two stacks that both have a thing undo each other's changes, \
                 and the first one that is destroyed deletes it."
            ))
            .with_hint(
                "Let the other stack go of it first, with `[[removed]]` and `destroy = false`; or, if that stack is no more, \
                 say `take_over = true` in the `[[import]]`, or `--take-over`.",
            );
        Some(self.placed(problem, "belongs to another stack"))
    }

    /// Reports an import into a resource that is another thing.
    pub(super) fn taken(&self, id: &RemoteId) -> Diagnostic {
        let ImportNode { to, id: wanted, .. } = self.import;
        let problem = Diagnostic::error("already-in-state", format!("{to} is another thing already"))
            .with_detail(format!("The state has {id} as {to}, and {wanted} is to be imported as that."))
            .with_hint(
                "Give what is imported an address of its own; or let the other one go with `[[removed]]` and \
                 `destroy = false` under another name.",
            );
        self.placed(problem, "is another thing already")
    }

    /// Reports a thing that is not there; says so if another account of the stack has it.
    pub(super) async fn not_found(&self, access: &Access, spec: &Spec) -> Diagnostic {
        let ImportNode { to, id, .. } = self.import;
        let (kind, account) = (&self.node.kind, self.account);
        let problem =
            Diagnostic::error("import-not-found", format!("{id} is not there")).with_detail(format!(
                "No `{kind}` in the account `{}` ({} {}) has this id. Nothing was changed.",
                account.name, account.id, account.region
            ));
        let hint = match self.found_in(access, spec).await {
            Some(name) => {
                format!("The account `{name}` has it: put the block of {to} into `account = \"{name}\"`.")
            }
            None => format!("{} If the thing is gone, take the import away.", self.look_up()),
        };
        self.placed(problem.with_hint(hint), "is not there")
    }

    /// Returns the account of the stack that owns the thing, if another one does. What another
    /// account cannot tell is no second problem.
    async fn found_in(&self, access: &Access, spec: &Spec) -> Option<AccountName> {
        // A cluster is in one account.
        let is_anywhere = self.kind.through().is_none();
        let others = access.connections().keys().filter(|name| is_anywhere && **name != self.node.account);
        for name in others {
            let read = access.read(self.kind, name, &self.import.id, &ValueMap::new()).await;
            let observed = read.ok().flatten();
            let owns = |observed: &ObservedValues| {
                owner(observed).is_none_or(|owner| owner == spec.accounts[name].id)
            };
            if observed.as_ref().is_some_and(owns) {
                return Some(name.clone());
            }
        }
        None
    }

    /// Says where the id comes from, in a whole sentence.
    fn look_up(&self) -> String {
        match self.kind.schema().id_form {
            "*" => "Look the id up where the thing was made.".to_owned(),
            form => format!("Look the id up where the thing was made; it looks like `{form}`."),
        }
    }

    fn placed(&self, problem: Diagnostic, label: &str) -> Diagnostic {
        placed(problem, self.import, label)
    }
}

/// Tells whether an attribute of a thing that is imported counts as made as the spec says.
fn is_taken_as_said(attribute: &AttributeSchema) -> bool {
    attribute.write_only && attribute.replace
}

fn placed(problem: Diagnostic, import: &ImportNode, label: &str) -> Diagnostic {
    let problem = problem.with_address(import.to.clone());
    match import.span {
        Some(span) => problem.with_span(span, label),
        None => problem,
    }
}

/// Reports an import of what the state has under another name.
pub(super) fn elsewhere(import: &ImportNode, owner: &Address) -> Diagnostic {
    let ImportNode { to, id, .. } = import;
    let problem = Diagnostic::error("already-in-state", format!("{id} is in the state already"))
        .with_detail(format!("The state has {id} as {owner}, and it is to be imported as {to}."))
        .with_hint(format!(
            "To give it that name, write `[[moved]]` with `from = \"{owner}\"` and `to = \"{to}\"` in the place of the import."
        ));
    placed(problem, import, "is in the state already")
}

/// Returns the id of the stack that a thing belongs to, if that is another one.
fn other_stack<'o>(observed: &'o ObservedValues, lineage: &str) -> Option<&'o str> {
    let tags = observed.inputs.get("tags").and_then(Value::as_map)?;
    tags.get(STACK_TAG).and_then(Value::as_str).filter(|stack| *stack != lineage)
}

/// Returns the id of the account that a thing belongs to, where the service says it.
fn owner(observed: &ObservedValues) -> Option<&str> {
    let text = |name: &str| observed.outputs.get(name).and_then(Value::as_str);
    let in_arn = || text("arn").and_then(|arn| arn.split(':').nth(4));
    let is_account = |owner: &&str| owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
    text("owner_id").or_else(in_arn).filter(is_account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Readiness;

    fn observed(outputs: &[(&str, &str)]) -> ObservedValues {
        let outputs = outputs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        ObservedValues { inputs: ValueMap::new(), outputs: outputs.collect(), readiness: Readiness::Ready }
    }

    #[test]
    fn the_owner_is_told_by_its_id_or_by_the_arn() {
        let arn = ("arn", "arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1");
        assert_eq!(owner(&observed(&[arn])), Some("111111111111"));
        assert_eq!(owner(&observed(&[("owner_id", "222222222222"), arn])), Some("222222222222"));
        assert_eq!(owner(&observed(&[("arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")])), None);
        assert_eq!(owner(&observed(&[])), None);
    }
}
