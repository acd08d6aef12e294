//! Providers of web identities (`OpenID` Connect): whose tokens STS takes in an account.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answers::time;
use super::tags::{self, Tags};
use super::{Directory, conflict, limit, no_such_entity};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::quotas;
use crate::validation;
use crate::world::{World, later};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateOpenIDConnectProvider", &["Url", "ClientIDList", "ThumbprintList", "Tags"], create)
        .on(&[("Url", "oidc-provider")]),
    Operation::new("GetOpenIDConnectProvider", &[ARN], get).on(PROVIDER),
    Operation::new("ListOpenIDConnectProviders", &[], list),
    Operation::new("AddClientIDToOpenIDConnectProvider", &[ARN, "ClientID"], add_client).on(PROVIDER),
    Operation::new("RemoveClientIDFromOpenIDConnectProvider", &[ARN, "ClientID"], remove_client).on(PROVIDER),
    Operation::new("UpdateOpenIDConnectProviderThumbprint", &[ARN, "ThumbprintList"], update_thumbprints)
        .on(PROVIDER),
    Operation::new("DeleteOpenIDConnectProvider", &[ARN], delete).on(PROVIDER),
];

/// The parameter that names a provider.
pub(super) const ARN: &str = "OpenIDConnectProviderArn";

/// What the operations on a provider are done to.
pub(super) const PROVIDER: &[(&str, &str)] = &[(ARN, "oidc-provider")];

/// How many client ids a provider may have (API reference, `CreateOpenIDConnectProvider`).
const MOST_CLIENTS: usize = 100;

/// How many thumbprints a provider may have (same place).
const MOST_THUMBPRINTS: usize = 5;

/// A provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) arn: String,
    /// Without `https://`, as answers and condition keys have it.
    pub(crate) address: String,
    pub(crate) clients: BTreeSet<String>,
    thumbprints: Vec<String>,
    made_at: Timestamp,
    /// When STS begins to know it.
    known_at: Timestamp,
    pub(super) tags: Tags,
}

impl Directory {
    /// Returns the provider with this address, without `https://`, if STS knows it yet.
    pub(crate) fn provider(&self, address: &str, now: Timestamp) -> Option<&Provider> {
        let mut known = self.providers.values().filter(|provider| provider.known_at <= now);
        known.find(|provider| provider.address == address)
    }
}

/// Returns the provider that a call names.
pub(super) fn named<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Provider, Refusal> {
    let arn = checked_arn(call)?;
    let found = world.directory(&call.caller.account).providers.get_mut(arn);
    found.ok_or_else(|| no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
}

fn checked_arn(call: &Call) -> Result<&str, Refusal> {
    let arn = validation::required(&call.parameters, ARN)?;
    if arn.starts_with("arn:aws:iam::") && arn.contains(":oidc-provider/") {
        return Ok(arn);
    }
    Err(Refusal::new("InvalidInput", format!("Invalid ARN: {arn}")))
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let address = address(validation::required(parameters, "Url")?)?;
    let clients: BTreeSet<_> = parameters.texts("ClientIDList").into_iter().map(str::to_owned).collect();
    clients.iter().try_for_each(|client| validation::length("ClientID", client, 1, 255))?;
    if clients.len() > MOST_CLIENTS {
        return Err(limit("ClientIdsPerOpenIdConnectProvider", MOST_CLIENTS));
    }
    let thumbprints = thumbprints(parameters)?.unwrap_or_else(|| vec![fetched_thumbprint(address)]);
    let tags = tags::given(parameters)?;
    let arn = format!("arn:aws:iam::{}:oidc-provider/{address}", call.caller.account);
    let (made_at, known_at) = (world.now(), later(world.now(), world.rules.iam_delay));
    let most = world.quota(&call.caller.account, quotas::OIDC_PROVIDERS);
    let providers = &mut world.directory(&call.caller.account).providers;
    if providers.contains_key(&arn) {
        let message = format!("Provider with url https://{address} already exists.");
        return Err(conflict("EntityAlreadyExists", message));
    }
    if providers.len() >= most {
        return Err(limit("OpenIdConnectProvidersPerAccount", most));
    }
    let answer = json!({ "OpenIDConnectProviderArn": arn, "Tags": tags::shown(&tags) });
    let address = address.to_owned();
    let provider = Provider { arn: arn.clone(), address, clients, thumbprints, made_at, known_at, tags };
    providers.insert(arn, provider);
    Ok(answer)
}

/// Returns the host and path of an address: it "must begin with https:// … cannot contain query
/// parameters", and no port number.
fn address(url: &str) -> Result<&str, Refusal> {
    validation::length("Url", url, 1, 255)?;
    let address = url.strip_prefix("https://").map(|address| address.trim_end_matches('/'));
    let is_plain = |address: &&str| !address.is_empty() && !address.contains([':', '?', '#', ' ']);
    address.filter(is_plain).ok_or_else(|| {
        let message = "Invalid Open ID Connect Provider URL: it has to be https, with no port and no query";
        Refusal::new("InvalidInput", message)
    })
}

/// Returns the thumbprints in a call; `None` if it has none.
fn thumbprints(parameters: &Parameters) -> Result<Option<Vec<String>>, Refusal> {
    let given = parameters.texts("ThumbprintList");
    if given.len() > MOST_THUMBPRINTS {
        let message = format!("Thumbprint list must contain fewer than {} entries.", MOST_THUMBPRINTS + 1);
        return Err(Refusal::new("InvalidInput", message));
    }
    for thumbprint in &given {
        validation::length("ThumbprintList", thumbprint, 40, 40)?;
        if !thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "Invalid Thumbprint: it has 40 hexadecimal digits";
            return Err(Refusal::new("InvalidInput", message));
        }
    }
    Ok((!given.is_empty()).then(|| given.into_iter().map(str::to_owned).collect()))
}

/// Returns the thumbprint that IAM "will retrieve and use" if none is given.
fn fetched_thumbprint(address: &str) -> String {
    let host = address.split('/').next().unwrap_or(address);
    HEXLOWER.encode(&Sha256::digest(host))[..40].to_owned()
}

fn get(world: &mut World, call: &Call) -> Answer {
    let provider = named(world, call)?;
    Ok(json!({
        // "The URL … does not include https://."
        "Url": provider.address,
        "ClientIDList": provider.clients,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": time(provider.made_at),
        "Tags": tags::shown(&provider.tags),
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
fn list(world: &mut World, call: &Call) -> Answer {
    let providers = world.directory(&call.caller.account).providers.keys();
    let arns: Vec<_> = providers.map(|arn| json!({ "Arn": arn })).collect();
    Ok(json!({ "OpenIDConnectProviderList": arns }))
}

/// Adds a client id. "This operation is idempotent."
fn add_client(world: &mut World, call: &Call) -> Answer {
    let client = validation::required(&call.parameters, "ClientID")?;
    validation::length("ClientID", client, 1, 255)?;
    let provider = named(world, call)?;
    if !provider.clients.contains(client) && provider.clients.len() >= MOST_CLIENTS {
        return Err(limit("ClientIdsPerOpenIdConnectProvider", MOST_CLIENTS));
    }
    provider.clients.insert(client.to_owned());
    Ok(Value::Null)
}

/// Removes a client id. "This operation is idempotent; it does not fail or return an error if you
/// try to remove a client ID that does not exist."
fn remove_client(world: &mut World, call: &Call) -> Answer {
    let client = validation::required(&call.parameters, "ClientID")?;
    named(world, call)?.clients.remove(client);
    Ok(Value::Null)
}

fn update_thumbprints(world: &mut World, call: &Call) -> Answer {
    let thumbprints = thumbprints(&call.parameters)?
        .ok_or_else(|| Refusal::new("InvalidInput", "Thumbprint list must contain at least one entry."))?;
    named(world, call)?.thumbprints = thumbprints;
    Ok(Value::Null)
}

/// Deletes a provider. "This operation is idempotent; it does not fail or return an error if you
/// call the operation for a provider that does not exist." Roles that trust it stay as they are.
fn delete(world: &mut World, call: &Call) -> Answer {
    let arn = checked_arn(call)?;
    world.directory(&call.caller.account).providers.remove(arn);
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    #[test]
    fn a_provider_is_made_changed_and_deleted() {
        let mut account = Account::new();
        let wanted = json!({
            "Url": "https://oidc.eks.us-east-1.amazonaws.com/id/A1",
            "ClientIDList": ["sts.amazonaws.com"],
        });
        let made = account.ok("iam:CreateOpenIDConnectProvider", wanted.clone());
        let arn = text(&made["OpenIDConnectProviderArn"]);
        assert_eq!(arn, "arn:aws:iam::111111111111:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A1");
        account.refused("iam:CreateOpenIDConnectProvider", wanted, "EntityAlreadyExists");
        let named = json!({ ARN: arn });
        let with = |name: &str, value: Value| json!({ ARN: arn, name: value });
        account.ok("iam:AddClientIDToOpenIDConnectProvider", with("ClientID", json!("b")));
        account.ok("iam:AddClientIDToOpenIDConnectProvider", with("ClientID", json!("b")));
        account.ok("iam:RemoveClientIDFromOpenIDConnectProvider", with("ClientID", json!("none")));
        account.refused(
            "iam:UpdateOpenIDConnectProviderThumbprint",
            with("ThumbprintList", json!([])),
            "InvalidInput",
        );
        let thumbprint = "0123456789abcdef0123456789abcdef01234567";
        account.ok("iam:UpdateOpenIDConnectProviderThumbprint", with("ThumbprintList", json!([thumbprint])));
        account.ok("iam:TagOpenIDConnectProvider", with("Tags", json!([{ "Key": "team", "Value": "a" }])));
        let read = account.ok("iam:GetOpenIDConnectProvider", named.clone());
        assert_eq!(read["Url"], "oidc.eks.us-east-1.amazonaws.com/id/A1");
        assert_eq!(read["ClientIDList"], json!(["b", "sts.amazonaws.com"]));
        assert_eq!(read["ThumbprintList"], json!([thumbprint]));
        assert_eq!(read["Tags"], json!([{ "Key": "team", "Value": "a" }]));
        account.ok("iam:DeleteOpenIDConnectProvider", named.clone());
        account.ok("iam:DeleteOpenIDConnectProvider", named.clone());
        account.refused("iam:GetOpenIDConnectProvider", named, "NoSuchEntity");
    }

    #[test]
    fn wrong_providers_are_refused() {
        let mut account = Account::new();
        for url in ["http://a.example", "https://", "https://a.example:8443", "https://a.example?x=y"] {
            account.refused("iam:CreateOpenIDConnectProvider", json!({ "Url": url }), "InvalidInput");
        }
        let wanted = json!({ "Url": "https://a.example", "ThumbprintList": ["x"] });
        account.refused("iam:CreateOpenIDConnectProvider", wanted, "ValidationError");
        for number in 0..quotas::OIDC_PROVIDERS.value {
            let wanted = json!({ "Url": format!("https://a{number}.example") });
            account.ok("iam:CreateOpenIDConnectProvider", wanted);
        }
        let one_more = json!({ "Url": "https://a.example" });
        account.refused("iam:CreateOpenIDConnectProvider", one_more, "LimitExceeded");
    }
}
