//! What the API server would make of a manifest: a dry run, compared with what is there.

use serde_json::Value as Json;
use straddle_engine::document::Document;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Foreseen, Observed, Problem};

use super::attributes::{ObjectInputs, ObjectOutputs};
use super::json::from_json;
use super::recognize::Sides;
use super::{Target, body, split};
use crate::cluster::{Call, Cluster, Refusal, is_webhook};

/// Asks what would come of a manifest, without changing anything. What cannot be told now is not told:
/// the namespace or the definition may be made by the same plan, a webhook's pods may be on their way.
pub(crate) async fn foresee(
    cluster: &Cluster,
    found: Option<&Observed<ObjectInputs, ObjectOutputs>>,
    wanted: &ObjectInputs,
) -> Result<Foreseen<ObjectInputs>, ProviderError> {
    let target = match Target::of(cluster, wanted).await {
        Ok(target) => target,
        Err(error) if error.class == ErrorClass::NotFound => return Ok(Foreseen::default()),
        Err(error) => return Err(error),
    };
    cluster.remember_wait(&target.id.to_string(), wanted.wait);
    let body = body(wanted);
    match found {
        None => new(cluster, &target, wanted, &body).await,
        Some(found) => existing(cluster, &target, (found, wanted), &body).await,
    }
}

async fn new(
    cluster: &Cluster,
    target: &Target,
    wanted: &ObjectInputs,
    body: &Json,
) -> Result<Foreseen<ObjectInputs>, ProviderError> {
    if !wanted.is_forced() {
        match cluster.call(Call::get(format!("get {}", target.id.kind), &target.path)).await {
            Ok(object) => return Ok(refused(&target.exists(&object).message)),
            Err(error) if error.class == ErrorClass::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    match target.apply(cluster, body, wanted.is_forced(), true).await {
        Ok(_) => Ok(Foreseen::default()),
        Err(refusal) => judged(target, refusal),
    }
}

async fn existing(
    cluster: &Cluster,
    target: &Target,
    (found, wanted): (&Observed<ObjectInputs, ObjectOutputs>, &ObjectInputs),
    body: &Json,
) -> Result<Foreseen<ObjectInputs>, ProviderError> {
    let (foreseen, refusal) = match target.put_back(cluster, body, wanted.is_forced(), true).await {
        Ok(foreseen) => (foreseen, None),
        Err(refusal) if is_conflict(&refusal) => {
            let refusal = refused(&target.explained(refusal).message).refusal;
            match target.apply(cluster, body, true, true).await {
                Ok(foreseen) => (foreseen, refusal),
                Err(other) => return judged(target, other),
            }
        }
        Err(refusal) => return judged(target, refusal),
    };
    let live = match cluster.call(Call::get(format!("get {}", target.id.kind), &target.path)).await {
        Ok(live) => live,
        Err(error) if error.class == ErrorClass::NotFound => return Ok(Foreseen::default()),
        Err(error) => return Err(error),
    };
    let owned = super::body(&found.inputs);
    let recognized = Sides { wanted: body, owned: &owned, live, foreseen }.recognized();
    let (manifest, secret_data) = split(recognized);
    let inputs =
        ObjectInputs { manifest: Document::from(from_json(&manifest)), secret_data, ..found.inputs.clone() };
    Ok(Foreseen { found: Some(inputs), refusal, ..Foreseen::default() })
}

fn is_conflict(refusal: &Refusal) -> bool {
    refusal.error.code == "Conflict" && refusal.error.class == ErrorClass::Rejected
}

/// Returns what a refusal of a dry run tells.
fn judged(target: &Target, refusal: Refusal) -> Result<Foreseen<ObjectInputs>, ProviderError> {
    if let Some(place) = immutable(&refusal) {
        return Ok(Foreseen { immutable: Some(format!("manifest.{place}")), ..Foreseen::default() });
    }
    match refusal.error.class {
        // A definition of what objects have, or a policy, may refuse it: an object that may change as well.
        ErrorClass::Rejected => {
            Ok(Foreseen { is_by_another: true, ..refused(&target.explained(refusal).message) })
        }
        ErrorClass::NotFound
        | ErrorClass::Propagation
        | ErrorClass::Busy
        | ErrorClass::AlreadyExists
        | ErrorClass::Dependency => Ok(Foreseen::default()),
        ErrorClass::Ambiguous if is_webhook(&refusal.error.message) => Ok(Foreseen::default()),
        // Nothing was to be changed: it may be asked again.
        ErrorClass::Throttled
        | ErrorClass::Ambiguous
        | ErrorClass::AccessDenied
        | ErrorClass::Expired
        | ErrorClass::Unreachable => Err(refusal.error),
    }
}

/// Returns the field that cannot be changed in place, if that is why a change is refused.
fn immutable(refusal: &Refusal) -> Option<String> {
    let is_immutable = |message: &str| {
        ["immutable", "may not change once set", "cannot change roleRef", "updates to statefulset spec"]
            .iter()
            .any(|words| message.contains(words))
    };
    let all = !refusal.fields.is_empty() && refusal.fields.iter().all(|(_, message)| is_immutable(message));
    all.then(|| refusal.fields[0].0.clone())
}

fn refused(message: &str) -> Foreseen<ObjectInputs> {
    let refusal = Problem { attribute: "manifest", message: format!("{message}."), hint: None };
    Foreseen { refusal: Some(refusal), ..Foreseen::default() }
}
