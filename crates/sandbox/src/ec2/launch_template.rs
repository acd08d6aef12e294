//! Launch templates: what instances are launched with, in versions.

mod data;
mod operations;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ownership::Thing;
use super::tags::Tags;
use super::{Network, tags};
use crate::call::{Call, Parameters, Refusal};
use crate::world::AccountId;
pub(crate) use data::Launch;
pub(super) use operations::OPERATIONS;
pub(super) use versions::OPERATIONS as VERSION_OPERATIONS;

/// A launch template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LaunchTemplate {
    id: String,
    owner: AccountId,
    name: String,
    made_at: Timestamp,
    made_by: String,
    /// By number. A number is never used again.
    versions: BTreeMap<u32, Version>,
    default_version: u32,
    last_version: u32,
    pub(super) tags: Tags,
}

/// A version of a launch template, which is never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    description: Option<String>,
    /// The parameters, as they were asked for.
    data: Parameters,
    made_at: Timestamp,
    made_by: String,
}

impl Thing for LaunchTemplate {
    const NOUN: &'static str = "launch template";
    const NOT_FOUND: &'static str = "InvalidLaunchTemplateId.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl LaunchTemplate {
    /// Returns it as answers have it.
    fn shown(&self) -> Value {
        json!({
            "launchTemplateId": self.id,
            "launchTemplateName": self.name,
            "createTime": self.made_at.to_string(),
            "createdBy": self.made_by,
            "defaultVersionNumber": self.default_version,
            "latestVersionNumber": self.latest_version(),
            "tagSet": tags::shown(&self.tags),
        })
    }

    /// Returns a version as answers have it.
    fn shown_version(&self, number: u32) -> Option<Value> {
        let version = self.versions.get(&number)?;
        Some(json!({
            "launchTemplateId": self.id,
            "launchTemplateName": self.name,
            "versionNumber": number,
            "versionDescription": version.description,
            "createTime": version.made_at.to_string(),
            "createdBy": version.made_by,
            "defaultVersion": number == self.default_version,
            "launchTemplateData": data::shown(&version.data),
        }))
    }

    /// Returns the number of the newest version that there is.
    fn latest_version(&self) -> u32 {
        self.versions.keys().next_back().copied().unwrap_or(self.last_version)
    }

    /// Returns the number of the version that a text names: a number, `$Latest` or `$Default`.
    fn number(&self, text: &str) -> Result<u32, Refusal> {
        let number = match text {
            "$Latest" => Some(self.latest_version()),
            "$Default" => Some(self.default_version),
            _ => text.parse().ok(),
        };
        number.filter(|number| self.versions.contains_key(number)).ok_or_else(|| {
            let message = format!(
                "Could not find the specified version {text} for the launch template with ID {}.",
                self.id
            );
            Refusal::new("InvalidLaunchTemplateId.VersionNotFound", message)
        })
    }
}

impl Network {
    /// Returns the launch template of an account that parameters name by its id or its name.
    fn template_id(&self, account: &AccountId, parameters: &Parameters) -> Result<String, Refusal> {
        match (parameters.text("LaunchTemplateId"), parameters.text("LaunchTemplateName")) {
            (Some(id), None) => {
                let found = self.launch_templates.get(id).filter(|template| template.owner == *account);
                found.map(|template| template.id.clone()).ok_or_else(|| no_template(id))
            }
            (None, Some(name)) => {
                let id = self.template_names.get(&name_key(account, name));
                id.cloned().ok_or_else(|| no_template_name(name))
            }
            (Some(_), Some(_)) => Err(Refusal::new(
                "InvalidParameterCombination",
                "Exactly one of LaunchTemplateId and LaunchTemplateName can be specified.",
            )),
            (None, None) => {
                let message = "Either LaunchTemplateId or LaunchTemplateName must be specified.";
                Err(Refusal::new("MissingParameter", message))
            }
        }
    }

    /// Returns the launch template that a call names.
    fn named_template(&mut self, call: &Call) -> Result<&mut LaunchTemplate, Refusal> {
        let id = self.template_id(&call.caller.account, &call.parameters)?;
        self.launch_templates.get_mut(&id).ok_or_else(|| no_template(&id))
    }

    /// Returns a launch template that the caller may change.
    pub(super) fn own_template(&mut self, call: &Call, id: &str) -> Result<&mut LaunchTemplate, Refusal> {
        super::ownership::own(call, &mut self.launch_templates, id, false)
    }

    /// Returns what a version of an account's launch template says of instances; no version is the default one.
    ///
    /// # Errors
    /// If there is no such template or version.
    pub(crate) fn launch(
        &self,
        account: &AccountId,
        id: Option<&str>,
        name: Option<&str>,
        version: Option<&str>,
    ) -> Result<Launch, Refusal> {
        let named = [("LaunchTemplateId", id), ("LaunchTemplateName", name)];
        let named = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?))));
        let id = self.template_id(account, &Parameters(named.collect()))?;
        let template = &self.launch_templates[&id];
        let number = template.number(version.unwrap_or("$Default"))?;
        Ok(Launch::new(&template.id, &template.name, number, &template.versions[&number].data))
    }
}

/// Names are each account's own.
fn name_key(account: &AccountId, name: &str) -> String {
    format!("{account} {name}")
}

fn no_template(id: &str) -> Refusal {
    Refusal::new(
        LaunchTemplate::NOT_FOUND,
        format!("The specified launch template, with template ID {id}, does not exist."),
    )
}

fn no_template_name(name: &str) -> Refusal {
    let message = format!("The specified launch template, with template name {name}, does not exist.");
    Refusal::new("InvalidLaunchTemplateName.NotFoundException", message)
}
