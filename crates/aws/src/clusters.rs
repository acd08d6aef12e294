//! What an account tells of its clusters of EKS, and how it vouches for a caller towards them.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use straddle_engine::cluster::{ClusterAccess, ClusterDescription};
use straddle_engine::provider::{BoxFuture, ErrorClass, ProviderError};

use crate::client::{Calls, Place};
use crate::error::failed;

/// The header that binds a signature to one cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// What a signature of this form is good for; EKS takes no longer one (`aws eks get-token`).
const LIFETIME: Duration = Duration::from_mins(1);
const OPERATION: &str = "GetCallerIdentity";

/// The clusters of one account in one region.
pub(crate) struct Clusters {
    eks: aws_sdk_eks::Client,
    credentials: Option<SharedCredentialsProvider>,
    place: Place,
}

impl Clusters {
    /// Makes the access from the account's configuration. Nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig, place: &Place) -> Self {
        Self {
            eks: Calls::new(config, aws_sdk_eks::Client::new).reads,
            credentials: config.credentials_provider(),
            place: place.clone(),
        }
    }

    async fn credentials(&self) -> Result<Credentials, ProviderError> {
        let refused = |message: String| ProviderError::new(ErrorClass::Expired, OPERATION, message);
        let provider = self.credentials.as_ref();
        let provider = provider.ok_or_else(|| refused("the account has no credentials".to_owned()))?;
        provider.provide_credentials().await.map_err(|error| refused(crate::error::causes(&error)))
    }
}

impl ClusterAccess for Clusters {
    fn presign<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(async move {
            let credentials = self.credentials().await?;
            #[expect(clippy::disallowed_methods, reason = "signed by the clock that the SDK signs calls by")]
            let now = SystemTime::now();
            presigned(credentials, &self.place, cluster, now)
                .map_err(|message| ProviderError::new(ErrorClass::Rejected, OPERATION, message))
        })
    }

    fn describe<'a>(
        &'a self,
        cluster: &'a str,
    ) -> BoxFuture<'a, Result<Option<ClusterDescription>, ProviderError>> {
        Box::pin(async move {
            const DESCRIBE: &str = "DescribeCluster";
            let answer = self.eks.describe_cluster().name(cluster).send().await.map_err(failed(DESCRIBE));
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let description = answer.cluster().map(|cluster| ClusterDescription {
                endpoint: cluster.endpoint().map(str::to_owned),
                certificate_authority: cluster
                    .certificate_authority()
                    .and_then(|authority| authority.data())
                    .map(str::to_owned),
                status: cluster.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            });
            Ok(description)
        })
    }
}

/// Returns the address of the regional STS that tells whose credentials these are, signed for a cluster.
/// Source: `aws eks get-token` of the AWS CLI.
fn presigned(
    credentials: Credentials,
    place: &Place,
    cluster: &str,
    now: SystemTime,
) -> Result<String, String> {
    let domain = if place.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let host = format!("sts.{}.{domain}", place.region);
    let address = format!("https://{host}/?Action={OPERATION}&Version=2011-06-15");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&place.region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?;
    let headers = [("host", host.as_str()), (CLUSTER_HEADER, cluster)];
    let request = SignableRequest::new("GET", &address, headers.into_iter(), SignableBody::Bytes(&[]));
    let request = request.map_err(|error| error.to_string())?;
    let (signed, _) = sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
    let parameters = signed.params().iter().map(|(name, value)| {
        let value = percent_encoding::utf8_percent_encode(value, UNRESERVED);
        format!("&{name}={value}")
    });
    Ok(std::iter::once(address.clone()).chain(parameters).collect())
}

/// Everything that the canonical form of a query encodes: all but the unreserved characters (RFC 3986).
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use straddle_engine::resource::Home;

    use super::*;

    /// The addresses inside the tokens that `aws eks get-token` (AWS CLI 1.45) made of these inputs.
    #[test]
    fn the_signature_is_that_of_the_command_line_of_aws() {
        for (session, time, signature) in VECTORS {
            let key = if session.is_some() { "ASIAIOSFODNN7EXAMPLE" } else { "AKIAIOSFODNN7EXAMPLE" };
            let credentials = Credentials::new(
                key,
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                session.map(str::to_owned),
                None,
                "test",
            );
            let place = Place::of(Home { account_id: "111122223333", region: "us-east-1" });
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
            let url = presigned(credentials, &place, "EKSTestDrive", now).expect("it can be signed");
            let (address, query) = url.split_once('?').expect("it has a query");
            assert_eq!(address, "https://sts.us-east-1.amazonaws.com/");
            let parameters: BTreeSet<_> = query.split('&').collect();
            assert!(parameters.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"), "{url}");
            assert!(parameters.contains("X-Amz-Expires=60"), "{url}");
            assert!(parameters.contains(format!("X-Amz-Signature={signature}").as_str()), "{url}");
            assert_eq!(parameters.len(), 8 + usize::from(session.is_some()), "{url}");
        }
    }

    /// The session, the time, and the signature.
    const VECTORS: [(Option<&str>, u64, &str); 2] = [
        (None, 1_795_411_727, "c6b33f43e713d8e61fe53b449518dd087acb84c4070ca8652db384dafa20a712"),
        (
            Some("EXAMPLESESSIONTOKEN"),
            1_795_411_728,
            "313c63ab139681426c6a0710c9c9c11ec0a8f6fea3587a660e5b122ebe9e6920",
        ),
    ];
}
