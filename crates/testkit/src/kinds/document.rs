//! `document`: like an IAM policy, with a secret.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::json;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Home, Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{IdScheme, Refusal, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A document, as [`Resource`].
#[derive(Debug)]
pub struct Document;

/// Data under a name.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The name, of which an account has only one.
    #[attribute(replace)]
    name: String,
    /// Any data.
    body: Value,
    /// Who may do what with it, or `{ readers = [...] }`: those besides the account itself who may
    /// read it.
    #[attribute(default = public())]
    policy: Option<Policy>,
    /// Kept, and never told.
    #[attribute(sensitive, write_only)]
    secret: Option<String>,
    /// Told, but not to be shown.
    #[attribute(sensitive)]
    remark: Option<String>,
    /// Tags.
    tags: Option<Tags>,
}

/// Returns the policy of a document that nobody gave one.
fn public() -> Value {
    json::decode(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "read"}}"#)
        .expect("the text is JSON")
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// The full name.
    locator: String,
    /// How often it was written.
    #[attribute(volatile)]
    version: i64,
}

/// Returns the policy of a document that these may read, and the account that has it.
fn readable_by(home: Home<'_>, readers: &Value) -> Result<Value, Problem> {
    let problem = |message: &str| Problem {
        attribute: "policy",
        message: message.to_owned(),
        hint: Some("Write `{ readers = [\"ID\"] }`.".to_owned()),
    };
    let readers = readers.as_list().ok_or_else(|| problem("`readers` is no list."))?;
    if readers.iter().any(|reader| reader.as_str() == Some("*")) {
        return Err(problem("`*` is no reader."));
    }
    let readers: Vec<_> = readers.iter().cloned().chain([Value::from(home.account_id)]).collect();
    let principal = ValueMap::from([("AWS".to_owned(), Value::List(readers))]);
    let statement =
        [("Effect", Value::from("Allow")), ("Principal", principal.into()), ("Action", Value::from("read"))];
    let statement: ValueMap = statement.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(ValueMap::from([("Statement".to_owned(), statement.into())]).into())
}

/// What no remark may begin with. The refusal quotes the remark, as services do.
const REFUSED: &str = "refused";

pub(super) const RULES: Rules = Rules {
    natural_key: &["name"],
    fixed: &["name"],
    hidden: &["secret"],
    refuse: |situation| match situation.text("remark") {
        Some(remark) if remark.starts_with(REFUSED) => {
            let message = format!("the remark `{remark}` is not allowed");
            Err(Refusal::new(ErrorClass::Rejected, "InvalidRemark", message))
        }
        Some(_) | None => Ok(()),
    },
    fill: |values, id| {
        values.entry("policy".to_owned()).or_insert_with(public);
        values.insert("locator".to_owned(), Value::from(format!("cloud:document/{id}")));
        let version = values.entry("version".to_owned()).or_insert(Value::Integer(0));
        if let Value::Integer(version) = version {
            *version += 1;
        }
    },
    ..Rules::new("document", IdScheme::NaturalKey)
};

impl CloudKind for Document {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListDocuments";
}

impl Resource for Document {
    const KIND: &'static str = "document";
    const TRAITS: Traits = Traits {
        service: "library",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(2),
        poll: Duration::from_secs(2),
    };
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn canonical(home: Home<'_>, mut inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        if let Some(Value::Map(policy)) = inputs.get("policy")
            && let Some(readers) = policy.get("readers")
        {
            let whole = readable_by(home, readers).map_err(|problem| vec![problem])?;
            inputs.insert("policy".to_owned(), whole);
        }
        Ok(inputs)
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateDocument", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteDocument")) };
        CloudStep::first_change(
            "PutDocument",
            &observed.inputs,
            desired,
            &["body", "policy", "secret", "remark"],
        )
        .or_else(|| CloudStep::tags(observed.inputs.tags.as_ref(), desired.tags.as_ref()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    async fn find(client: &Client, intent: &Intent, _: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        calls::find_by_operation::<Self>(client, intent).await
    }
}
