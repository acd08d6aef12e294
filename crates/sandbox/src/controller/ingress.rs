//! Groups of Ingresses: from what they say to load balancers, and what is told of that.

use serde_json::{Value, json};

use super::build;
use super::deploy;
use super::events::{self, Mood, SUCCESS};
use super::group::{self, Group, GroupId};
use super::object::{add_finalizer, items, remove_finalizer, text};
use super::reach::{Done, INGRESS, Trouble};
use super::work::Work;

/// Lets a group have what its Ingresses want, and lets those go that belong to it no more.
///
/// # Errors
/// If something is refused or makes no sense; then it is to be tried again. The members' events tell it.
pub(super) fn reconcile(work: &mut Work<'_>, id: &GroupId) -> Done<()> {
    let group = group::load(work.reach, work.settings, id)?;
    for member in &group.members {
        if let Err(trouble) = add_finalizer(work.reach, INGRESS, &member.ingress, &id.finalizer()) {
            return Err(failed(work, &group, "FailedAddFinalizer", "Failed add finalizer", trouble));
        }
    }
    // With what it is now, finalizers included.
    let group = group::load(work.reach, work.settings, id)?;
    let stack = match build::stack(work, &group) {
        Ok(stack) => stack,
        Err(trouble) => return Err(failed(work, &group, "FailedBuildModel", "Failed build model", trouble)),
    };
    let dns_name = match deploy::stack(work, &stack) {
        Ok(dns_name) => dns_name,
        Err(trouble) => {
            return Err(failed(work, &group, "FailedDeployModel", "Failed deploy model", trouble));
        }
    };
    for member in &group.members {
        if let Some(dns_name) = &dns_name {
            set_status(work, &member.ingress, dns_name)?;
        }
    }
    if !group.leaving.is_empty() {
        release_back_group(work, &group)?;
        for ingress in &group.leaving {
            remove_finalizer(work.reach, INGRESS, ingress, &id.finalizer())?;
        }
    }
    for member in &group.members {
        events::tell(work, (INGRESS, &member.ingress), Mood::Normal, SUCCESS);
    }
    Ok(())
}

/// Tells the members of a group what has failed. Ingresses that are being deleted are none.
fn failed(work: &mut Work<'_>, group: &Group, reason: &str, what: &str, trouble: Trouble) -> Trouble {
    let message = format!("{what} due to {trouble}");
    for member in &group.members {
        events::tell(work, (INGRESS, &member.ingress), Mood::Warning, (reason, &message));
    }
    trouble
}

/// Writes the name of the load balancer into an Ingress that does not say it.
fn set_status(work: &mut Work<'_>, ingress: &Value, dns_name: &str) -> Done<()> {
    let present = items(ingress, "/status/loadBalancer/ingress");
    if present.len() == 1 && text(&present[0], "/hostname") == dns_name {
        return Ok(());
    }
    let status = json!({ "status": { "loadBalancer": { "ingress": [{ "hostname": dns_name }] } } });
    let (namespace, name) = super::object::key(ingress);
    INGRESS.merge(work.reach, (&namespace, &name), "/status", status).map(drop)
}

/// Deletes the group that all load balancers have towards the nodes, if it was made here and none needs it.
fn release_back_group(work: &mut Work<'_>, group: &Group) -> Done<()> {
    if work.settings.back_group.is_some()
        || !group.leaving.iter().any(|ingress| needs_back_group(work, ingress))
    {
        return Ok(());
    }
    let finalizer = group.id.finalizer();
    let leaves = |other: &Value| {
        group.leaving.iter().any(|ingress| ingress["metadata"]["uid"] == other["metadata"]["uid"])
    };
    for other in INGRESS.list(work.reach)? {
        let is_managed = !GroupId::holding(&other).is_empty();
        if is_managed
            && needs_back_group(work, &other)
            && !(leaves(&other) && super::object::has_finalizer(&other, &finalizer))
        {
            return Ok(());
        }
    }
    let known = match work.memory.back_group.clone() {
        None => build::find_back_group(work)?,
        known => known,
    };
    if let Some(id) = known {
        deploy::delete_group(work, &id)?;
        work.memory.back_group = None;
    }
    Ok(())
}

/// Tells whether the load balancer of an Ingress has the group towards the nodes.
fn needs_back_group(work: &Work<'_>, ingress: &Value) -> bool {
    let annotations = super::annotations::Annotations::of(ingress);
    let manages = annotations.flag("manage-backend-security-group-rules", work.settings.manages_rules);
    work.settings.uses_back_group && (annotations.get("security-groups").is_none() || manages == Ok(true))
}
