//! Waits at a gate until it is open.

use tokio::time::Instant;

use crate::apply::Run;
use crate::apply::stop::Stop;
use crate::event::OperationLabel;
use crate::gate::{Gate, Placement};
use crate::provider::ErrorClass;
use crate::resource::Readiness;

/// Waits until the gate is open.
pub(crate) async fn wait(
    run: &Run<'_>,
    gate: &dyn Gate,
    placement: &Placement,
    label: &OperationLabel,
) -> Result<(), Stop> {
    let started = Instant::now();
    loop {
        let reason = match gate.check(run.access.connections(), placement).await {
            Ok(Readiness::Ready) => return Ok(()),
            Ok(Readiness::Failed(reason) | Readiness::Impaired(reason)) => return Err(Stop::Failed(reason)),
            Ok(Readiness::Pending(reason)) => reason,
            Err(error) if matches!(error.class, ErrorClass::Throttled | ErrorClass::Ambiguous) => {
                error.to_string()
            }
            Err(error) => return Err(Stop::from_call(error)),
        };
        if started.elapsed() >= placement.timeout {
            return Err(Stop::TimedOut { limit: placement.timeout, reason });
        }
        run.pause(label, started, placement.poll, &reason).await?;
    }
}
