//! Makes changes out of what was decided.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::difference::Form;
use crate::erased::AnyResource;
use crate::plan::decide::Decisions;
use crate::plan::{AttributeChange, Change, ChangeAction, Reason};
use crate::resource::Problem;
use crate::schema::AttributeSchema;
use crate::spec::{Lifecycle, ResourceNode, Template};
use crate::state::{Object, ResourceState};
use crate::value::{AttributeReference, Value, ValueMap};

impl Decisions<'_> {
    /// Makes a change of a resource that the spec has; of which sort, the caller says.
    pub(super) fn change(&self, node: &ResourceNode, inputs: ValueMap) -> Change {
        let account = self.spec.accounts.get(&node.account);
        Change {
            address: node.address.clone(),
            kind: node.kind.clone(),
            account: node.account.clone(),
            account_id: account.map(|account| account.id.clone()).unwrap_or_default(),
            region: account.map(|account| account.region.clone()).unwrap_or_default(),
            action: ChangeAction::Create,
            remote_id: None,
            reasons: Vec::new(),
            attributes: Vec::new(),
            follows: BTreeMap::new(),
            rounds: Vec::new(),
            last_round: None,
            inputs,
            dependencies: node.dependencies.clone(),
            lifecycle: node.lifecycle.clone(),
        }
    }

    /// Returns the attributes of something new.
    pub(super) fn created_attributes(&self, node: &ResourceNode, desired: &ValueMap) -> Vec<AttributeChange> {
        let schema = self.registry.kind(node.kind.as_str()).map(|kind| kind.schema());
        let schema = |name: &str| schema.and_then(|schema| schema.input(name));
        let hidden = |schema: &AttributeSchema| schema.is_hidden(&node.lifecycle.sensitive);
        let attribute = |(name, value): (&String, &Value)| AttributeChange {
            name: name.clone(),
            before: Value::Null,
            after: value.clone(),
            replaces: false,
            sensitive: schema(name).is_some_and(hidden),
            form: form(schema(name)),
        };
        desired.iter().map(attribute).collect()
    }
}

/// Returns what those of the attributes follow that the spec does not set.
pub(super) fn followed(
    node: &ResourceNode,
    attributes: &[AttributeChange],
) -> BTreeMap<String, AttributeReference> {
    let followed = attributes.iter().filter_map(|attribute| {
        let followed = node.follows.get(&attribute.name).filter(|followed| !followed.is_written)?;
        Some((attribute.name.clone(), followed.reference.clone()))
    });
    followed.collect()
}

/// Refuses a change that the service never makes.
pub(super) fn impossible(node: &ResourceNode, problem: Problem) -> Diagnostic {
    let span = node.attributes.get(problem.attribute).map_or(node.span, Template::span);
    let diagnostic = Diagnostic::error("impossible-change", "change that the service never makes")
        .with_span(span, format!("`{}` cannot become this", problem.attribute))
        .with_detail(problem.message)
        .with_address(node.address.clone());
    match problem.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// Reports that the service says now already that it would refuse what is wanted.
pub(super) fn refused(node: &ResourceNode, problem: Problem) -> Diagnostic {
    let span = node.attributes.get(problem.attribute).map_or(node.span, Template::span);
    let diagnostic = Diagnostic::error("refused-in-advance", "the service would refuse this")
        .with_span(span, format!("`{}` cannot be this", problem.attribute))
        .with_detail(problem.message)
        .with_address(node.address.clone());
    match problem.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// Refuses what would delete something protected.
pub(super) fn protected(address: &Address, verb: &str, reasons: &[Reason]) -> Diagnostic {
    let because: Vec<_> = reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::CannotChange { attribute } => Some(format!(" `{attribute}` cannot be changed in place.")),
            Reason::Failed { reason } | Reason::Impaired { reason } => {
                Some(format!(" The service says: {reason}."))
            }
            Reason::Moved { from } => Some(format!(" It is in {from}.")),
            Reason::Exchanged { with } => {
                Some(format!(" It and {with} exchange what only one of them can have at a time."))
            }
            Reason::Asked => Some(" Its replacement was asked for.".to_owned()),
            Reason::NotInSpec => Some(" The spec no longer has it.".to_owned()),
            Reason::New
            | Reason::Vanished { .. }
            | Reason::Differs
            | Reason::Destroy
            | Reason::Unfinished
            | Reason::Deposed
            | Reason::Retained
            | Reason::NeverDeleted
            | Reason::Removed
            | Reason::MakerStays
            | Reason::OutOfReach
            | Reason::Renamed { .. }
            | Reason::Imported => None,
        })
        .collect();
    Diagnostic::error("prevent-destroy", format!("{address} is protected and would be {verb}"))
        .with_detail(format!("Its `prevent_destroy` is true.{}", because.concat()))
        .with_hint("Set `prevent_destroy = false` and apply that first, or undo the change that makes this necessary.")
        .with_address(address.clone())
}

/// Returns the attributes of something that is deleted.
pub(super) fn deleted_attributes(
    kind: &dyn AnyResource,
    object: &Object,
    lifecycle: &Lifecycle,
) -> Vec<AttributeChange> {
    let schema = |name: &str| kind.schema().input(name);
    let hidden = |schema: &AttributeSchema| schema.is_hidden(&lifecycle.sensitive);
    let attribute = |(name, value): (&String, &Value)| AttributeChange {
        name: name.clone(),
        before: value.clone(),
        after: Value::Null,
        replaces: false,
        sensitive: schema(name).is_some_and(hidden),
        form: form(schema(name)),
    };
    object.inputs.iter().map(attribute).collect()
}

fn form(schema: Option<&AttributeSchema>) -> Form {
    schema.map(|schema| schema.attribute_type.form()).unwrap_or_default()
}

/// Makes a change of a resource that goes; of which sort, the caller says.
pub(super) fn removal(address: &Address, prior: &ResourceState) -> Change {
    Change {
        address: address.clone(),
        kind: prior.kind.clone(),
        account: prior.account.clone(),
        account_id: prior.account_id.clone(),
        region: prior.region.clone(),
        action: ChangeAction::Delete,
        remote_id: None,
        reasons: Vec::new(),
        attributes: Vec::new(),
        follows: BTreeMap::new(),
        rounds: Vec::new(),
        last_round: None,
        inputs: ValueMap::new(),
        dependencies: prior.dependencies.clone(),
        lifecycle: prior.lifecycle.clone(),
    }
}
