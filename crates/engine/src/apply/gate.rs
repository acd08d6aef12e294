//! Waits at a gate until it is open.

use tokio::time::Instant;

use crate::apply::Run;
use crate::apply::stop::Stop;
use crate::event::OperationLabel;
use crate::gate::{Gate, Placement};
use crate::provider::ErrorClass;
use crate::resource::Readiness;
use crate::spec::Scope;
use crate::value::{Value, ValueMap};

/// Waits until the gate is open.
pub(crate) async fn wait(
    run: &Run<'_>,
    gate: &dyn Gate,
    placement: &Placement,
    label: &OperationLabel,
) -> Result<(), Stop> {
    let started = Instant::now();
    let placement = &Placement { subject: resolved(run, placement)?, ..placement.clone() };
    loop {
        let reason = match gate.check(run.access.connections(), placement).await {
            Ok(Readiness::Ready) => return Ok(()),
            Ok(Readiness::Failed(reason) | Readiness::Impaired(reason)) => return Err(Stop::Failed(reason)),
            Ok(Readiness::Pending(reason) | Readiness::Degraded(reason)) => reason,
            Err(error) if matches!(error.class, ErrorClass::Throttled | ErrorClass::Ambiguous) => {
                error.to_string()
            }
            Err(error) => return Err(Stop::from_call(error)),
        };
        if started.elapsed() >= placement.timeout {
            let advice = gate.advice(placement);
            return Err(Stop::Closed { limit: placement.timeout, reason, advice });
        }
        run.pause(label, started, placement.poll, &reason).await?;
    }
}

/// Returns what the gate needs to know, with what has become known since the plan was made.
fn resolved(run: &Run<'_>, placement: &Placement) -> Result<ValueMap, Stop> {
    let values = run.values();
    let resolve = |(name, value): (&String, &Value)| {
        let value = if let Value::Unknown(unknown) = value {
            values.attribute(&unknown.origin.address, &unknown.origin.attribute)
        } else {
            value.clone()
        };
        match value.first_unknown() {
            None => Ok((name.clone(), value)),
            Some(unknown) => Err(Stop::Defect(format!("{} has no value", unknown.origin))),
        }
    };
    placement.subject.iter().map(resolve).collect()
}
