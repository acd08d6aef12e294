//! Reads what lookups want, and says what is wrong where that is not exactly one thing.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use crate::access::Access;
use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lookup::{AnyLookup, Match};
use crate::plan::{self, Request, Values};
use crate::provider::ProviderError;
use crate::run::{Engine, InterruptLevel, RunError};
use crate::sight;
use crate::spec::{ResourceNode, Spec};
use crate::value::ValueMap;

/// How many of the things that fit are named.
const NAMED: usize = 5;

/// What lookups found: by address, the inputs and the outputs.
pub(crate) type Found = BTreeMap<Address, (ValueMap, ValueMap)>;

/// Lookups that are to be read, with their inputs.
pub(crate) type Wanted = Vec<(Address, ValueMap)>;

/// Reads the lookups whose inputs are known whatever the state says.
///
/// # Errors
/// If a read fails, or finds nothing or several things.
pub(crate) async fn read_all(
    engine: &Engine<'_>,
    access: &Access,
    spec: &Spec,
    lineage: &str,
) -> Result<Found, RunError> {
    let mut wanted = Wanted::new();
    for node in spec.resources.values().filter(|node| node.dependencies.is_empty()) {
        let Some(lookup) = engine.registry.lookup(&node.kind) else { continue };
        // What is wrong with the inputs is said by the plan.
        if let Ok(inputs) = plan::desired_inputs(
            node,
            &**lookup,
            spec.home(&node.account),
            None,
            &Values::new(lineage),
            lineage,
        ) && inputs.values().all(crate::value::Value::is_known)
        {
            wanted.push((node.address.clone(), inputs));
        }
    }
    let mut found = Found::new();
    read(engine, access, spec, wanted, &mut found).await?;
    Ok(found)
}

/// Reads lookups until a plan wants no more of them: one can be made of what another one has found.
///
/// # Errors
/// If a read fails, or finds nothing or several things.
pub(crate) async fn read_wanted(
    engine: &Engine<'_>,
    access: &Access,
    request: &Request<'_>,
    mut found: Found,
) -> Result<Found, RunError> {
    loop {
        let wanted = plan::unread(&Request { lookups: &found, ..*request }).map_err(RunError::Diagnostics)?;
        if wanted.is_empty() {
            return Ok(found);
        }
        let lookups = wanted.iter().map(|(address, _)| address).collect();
        if let Some(problem) = sight::hidden(access, request, &lookups).await? {
            return Err(RunError::Diagnostics(problem.into()));
        }
        read(engine, access, request.spec, wanted, &mut found).await?;
    }
}

async fn read(
    engine: &Engine<'_>,
    access: &Access,
    spec: &Spec,
    wanted: Wanted,
    found: &mut Found,
) -> Result<(), RunError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let reads = wanted.into_iter().map(|(address, inputs)| async move {
        let node = &spec.resources[&address];
        let lookup = engine.registry.lookup(&node.kind).expect("only lookups are wanted");
        let matches = matches(access, node, &**lookup, &inputs).await.map_err(|source| RunError::Read {
            what: address.to_string(),
            account: node.account.clone(),
            source: Box::new(source.without(&spec.secrets)),
        })?;
        Ok::<_, RunError>((address, inputs, matches))
    });
    let answers = tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
        answers = try_join_all(reads) => answers?,
    };
    let mut problems = Diagnostics::default();
    for (address, inputs, mut matches) in answers {
        match matches.pop() {
            Some(only) if matches.is_empty() => drop(found.insert(address, (inputs, only.outputs))),
            last => {
                matches.extend(last);
                problems.push(describe(spec, &spec.resources[&address], &inputs, &matches));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RunError::Diagnostics(problems)) }
}

/// Reads what fits a lookup.
pub(crate) async fn matches(
    access: &Access,
    node: &ResourceNode,
    lookup: &dyn AnyLookup,
    inputs: &ValueMap,
) -> Result<Vec<Match<ValueMap>>, ProviderError> {
    let account = &node.account;
    access.repeat_in(|| lookup.read(access.connection(account), inputs), account, lookup.service()).await
}

/// Says that nothing fits a lookup, or several things do.
pub(crate) fn describe(
    spec: &Spec,
    node: &ResourceNode,
    inputs: &ValueMap,
    matches: &[Match<ValueMap>],
) -> Diagnostic {
    let kind = node.kind.as_str().trim_start_matches(super::PREFIX);
    let account = spec.accounts.get(&node.account);
    let place = account.map(|account| format!("{} {}", account.id, account.region)).unwrap_or_default();
    let shown = inputs.iter().filter(|(name, _)| !node.lifecycle.sensitive.contains(*name));
    let shown: Vec<_> = shown
        .map(|(name, value)| format!("{name} = {}", serde_json::to_string(value).unwrap_or_default()))
        .collect();
    let asked = if shown.is_empty() { String::new() } else { format!(" Asked for: {}.", shown.join(", ")) };
    let place = format!("in the account `{}` ({place})", node.account);
    let diagnostic = if matches.is_empty() {
        Diagnostic::error("lookup-found-nothing", format!("{} finds nothing", node.address))
            .with_detail(format!("No `{kind}` {place} fits.{asked}"))
            .with_hint("Correct what is asked for, or make the thing first. Tags of a shared thing are seen in its owner's account only.")
            .with_span(node.span, "finds nothing")
    } else {
        let mut names: Vec<_> = matches.iter().take(NAMED).map(named).collect();
        if matches.len() > NAMED {
            names.push(format!("{} more", matches.len() - NAMED));
        }
        Diagnostic::error("lookup-found-several", format!("{} finds several things", node.address))
            .with_detail(format!("{} of `{kind}` {place} fit: {}.{asked}", matches.len(), names.join(", ")))
            .with_hint("Say more of the one that is meant, such as its `id` or a tag.")
            .with_span(node.span, "is not clear")
    };
    diagnostic.with_address(node.address.clone())
}

fn named(found: &Match<ValueMap>) -> String {
    match &found.name {
        Some(name) => format!("{} ({name})", found.id),
        None => found.id.clone(),
    }
}
