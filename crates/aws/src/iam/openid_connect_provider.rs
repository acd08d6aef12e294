//! `iam_openid_connect_provider`: whose tokens an account takes for proof of who somebody is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::ValueMap;

use super::tags::{TagStep, Tagged};
use super::{SERVICE, tags, unless_missing};
use crate::client::{Client, Place};
use crate::each::each;
use crate::error::{answered, failed};
use crate::essential;

/// How an address begins. IAM takes it with this, and returns it without.
const SCHEME: &str = "https://";

/// The kind. Its ids are the providers' ARNs, which follow from their addresses.
pub(crate) struct OpenIdConnectProvider;

/// An issuer of tokens that an account takes for proof of who somebody is, such as a cluster, of
/// whatever account. Roles of the account trust it by `oidc_provider`. An account has each issuer
/// once, and other tools make providers too: one that exists is not taken over without a word.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct OpenIdConnectProviderInputs {
    /// The issuer's address, such as the `oidc_issuer` of an `eks_cluster`; `https://` may be left
    /// out. A new cluster has another one.
    #[attribute(replace, normalize = normalize_url)]
    url: String,
    /// Whom the tokens are for: up to 100. Tokens for anybody else are refused.
    #[attribute(default = vec!["sts.amazonaws.com"], always)]
    audiences: Option<BTreeSet<String>>,
    /// The SHA-1 fingerprints, in hexadecimal, of certificates that the issuer's address may have.
    /// They are needed only where no well-known authority vouches for it: IAM checks that by itself,
    /// and finds the fingerprints if they are not set. Once set they can be changed and not taken away.
    #[attribute(normalize = normalize_thumbprint)]
    thumbprints: Option<BTreeSet<String>>,
    /// The tags.
    tags: Option<Tags>,
}

/// What IAM says about a provider.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct OpenIdConnectProviderOutputs {
    /// The ARN.
    arn: String,
    /// The address without `https://`, with which the keys of conditions about tokens begin.
    issuer: String,
}

/// A change of a provider.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OpenIdConnectProviderStep {
    AddAudience(String),
    RemoveAudience(String),
    SetThumbprints(BTreeSet<String>),
    Tag(TagStep),
    Delete,
}

impl Step for OpenIdConnectProviderStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::AddAudience(_) => "AddClientIDToOpenIDConnectProvider",
            Self::RemoveAudience(_) => "RemoveClientIDFromOpenIDConnectProvider",
            Self::SetThumbprints(_) => "UpdateOpenIDConnectProviderThumbprint",
            Self::Tag(step) => Tagged::Provider.operation(step),
            Self::Delete => "DeleteOpenIDConnectProvider",
        }
    }
}

/// Providers by ARN.
#[derive(Default)]
pub(crate) struct Providers(BTreeMap<RemoteId, GetOpenIdConnectProviderOutput>);

impl Listing for Providers {
    type Client = Client;

    /// Reads each provider by itself: the list has nothing but ARNs (API reference,
    /// `ListOpenIDConnectProviders`).
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        Ok(Self(each(ids, async |id| read(client, id.as_str()).await).await?))
    }
}

async fn read(client: &Client, arn: &str) -> Result<GetOpenIdConnectProviderOutput, ProviderError> {
    let call = client.iam.reads.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    call.send().await.map_err(failed("GetOpenIDConnectProvider"))
}

impl Resource for OpenIdConnectProvider {
    const KIND: &'static str = "iam_openid_connect_provider";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        title: "OIDC provider",
        theme: Theme::Identity,
        arrows: &[Arrow::new(Relation::Trust, End::Named("url"), End::Itself)],
        ..Depiction::THING
    };
    const ID_FORM: &'static str = "arn:*:iam::*:oidc-provider/*";
    const EXAMPLE: &'static str = include_str!("openid_connect_provider/example.toml");
    const ARN: &'static str = "arn:{partition}:iam::{account}:oidc-provider/{issuer}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:GetOpenIDConnectProvider"]).on(&["{arn}"]),
        Need::create(&["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"]).on(&["{arn}"]),
        Need::update(&[
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
        ])
        .on(&["{arn}"])
        .changing(&["audiences"]),
        Need::update(&["iam:UpdateOpenIDConnectProviderThumbprint"])
            .on(&["{arn}"])
            .changing(&["thumbprints"]),
        Need::update(&["iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"])
            .on(&["{arn}"])
            .changing(&["tags"]),
        Need::delete(&["iam:DeleteOpenIDConnectProvider"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["url"];
    const IDENTITY: &'static [&'static str] = &["url"];

    type Inputs = OpenIdConnectProviderInputs;
    type Outputs = OpenIdConnectProviderOutputs;
    type Client = Client;
    type Listing = Providers;
    type Step = OpenIdConnectProviderStep;

    fn essential(found: ValueMap) -> ValueMap {
        essential::without(found, &["thumbprints"])
    }

    fn observe(
        listing: &Providers,
        id: &RemoteId,
    ) -> Option<Observed<OpenIdConnectProviderInputs, OpenIdConnectProviderOutputs>> {
        let provider = listing.0.get(id)?;
        let issuer = provider.url().unwrap_or_default().trim_start_matches(SCHEME).to_owned();
        Some(Observed {
            inputs: OpenIdConnectProviderInputs {
                url: format!("{SCHEME}{issuer}"),
                audiences: Some(provider.client_id_list().iter().cloned().collect()),
                thumbprints: Some(
                    provider.thumbprint_list().iter().map(|it| it.to_ascii_lowercase()).collect(),
                ),
                tags: Some(tags::observed(provider.tags())),
            },
            outputs: OpenIdConnectProviderOutputs { arn: id.as_str().to_owned(), issuer },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &OpenIdConnectProviderInputs,
    ) -> Result<RemoteId, ProviderError> {
        let list =
            |texts: &Option<BTreeSet<String>>| texts.as_ref().map(|texts| texts.iter().cloned().collect());
        let call = client
            .iam
            .writes
            .create_open_id_connect_provider()
            .url(&inputs.url)
            .set_client_id_list(list(&inputs.audiences))
            .set_thumbprint_list(list(&inputs.thumbprints))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreateOpenIDConnectProvider"));
        let answer = answer.map_err(|error| explained(error, &client.place, inputs))?;
        answered("CreateOpenIDConnectProvider", answer.open_id_connect_provider_arn()).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<OpenIdConnectProviderInputs, OpenIdConnectProviderOutputs>,
        desired: Option<&OpenIdConnectProviderInputs>,
    ) -> Option<OpenIdConnectProviderStep> {
        let Some(desired) = desired else { return Some(OpenIdConnectProviderStep::Delete) };
        let found = &observed.inputs;
        let nobody = BTreeSet::new();
        let there = found.audiences.as_ref().unwrap_or(&nobody);
        let wanted = desired.audiences.as_ref().unwrap_or(there);
        let added = wanted.difference(there).next().cloned().map(OpenIdConnectProviderStep::AddAudience);
        let removed = there.difference(wanted).next().cloned();
        added
            .or_else(|| removed.map(OpenIdConnectProviderStep::RemoveAudience))
            .or_else(|| {
                let thumbprints = desired.thumbprints.clone().filter(|list| !list.is_empty());
                let thumbprints = thumbprints.filter(|wanted| found.thumbprints.as_ref() != Some(wanted));
                thumbprints.map(OpenIdConnectProviderStep::SetThumbprints)
            })
            .or_else(|| {
                tags::next_step(found.tags.as_ref(), desired.tags.as_ref())
                    .map(OpenIdConnectProviderStep::Tag)
            })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &OpenIdConnectProviderStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, arn, operation) = (&client.iam.writes, id.as_str(), step.operation());
        match step {
            OpenIdConnectProviderStep::AddAudience(audience) => {
                let call = writes.add_client_id_to_open_id_connect_provider();
                let call = call.open_id_connect_provider_arn(arn).client_id(audience);
                call.send().await.map_err(failed(operation))?;
            }
            OpenIdConnectProviderStep::RemoveAudience(audience) => {
                let call = writes.remove_client_id_from_open_id_connect_provider();
                let call = call.open_id_connect_provider_arn(arn).client_id(audience);
                call.send().await.map_err(failed(operation))?;
            }
            OpenIdConnectProviderStep::SetThumbprints(thumbprints) => {
                let call = writes.update_open_id_connect_provider_thumbprint();
                let call = call.open_id_connect_provider_arn(arn);
                let call = call.set_thumbprint_list(Some(thumbprints.iter().cloned().collect()));
                call.send().await.map_err(failed(operation))?;
            }
            OpenIdConnectProviderStep::Tag(step) => Tagged::Provider.perform(client, id, step).await?,
            OpenIdConnectProviderStep::Delete => {
                let call = writes.delete_open_id_connect_provider().open_id_connect_provider_arn(arn);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// Nothing has to be listed: the ARN is known before the provider is made.
    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &OpenIdConnectProviderInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let arn = arn(&client.place, inputs);
        let provider = unless_missing(read(client, &arn).await)?;
        let ours = provider.filter(|provider| tags::are_ours(provider.tags(), intent, inputs.tags.as_ref()));
        Ok(ours.map(|_| RemoteId::new(arn)).into_iter().collect())
    }
}

fn arn(place: &Place, inputs: &OpenIdConnectProviderInputs) -> String {
    place.iam_arn(&format!("oidc-provider/{}", inputs.url.trim_start_matches(SCHEME)))
}

/// Says which provider is in the way: other tools make one for a cluster too.
fn explained(mut error: ProviderError, place: &Place, inputs: &OpenIdConnectProviderInputs) -> ProviderError {
    if error.class == ErrorClass::AlreadyExists {
        let (account, arn) = (&place.account, arn(place, inputs));
        error.message = format!(
            "account {account} has a provider for this issuer already, {arn}, which this stack did not make"
        );
    }
    error
}

/// Puts an address into the form in which IAM takes it: "The URL must begin with https:// … cannot
/// contain … a port number" and no query (API reference, `CreateOpenIDConnectProvider`).
fn normalize_url(text: &str) -> Result<String, String> {
    let issuer = text.strip_prefix(SCHEME).unwrap_or(text);
    if issuer.is_empty() {
        Err("it is empty".to_owned())
    } else if issuer.contains("://") {
        Err("the address of an issuer begins with `https://`".to_owned())
    } else if let Some(other) = issuer.chars().find(|other| ":?#".contains(*other) || other.is_whitespace()) {
        Err(format!("the address of an issuer has no port, no query and no `{}`", other.escape_debug()))
    } else if text.len() > 255 {
        Err("it has more than 255 characters".to_owned())
    } else {
        Ok(format!("{SCHEME}{issuer}"))
    }
}

/// Puts a fingerprint into small letters, without the colons that `openssl` writes.
fn normalize_thumbprint(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    if digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits.to_ascii_lowercase());
    }
    Err("a SHA-1 fingerprint has 40 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests;
