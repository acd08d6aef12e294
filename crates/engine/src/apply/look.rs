//! Looks up what could not be known while the plan was made, or may be another by now.

use std::time::Duration;

use tokio::time::Instant;

use crate::address::RemoteId;
use crate::apply::Run;
use crate::apply::make::wrong;
use crate::apply::stop::Stop;
use crate::event::{OperationLabel, Verb};
use crate::lookup::{describe, matches};
use crate::plan::{LookedUp, ResourceValues, desired_inputs};

/// How long between two looks for something that may be too new to be seen.
const POLL: Duration = Duration::from_secs(2);

/// Looks something up, and lets references see what was found. What is made of it is compared with
/// what the plan promised where it is made.
///
/// # Errors
/// If nothing fits for as long as what was made before may not be visible yet, or several things do.
pub(crate) async fn look(run: &Run<'_>, lookup: &LookedUp) -> Result<Option<RemoteId>, Stop> {
    let node = run.spec.resources.get(&lookup.address);
    let node = node.ok_or_else(|| Stop::Defect(format!("{} is not in the spec", lookup.address)))?;
    let kind = run.engine.registry.lookup(&node.kind).expect("a plan has only lookups that the program has");
    let inputs =
        desired_inputs(node, &**kind, run.spec.home(&node.account), None, &run.values(), &run.plan.lineage)
            .map_err(|problems| wrong(run, problems))?;
    if let Some((name, unknown)) =
        inputs.iter().find_map(|(name, value)| Some((name, value.first_unknown()?)))
    {
        return Err(Stop::Defect(format!("`{name}` is not known: {} has no value", unknown.origin)));
    }
    let started = Instant::now();
    loop {
        let mut found = matches(run.access, node, &**kind, &inputs).await.map_err(Stop::from_call)?;
        let remaining = run.engine.settings.consistency_window.saturating_sub(started.elapsed());
        match found.pop() {
            Some(only) if found.is_empty() => {
                let id = RemoteId::new(only.id);
                let values = ResourceValues { inputs, outputs: only.outputs, settled: true };
                run.values().set(lookup.address.clone(), values);
                return Ok(Some(id));
            }
            None if !remaining.is_zero() => {
                let LookedUp { address, account, region, .. } = lookup.clone();
                let label = OperationLabel { address, verb: Verb::Look, account, region };
                run.pause(&label, started, POLL.min(remaining), "for something that fits to become visible")
                    .await?;
            }
            last => {
                found.extend(last);
                return Err(wrong(run, vec![describe(run.spec, node, &inputs, &found)]));
            }
        }
    }
}
