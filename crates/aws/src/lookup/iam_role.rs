//! `lookup` of an `iam_role`.

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::Attributes;

use super::none_if_missing;
use crate::client::Client;
use crate::error::failed;

/// The lookup.
pub(crate) struct FindRole;

/// A role of IAM that exists.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RoleInputs {
    /// The name, without the path.
    name: String,
}

/// What IAM says of a role.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RoleOutputs {
    /// The ARN.
    arn: String,
    /// The path.
    path: String,
    /// The id that no other role ever has.
    unique_id: String,
}

impl Lookup for FindRole {
    const KIND: &'static str = "iam_role";
    const SERVICE: &'static str = "iam";
    const ACTIONS: &'static [&'static str] = &["iam:GetRole"];
    const EXAMPLE: &'static str = r#"
[lookup.nodes]
kind    = "iam_role"
account = "apps"
name    = "eks-nodes"

[output.nodes]
value = "${lookup.nodes.arn}"
"#;

    type Inputs = RoleInputs;
    type Outputs = RoleOutputs;
    type Client = Client;

    async fn read(client: &Client, inputs: &RoleInputs) -> Result<Vec<Match<RoleOutputs>>, ProviderError> {
        let call = client.iam.reads.get_role().role_name(&inputs.name);
        let answer = none_if_missing(call.send().await.map_err(failed("GetRole")))?;
        let Some(role) = answer.as_ref().and_then(|answer| answer.role()) else { return Ok(Vec::new()) };
        let outputs = RoleOutputs {
            arn: role.arn().to_owned(),
            path: role.path().to_owned(),
            unique_id: role.role_id().to_owned(),
        };
        Ok(vec![Match { id: inputs.name.clone(), name: None, outputs }])
    }
}
