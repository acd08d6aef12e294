//! `lookup` of the `caller`: whose credentials an account is reached with.

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::error::{answered, failed};

/// The lookup.
pub(crate) struct FindCaller;

/// Whose credentials the account is reached with. They differ from one who runs a plan to another: what
/// is made of them changes with that.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct CallerInputs {}

/// What STS says of the caller.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct CallerOutputs {
    /// The account's twelve digits, which the `id` is too.
    account_id: String,
    /// The ARN of the user, or of the session of a role.
    arn: String,
    /// The unique id of the user or role, and the name of the session.
    user_id: Option<String>,
    /// The region of the account's block.
    region: String,
    /// Such as `aws` or `aws-cn`.
    partition: String,
}

impl Lookup for FindCaller {
    const KIND: &'static str = "caller";
    const SERVICE: &'static str = "sts";
    const ACTIONS: &'static [&'static str] = &["sts:GetCallerIdentity"];
    const EXAMPLE: &'static str = r#"
[lookup.me]
kind = "caller"

[output.partition]
value = "${lookup.me.partition}"
"#;

    type Inputs = CallerInputs;
    type Outputs = CallerOutputs;
    type Client = Client;

    async fn read(client: &Client, _: &CallerInputs) -> Result<Vec<Match<CallerOutputs>>, ProviderError> {
        let answer = client.sts.get_caller_identity().send().await.map_err(failed("GetCallerIdentity"))?;
        let account_id = answered("GetCallerIdentity", answer.account())?.to_owned();
        let outputs = CallerOutputs {
            account_id: account_id.clone(),
            arn: answered("GetCallerIdentity", answer.arn())?.to_owned(),
            user_id: answer.user_id().map(str::to_owned),
            region: client.place.region.clone(),
            partition: client.place.partition.clone(),
        };
        Ok(vec![Match { id: account_id, name: None, outputs }])
    }
}
