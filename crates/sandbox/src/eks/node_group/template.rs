//! Launch templates of node groups ("Customize managed nodes with launch templates", EKS user guide).

use crate::call::{Call, Need, Refusal};
use crate::ec2::Launch;
use crate::eks::refusals::{invalid, of_ec2};
use crate::world::World;

/// Returns what is needed to launch instances with a template.
pub(super) fn needs(call: &Call) -> Vec<Need> {
    if call.parameters.table("launchTemplate").0.is_empty() {
        return Vec::new();
    }
    let need = |action: &str| Need { action: action.to_owned(), resource: "*".to_owned(), ..Need::default() };
    vec![need("ec2:DescribeLaunchTemplateVersions"), need("ec2:RunInstances")]
}

/// Returns what the launch template says that a call names, if it names one.
///
/// # Errors
/// If there is none, or it says what is EKS's to say.
pub(super) fn wanted(world: &mut World, call: &Call, vpc_id: &str) -> Result<Option<Launch>, Refusal> {
    let template = call.parameters.table("launchTemplate");
    if template.0.is_empty() {
        return Ok(None);
    }
    let (id, name) = (template.text("id"), template.text("name"));
    if id.is_some() == name.is_some() {
        return Err(invalid(
            "You must specify either the launch template ID or the launch template name, but not both.",
        ));
    }
    let account = &call.caller.account;
    let network = world.network(&call.region);
    let launch =
        network.launch(account, id, name, template.text("version")).map_err(|refusal| of_ec2(&refusal))?;
    if launch.has_subnet {
        return Err(invalid("A subnet cannot be specified within the launch template."));
    }
    if launch.has_profile {
        return Err(invalid("An instance profile cannot be specified within the launch template."));
    }
    if !launch.groups.is_empty() {
        let groups: Vec<_> = launch.groups.iter().map(String::as_str).collect();
        network.groups_of_interface(account, vpc_id, &groups).map_err(|refusal| of_ec2(&refusal))?;
    }
    Ok(Some(launch))
}
