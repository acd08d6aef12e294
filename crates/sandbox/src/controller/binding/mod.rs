//! Bindings: the pods behind a Service are the targets of a target group, and are let through to.

mod endpoints;
mod networking;
mod targets;

use serde_json::{Value, json};

use super::credentials::Credentials;
use super::events::{self, Mood, SUCCESS};
use super::object::{
    Key, add_finalizer, has_finalizer, is_leaving, items, name, namespace, remove_finalizer, text,
};
use super::reach::{BINDING, Done, SERVICE, Trouble};
use super::work::Work;
use crate::protocol::Service;
use endpoints::Endpoint;
pub(super) use networking::Rules;

/// The finalizer of bindings.
const FINALIZER: &str = "elbv2.k8s.aws/resources";

/// A binding, as far as it matters here.
#[derive(Debug, Clone)]
struct Binding {
    object: Value,
    target_group: String,
    is_of_addresses: bool,
    /// The role that is assumed for what has to do with the target group, and the external id that goes with it.
    role: Option<(String, String)>,
}

/// Lets a binding become true, or, if it is being deleted, untrue.
///
/// # Errors
/// If AWS or the API server refuses something; then it is to be tried again.
pub(super) fn reconcile(work: &mut Work<'_>, key: &Key) -> Done<()> {
    let (namespace, name) = key;
    let Some(object) = BINDING.get(work.reach, Some(namespace), name)? else { return Ok(()) };
    if is_leaving(&object) {
        if has_finalizer(&object, FINALIZER) {
            let binding = Binding::read(work, &object)?;
            clean_up(work, &binding)?;
            remove_finalizer(work.reach, BINDING, &binding.object, FINALIZER)?;
        }
        return Ok(());
    }
    add_finalizer(work.reach, BINDING, &object, FINALIZER)?;
    let Some(object) = BINDING.get(work.reach, Some(namespace), name)? else { return Ok(()) };
    let binding = Binding::read(work, &object)?;
    bind(work, &binding)?;
    let object = &binding.object;
    let generation = &object["metadata"]["generation"];
    if object["status"]["observedGeneration"] != *generation {
        let patch = json!({ "status": { "observedGeneration": generation } });
        BINDING.merge(work.reach, (namespace, name), "/status", patch)?;
    }
    events::tell(work, (BINDING, object), Mood::Normal, SUCCESS);
    Ok(())
}

impl Binding {
    /// Reads a binding. What it leaves out, its target group tells.
    fn read(work: &mut Work<'_>, object: &Value) -> Done<Self> {
        let said = |pointer: &str| Some(text(object, pointer).to_owned()).filter(|text| !text.is_empty());
        let role = said("/spec/iamRoleArnToAssume").filter(|_| work.settings.is_since(2, 12));
        let role = role.map(|role| (role, said("/spec/assumeRoleExternalId").unwrap_or_default()));
        let mut binding = Self {
            target_group: said("/spec/targetGroupARN").unwrap_or_default(),
            is_of_addresses: true,
            role,
            object: object.clone(),
        };
        let target_type = match said("/spec/targetType") {
            Some(target_type) => target_type,
            None => binding.described_type(work)?,
        };
        binding.is_of_addresses = target_type == "ip";
        Ok(binding)
    }

    fn described_type(&self, work: &mut Work<'_>) -> Done<String> {
        let parameters = json!({ "TargetGroupArns": [self.target_group] });
        let answer = self.call(work, "DescribeTargetGroups", parameters)?;
        Ok(text(&answer, "/TargetGroups/0/TargetType").to_owned())
    }

    /// Makes a call that has to do with the target group.
    fn call(&self, work: &mut Work<'_>, operation: &str, parameters: Value) -> Done<Value> {
        let Some((role, external_id)) = &self.role else {
            return work.elb(operation, parameters);
        };
        let key = Credentials::assumed_key(work, role, external_id)?;
        let answer = work.reach.aws(Some(&key), Service::Elb, operation, parameters);
        answer.map_err(|error| work.refused(error))
    }

    fn key(&self) -> Key {
        super::object::key(&self.object)
    }
}

/// Lets the pods be the targets, and be let through to. That nobody lets through to them is told, and keeps
/// nobody from being a target.
fn bind(work: &mut Work<'_>, binding: &Binding) -> Done<()> {
    let service = text(&binding.object, "/spec/serviceRef/name");
    let port = &binding.object["spec"]["serviceRef"]["port"];
    let Some(service) = SERVICE.get(work.reach, Some(namespace(&binding.object)), service)? else {
        let message = format!("backend not found: Service \"{service}\" not found");
        events::tell(work, (BINDING, &binding.object), Mood::Warning, ("BackendNotFound", &message));
        return clean_up(work, binding);
    };
    let mut ports = items(&service, "/spec/ports").iter();
    let member = if port.is_number() { "port" } else { "name" };
    let Some(port) = ports.find(|present| present[member] == *port) else {
        let message = format!("backend not found: unable to find port {port} on service {}", name(&service));
        events::tell(work, (BINDING, &binding.object), Mood::Warning, ("BackendNotFound", &message));
        return clean_up(work, binding);
    };
    let wanted = if binding.is_of_addresses {
        endpoints::pods(work, &service, port)?
    } else {
        endpoints::nodes(work, port)?
    };
    let present = targets::known(work, binding)?;
    let let_through = networking::reconcile(work, binding, &wanted);
    if let Err(trouble) = &let_through {
        let told = ("FailedNetworkReconcile", &*trouble.to_string());
        events::tell(work, (BINDING, &binding.object), Mood::Warning, told);
    }
    targets::set(work, binding, &present, &wanted)?;
    let_through
}

/// Takes all targets away, and who is let through to them.
fn clean_up(work: &mut Work<'_>, binding: &Binding) -> Done<()> {
    let taken = targets::known(work, binding).and_then(|present| targets::set(work, binding, &present, &[]));
    match taken {
        Err(trouble) if is_gone(&trouble) => {}
        result => result?,
    }
    networking::forget(work, &binding.key())
}

/// Tells whether there is no target group any more that something could be taken away from.
fn is_gone(trouble: &Trouble) -> bool {
    trouble.has_code("TargetGroupNotFound")
}
