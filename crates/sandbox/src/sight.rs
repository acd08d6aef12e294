//! What reads do not know yet: services of AWS are eventually consistent ("Eventual consistency in
//! the Amazon EC2 API", EC2 developer guide).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;

/// Carries out a read for which some ids do not exist: in its parameters, ids that nobody has stand
/// in their place, so that the operation itself says what it has to say about those.
pub(crate) fn read(
    world: &mut World,
    operation: &Operation,
    call: &Call,
    hidden: BTreeSet<String>,
) -> Answer {
    if hidden.is_empty() {
        return (operation.run)(world, call);
    }
    let mut blind = Call { hidden, ..call.clone() };
    let mut replaced = Vec::new();
    for value in blind.parameters.0.values_mut() {
        replace(value, &blind.hidden, &mut replaced);
    }
    (operation.run)(world, &blind).map_err(|refusal| {
        let name = |message: String, (id, stand_in): &(String, String)| message.replace(stand_in, id);
        Refusal { message: replaced.iter().fold(refusal.message, name), ..refusal }
    })
}

/// Puts ids that nobody has in the place of hidden ones.
fn replace(value: &mut Value, hidden: &BTreeSet<String>, replaced: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if hidden.contains(text) => {
            let prefix = text.rsplit_once('-').map_or("", |(prefix, _)| prefix);
            let stand_in = format!("{prefix}-{:017}", replaced.len());
            replaced.push((std::mem::replace(text, stand_in.clone()), stand_in));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, hidden, replaced)),
        Value::Object(entries) => entries.values_mut().for_each(|value| replace(value, hidden, replaced)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
