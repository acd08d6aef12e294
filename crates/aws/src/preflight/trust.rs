//! Trust as a chain: from the tokens of a cluster by way of a provider to a role. A link that does not
//! fit is found only when a pod asks for credentials, long after everything was made.

use std::collections::BTreeSet;

use futures::future::join_all;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::{Account, ErrorClass, ProviderError};
use straddle_engine::value::{Value, ValueMap};

use super::found;
use crate::client::Client;
use crate::error::failed;
use crate::iam::trust::{AUDIENCES, OIDC_PROVIDER, SERVICE_ACCOUNTS, STS, subject_of};

const PROVIDER: &str = "iam_openid_connect_provider";
const CLUSTER: &str = "eks_cluster";

/// Whether roles that are for service accounts can be assumed by them.
pub(crate) struct Trust;

impl Check for Trust {
    const NAME: &'static str = "trust";
    const ABOUT: &'static str =
        "roles trust a provider of their account that stands for a cluster, with its audience";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["iam:GetOpenIDConnectProvider"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let roles = ["iam_role", "iam_role_trust"].into_iter().flat_map(|kind| subject.lasting(kind));
        let trusts: Vec<_> = roles.filter_map(|role| Some((role, trust_of(role, subject)?))).collect();
        let links =
            trusts.iter().flat_map(|(role, trust)| links(trust).into_iter().map(move |link| (role, link)));
        let looks = links.map(|(role, link)| async move {
            match subject.named(link.provider).filter(|named| named.kind.as_str() == PROVIDER) {
                Some(provider) => judge_link(role, provider, &link, subject),
                None => look_up(role, &link, subject).await,
            }
        });
        let mut findings = join_all(looks).await.concat();
        findings.extend(subject.lasting(PROVIDER).flat_map(|provider| judge_provider(provider, subject)));
        findings
    }
}

/// Returns the trust policy of a role: the short form for a provider as it is written, since the
/// document that it stands for is unknown as long as the provider is; otherwise the document.
pub(super) fn trust_of(role: &Item, subject: &Subject<'_>) -> Option<Value> {
    let written = subject.written(role, "trust");
    let is_short = |trust: &Value| trust.as_map().is_some_and(|trust| trust.contains_key(OIDC_PROVIDER));
    written.filter(is_short).or_else(|| role.value("trust").cloned())
}

/// A statement by which tokens of a provider lead to a role.
pub(super) struct Link<'a> {
    /// The provider's ARN, known or not.
    pub(super) provider: &'a Value,
    /// Whom tokens have to be for; `None` as long as that is not known.
    audiences: Option<BTreeSet<&'a str>>,
    /// Of whom tokens have to be, patterns included; `None` as long as that is not known.
    pub(super) subjects: Option<BTreeSet<String>>,
}

/// Returns the statements of a trust policy that are about tokens.
pub(super) fn links(trust: &Value) -> Vec<Link<'_>> {
    let Some(entries) = trust.as_map() else { return Vec::new() };
    match entries.get(OIDC_PROVIDER) {
        Some(provider) => vec![of_short_form(provider, entries)],
        None => entries
            .get("Statement")
            .map(Value::items)
            .unwrap_or_default()
            .iter()
            .flat_map(of_statement)
            .collect(),
    }
}

fn of_short_form<'a>(provider: &'a Value, entries: &'a ValueMap) -> Link<'a> {
    let known = |name: &str| {
        let value = entries.get(name).filter(|value| !value.is_null());
        value.map(|value| value.items().iter().map(Value::as_str).collect::<Option<BTreeSet<_>>>())
    };
    let subject = |account: &str| subject_of(account.split_once('/').unwrap_or_default());
    let subjects = known(SERVICE_ACCOUNTS).unwrap_or_default();
    Link {
        provider,
        audiences: known(AUDIENCES).unwrap_or_else(|| Some([STS].into())),
        subjects: subjects.map(|accounts| accounts.into_iter().map(subject).collect()),
    }
}

fn of_statement(statement: &Value) -> Vec<Link<'_>> {
    let Some(statement) = statement.as_map() else { return Vec::new() };
    let providers = statement.get("Principal").and_then(Value::as_map).and_then(|who| who.get("Federated"));
    let condition = statement.get("Condition");
    let is_unknown = condition.is_some_and(|condition| condition.first_unknown().is_some());
    let keys = condition.and_then(Value::as_map).into_iter().flatten();
    let keys: Vec<_> = keys.filter_map(|(_, keys)| keys.as_map()).flatten().collect();
    let texts = |ending: &str| {
        let values =
            keys.iter().filter(|(key, _)| key.ends_with(ending)).flat_map(|(_, values)| values.items());
        (!is_unknown).then(|| values.filter_map(Value::as_str).collect::<BTreeSet<_>>())
    };
    let (audiences, subjects) = (texts(":aud"), texts(":sub"));
    let subjects = subjects.map(|subjects| subjects.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
    let link = |provider| Link { provider, audiences: audiences.clone(), subjects: subjects.clone() };
    providers.map(Value::items).unwrap_or_default().iter().map(link).collect()
}

fn judge_link(role: &Item, provider: &Item, link: &Link<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let owners = [role, provider].map(|item| subject.account(&item.account).0);
    let audiences = provider.list("audiences");
    let known = audiences.iter().all(|audience| audience.as_str().is_some());
    let audiences: BTreeSet<_> = audiences.iter().filter_map(Value::as_str).collect();
    let audiences = (known && !audiences.is_empty()).then_some(audiences);
    judge(role, &provider.address.to_string(), owners, audiences.as_ref(), link)
}

/// Judges a link from a role to a provider; `audiences` are those of the provider, if they are known.
fn judge(
    role: &Item,
    provider: &str,
    [of_role, of_provider]: [&Account; 2],
    audiences: Option<&BTreeSet<&str>>,
    link: &Link<'_>,
) -> Vec<Finding> {
    let Item { account, address, .. } = role;
    let mut findings = Vec::new();
    if of_role.id != of_provider.id {
        findings.push(Finding::failed(
            account,
            format!("{address} trusts {provider} of the account {}: a role trusts only providers of its own account.", of_provider.id),
            format!("Make a provider with the same `url` in the account `{account}`."),
        ));
    }
    if let Some((wanted, offered)) = link.audiences.as_ref().zip(audiences) {
        if wanted.is_empty() {
            findings.push(Finding::warning(
                account,
                format!("{address} takes tokens of {provider} for any audience."),
                "Pin the audience with StringEquals, as `oidc_provider` and `service_accounts` do.",
            ));
        }
        let missing: Vec<_> = wanted.difference(offered).copied().collect();
        if !missing.is_empty() {
            findings.push(Finding::failed(
                account,
                format!(
                    "{address} takes tokens for {}, which {provider} does not accept.",
                    missing.join(", ")
                ),
                "Add it to `audiences` of the provider.",
            ));
        }
    }
    if link.subjects.as_ref().is_some_and(BTreeSet::is_empty) {
        findings.push(Finding::failed(
            account,
            format!("{address} takes tokens of every service account that {provider} vouches for."),
            "Name the service accounts: `service_accounts = [\"NAMESPACE/NAME\"]`.",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(account, format!("{address} trusts {provider}.")));
    }
    findings
}

/// Looks up a provider that the spec does not have.
async fn look_up(role: &Item, link: &Link<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(arn) = link.provider.as_str().filter(|arn| arn.contains(":oidc-provider/")) else {
        // Another sort of federation.
        return Vec::new();
    };
    let (account, connection) = subject.account(&role.account);
    found(&role.account, read(role, arn, account, connection.client(), link).await)
}

async fn read(
    role: &Item,
    arn: &str,
    account: &Account,
    client: &Client,
    link: &Link<'_>,
) -> Result<Vec<Finding>, ProviderError> {
    let owner = Account { id: arn.split(':').nth(4).unwrap_or_default().to_owned(), ..account.clone() };
    if owner.id != account.id {
        return Ok(judge(role, arn, [account, &owner], None, link));
    }
    let call = client.iam.reads.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    let answer = call.send().await.map_err(failed("GetOpenIDConnectProvider"));
    match answer {
        Ok(answer) => {
            let audiences = answer.client_id_list().iter().map(String::as_str).collect();
            Ok(judge(role, arn, [account, account], Some(&audiences), link))
        }
        Err(error) if error.class == ErrorClass::NotFound => Ok(vec![Finding::failed(
            &role.account,
            format!("{} trusts {arn}, which does not exist.", role.address),
            "Make an `iam_openid_connect_provider` and refer to its `arn`.",
        )]),
        Err(error) => Err(error),
    }
}

/// A provider whose address is written out stands for no cluster of the spec, or for a former one.
fn judge_provider(provider: &Item, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(url) = provider.value("url") else { return Vec::new() };
    let issuers = subject.lasting(CLUSTER).filter_map(|cluster| cluster.text("oidc_issuer"));
    let issuers: Vec<_> = issuers.map(without_scheme).collect();
    let named = subject.named(url).map(|cluster| cluster.kind.as_str());
    let clusters = subject.lasting(CLUSTER).count();
    judge_url(provider, url.as_str(), named, &issuers, clusters).into_iter().collect()
}

fn without_scheme(url: &str) -> &str {
    url.trim_start_matches("https://")
}

fn judge_url(
    provider: &Item,
    url: Option<&str>,
    named: Option<&str>,
    issuers: &[&str],
    clusters: usize,
) -> Option<Finding> {
    let Item { account, address, .. } = provider;
    match (url, named) {
        (_, Some(CLUSTER)) => {
            Some(Finding::ok(account, format!("{address} stands for a cluster of the spec.")))
        }
        (_, Some(other)) => Some(Finding::failed(
            account,
            format!("`url` of {address} is no issuer: it comes from a `{other}`."),
            "Write `\"${eks_cluster.NAME.oidc_issuer}\"`.",
        )),
        (Some(url), None) if issuers.contains(&without_scheme(url)) => {
            Some(Finding::ok(account, format!("{address} stands for a cluster of the spec.")))
        }
        (Some(url), None) if clusters > 0 => Some(Finding::warning(
            account,
            format!("{address} stands for {url}, which is no cluster of the spec."),
            "If it is meant for one, write `\"${eks_cluster.NAME.oidc_issuer}\"`: a new cluster has another issuer.",
        )),
        (Some(_) | None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::{account, item};

    fn trust(keys: &[(&str, &str)]) -> Value {
        let text = |text: &str| Value::from(text);
        let map = |entries: Vec<(&str, Value)>| {
            Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let keys = keys.iter().map(|(key, value)| (*key, text(value))).collect();
        let statement = map(vec![
            ("Effect", text("Allow")),
            ("Principal", map(vec![("Federated", text("arn:aws:iam::111122223333:oidc-provider/x"))])),
            ("Condition", map(vec![("StringEquals", map(keys))])),
        ]);
        map(vec![("Statement", Value::List(vec![statement]))])
    }

    fn verdicts(keys: &[(&str, &str)], provider: &str) -> Vec<Verdict> {
        let trust = trust(keys);
        let links = links(&trust);
        let [network, owner] =
            [account("network"), account(if provider == "here" { "network" } else { "apps" })];
        let offered = ["sts.amazonaws.com"].into();
        let role = item("iam_role", &[]);
        let findings = judge(&role, "the provider", [&network, &owner], Some(&offered), &links[0]);
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn every_link_of_the_chain_has_to_fit() {
        let (audience, subject) = (("x:aud", "sts.amazonaws.com"), ("x:sub", "system:serviceaccount:a:b"));
        assert_eq!(verdicts(&[audience, subject], "here"), [Verdict::Ok]);
        assert_eq!(verdicts(&[audience, subject], "elsewhere"), [Verdict::Failed]);
        assert_eq!(verdicts(&[("x:aud", "other"), subject], "here"), [Verdict::Failed]);
        assert_eq!(verdicts(&[audience], "here"), [Verdict::Failed]);
        assert_eq!(verdicts(&[subject], "here"), [Verdict::Warning]);
    }

    #[test]
    fn the_short_form_is_read_before_its_provider_exists() {
        let text = |text: &str| Value::from(text);
        let provider = Value::unknown(Address::new(PROVIDER, "main"), "arn");
        let short = [(OIDC_PROVIDER, provider.clone()), (SERVICE_ACCOUNTS, Value::List(vec![text("a/b")]))];
        let short = Value::Map(short.map(|(name, value)| (name.to_owned(), value)).into());
        let [link] = &links(&short)[..] else { panic!("one provider, one link") };
        assert_eq!(link.provider, &provider);
        assert_eq!(link.audiences, Some(["sts.amazonaws.com"].into()));
        assert_eq!(link.subjects, Some(["system:serviceaccount:a:b".to_owned()].into()));
    }

    #[test]
    fn a_provider_stands_for_a_cluster_of_the_spec() {
        let provider = item(PROVIDER, &[]);
        let verdict = |url, named, issuers: &[&str]| {
            judge_url(&provider, url, named, issuers, 1).map(|finding| finding.verdict)
        };
        assert_eq!(verdict(None, Some(CLUSTER), &[]), Some(Verdict::Ok));
        assert_eq!(verdict(None, Some("vpc"), &[]), Some(Verdict::Failed));
        assert_eq!(verdict(Some("https://x"), None, &["x"]), Some(Verdict::Ok));
        assert_eq!(verdict(Some("https://y"), None, &["x"]), Some(Verdict::Warning));
        assert_eq!(verdict(None, None, &[]), None);
    }
}
