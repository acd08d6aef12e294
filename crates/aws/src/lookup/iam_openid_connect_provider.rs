//! `lookup` of an `iam_openid_connect_provider` by its URL.

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::error::failed;

/// The lookup.
pub(crate) struct FindOpenIdConnectProvider;

/// A provider of web identities that exists in IAM, such as that of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ProviderInputs {
    /// The URL of the issuer, with or without `https://`.
    url: String,
}

/// What IAM says of a provider.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ProviderOutputs {
    /// The ARN.
    arn: String,
}

impl Lookup for FindOpenIdConnectProvider {
    const KIND: &'static str = "iam_openid_connect_provider";
    const SERVICE: &'static str = "iam";
    const ACTIONS: &'static [&'static str] = &["iam:ListOpenIDConnectProviders"];
    const EXAMPLE: &'static str = r#"
[lookup.cluster]
kind    = "eks_cluster"
account = "apps"
name    = "demo"

[lookup.issuer]
kind    = "iam_openid_connect_provider"
account = "apps"
url     = "${lookup.cluster.oidc_issuer}"

[output.provider]
value = "${lookup.issuer.arn}"
"#;

    type Inputs = ProviderInputs;
    type Outputs = ProviderOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &ProviderInputs,
    ) -> Result<Vec<Match<ProviderOutputs>>, ProviderError> {
        let call = client.iam.reads.list_open_id_connect_providers();
        let answer = call.send().await.map_err(failed("ListOpenIDConnectProviders"))?;
        let providers = answer.open_id_connect_provider_list().iter().filter_map(|provider| provider.arn());
        let ours = providers.filter(|arn| is_of(arn, &inputs.url));
        let matched = |arn: &str| Match {
            id: arn.to_owned(),
            name: None,
            outputs: ProviderOutputs { arn: arn.to_owned() },
        };
        Ok(ours.map(matched).collect())
    }
}

/// Tells whether an ARN is that of the provider of a URL: it ends in the URL without the scheme.
fn is_of(arn: &str, url: &str) -> bool {
    let issuer = url.strip_prefix("https://").unwrap_or(url);
    arn.split_once(":oidc-provider/").is_some_and(|(_, of)| of == issuer.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_told_by_its_whole_url() {
        let arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC";
        assert!(is_of(arn, "https://oidc.eks.us-east-1.amazonaws.com/id/ABC"));
        assert!(is_of(arn, "oidc.eks.us-east-1.amazonaws.com/id/ABC/"));
        assert!(!is_of(arn, "https://oidc.eks.us-east-1.amazonaws.com/id/AB"));
        assert!(!is_of(arn, "https://oidc.eks.us-east-1.amazonaws.com/id/ABCD"));
    }
}
