//! The connection to an account: credentials, and the proof that they are the right account's.

use std::error::Error;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::SharedHttpClient;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
use aws_smithy_http_client::tls;
use straddle_engine::provider::{Account, BoxFuture, Connection, ErrorClass, Provider, ProviderError};
use straddle_engine::schema::{AttributeSchema, Attributes};

use crate::assumed_role::AssumedRole;
use crate::client::{Client, Place};
use crate::clusters::Clusters;
use crate::error::{causes, chain, failed, find_cause, never_connected};
use crate::partition;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than EC2's slowest answers, which take several seconds.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Long enough for an external credential process or a sign-in service behind a slow network.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);
/// Who somebody is, is asked once for each account, and nothing goes on without the answer: the SDK's three attempts
/// are too few where other programs of the account are throttled too.
const CONNECT_ATTEMPTS: u32 = 6;
const IDENTIFY: &str = "GetCallerIdentity";

/// Connects to AWS accounts. All of them share one pool of connections.
pub(crate) struct Aws {
    http_client: SharedHttpClient,
}

/// How to get an account's credentials. Without any of these, the default chain of the AWS SDKs
/// is asked: environment, default profile, container, instance.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccountSettings {
    /// The profile in the AWS configuration files whose credentials are used. It goes before
    /// credentials in the environment.
    profile: Option<String>,
    /// The role to assume with these credentials.
    role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    external_id: Option<String>,
    /// The name of the session in the account's audit trail: 2 to 64 letters, digits and
    /// `_+=,.@-`. If it is not set, `straddle-` and the stack's name.
    session_name: Option<String>,
}

impl Aws {
    /// Makes the provider. Nothing is connected yet.
    pub(crate) fn new() -> Self {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let http_client = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
        Self { http_client }
    }

    async fn configure(&self, account: &Account, settings: &AccountSettings) -> SdkConfig {
        let region = Region::new(account.region.clone());
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http_client.clone())
            .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build())
            .region(region.clone())
            .timeout_config(timeouts())
            .retry_config(RetryConfig::standard().with_max_attempts(CONNECT_ATTEMPTS));
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile).credentials_provider(self.profile(profile, region.clone()));
        }
        loader.load().await
    }

    /// Returns the account's configuration, and where its things are once that is proven.
    async fn prove(
        &self,
        account: &Account,
        settings: &AccountSettings,
    ) -> Result<(SdkConfig, Place), ProviderError> {
        let config = match &account.sandbox {
            Some(endpoint) => self.configure_sandbox(account, endpoint),
            None => self.configure(account, settings).await,
        };
        let Some(role_arn) = settings.role_arn.as_ref().filter(|_| account.sandbox.is_none()) else {
            let place = identify(&config, account, settings).await?;
            return Ok((config, place));
        };
        let role = assume_role(role_arn, account, settings, &config).await;
        let (role, found) =
            AssumedRole::assume(role).await.map_err(|error| not_assumed(&error, account, settings))?;
        let provider = SharedCredentialsProvider::new(role);
        let config = config.into_builder().credentials_provider(provider).build();
        let place = match found {
            // The partition of a session is that of its role.
            Some(found) => prove(&found, role_arn, account, settings)?,
            None => identify(&config, account, settings).await?,
        };
        Ok((config, place))
    }

    /// Goes to a sandbox. Nothing of the user's configuration is read: whatever it says must not
    /// lead to a real account.
    fn configure_sandbox(&self, account: &Account, endpoint: &str) -> SdkConfig {
        // There, a number of an account is the access key of its administrator.
        let credentials = Credentials::new(&account.id, "sandbox", None, None, "sandbox");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http_client.clone())
            .region(Region::new(account.region.clone()))
            .timeout_config(timeouts())
            .retry_config(RetryConfig::standard().with_max_attempts(CONNECT_ATTEMPTS))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Takes the credentials of a profile, where the default chain would ask the environment first.
    fn profile(&self, name: &str, region: Region) -> ProfileFileCredentialsProvider {
        let config = ProviderConfig::without_region()
            .with_region(Some(region))
            .with_http_client(self.http_client.clone());
        ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build()
    }
}

impl Provider for Aws {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        AccountSettings::attributes()
    }

    fn partition(&self, region: &str) -> &'static str {
        partition::of_region(region)
    }

    fn is_regional(&self, service: &str) -> bool {
        !["iam", "organizations", "route53"].contains(&service)
    }

    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        Box::pin(async move {
            let settings = AccountSettings::from_values(&account.settings)
                .map_err(|mismatch| refused(mismatch.to_string()))?;
            settings.check()?;
            let (config, place) = self.prove(account, &settings).await?;
            let clusters = Clusters::new(&config, &place);
            let client = Client::new(&config, place, account.outside.clone());
            Ok(Connection::new(client).with_clusters(clusters))
        })
    }
}

impl AccountSettings {
    fn check(&self) -> Result<(), ProviderError> {
        for (name, value) in [("external_id", &self.external_id), ("session_name", &self.session_name)] {
            if value.is_some() && self.role_arn.is_none() {
                let message = format!("`{name}` belongs to a role; set `role_arn` too, or remove `{name}`");
                return Err(refused(message));
            }
        }
        Ok(())
    }

    /// Says what the user can do where credentials are missing or expired.
    fn credentials_hint(&self) -> String {
        let Some(profile) = &self.profile else {
            return "Set `profile` in the account's block, or AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY; if you use IAM Identity Center, sign in with `aws sso login`"
                .to_owned();
        };
        format!(
            "Check that the profile `{profile}` exists (`aws configure list-profiles`); if it uses IAM \
             Identity Center, sign in with `aws sso login --profile {profile}`"
        )
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()
}

async fn assume_role(
    role_arn: &str,
    account: &Account,
    settings: &AccountSettings,
    config: &SdkConfig,
) -> AssumeRoleProvider {
    let session_name = settings.session_name.clone().unwrap_or_else(|| session_name(&account.stack));
    let mut role = AssumeRoleProvider::builder(role_arn).configure(config).session_name(session_name);
    if let Some(external_id) = &settings.external_id {
        role = role.external_id(external_id);
    }
    role.build().await
}

/// Returns the stack's name in the alphabet and length of session names (STS, `AssumeRole`).
fn session_name(stack: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    let stack = stack.chars().map(|character| if allowed(character) { character } else { '-' });
    "straddle-".chars().chain(stack).take(64).collect()
}

/// Asks whose credentials these are, and compares the answer with what the spec says. This is
/// the first call that is made with them.
async fn identify(
    config: &SdkConfig,
    account: &Account,
    settings: &AccountSettings,
) -> Result<Place, ProviderError> {
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let identity = answer.map_err(|error| not_identified(error, account, settings))?;
    prove(identity.account().unwrap_or_default(), identity.arn().unwrap_or_default(), account, settings)
}

/// Compares the account that credentials belong to, and the partition in the ARN of who has them, with
/// what the spec says.
fn prove(
    found: &str,
    arn: &str,
    account: &Account,
    settings: &AccountSettings,
) -> Result<Place, ProviderError> {
    if found != account.id {
        return Err(wrong_account(found, arn, account, settings));
    }
    let place = Place::of(account.home());
    let partition = arn.split(':').nth(1).filter(|partition| !partition.is_empty());
    let partition = partition.ok_or_else(|| refused(format!("the caller's ARN `{arn}` is no ARN")))?;
    if partition != place.partition {
        return Err(wrong_partition(partition, &place.partition, account));
    }
    Ok(place)
}

fn wrong_partition(found: &str, partition: &str, account: &Account) -> ProviderError {
    let Account { name, region, .. } = account;
    refused(format!(
        "account `{name}` is in the partition `{found}`, and its region `{region}` in `{partition}`; correct \
         `region`, or use the credentials of an account there"
    ))
}

fn wrong_account(found: &str, arn: &str, account: &Account, settings: &AccountSettings) -> ProviderError {
    let remedy = match (&settings.role_arn, &settings.profile) {
        (Some(role_arn), _) => format!("`role_arn` is `{role_arn}`: correct it or `id`"),
        (None, Some(profile)) => {
            format!("the credentials are those of the profile `{profile}`: correct it or `id`")
        }
        (None, None) => "the credentials come from the environment or the default profile: set `profile` or \
                         `role_arn` in the account's block, or correct `id`"
            .to_owned(),
    };
    let Account { name, id, .. } = account;
    refused(format!("account `{name}` must be {id}, but its credentials belong to {found} ({arn}); {remedy}"))
}

/// Says what is wrong with credentials that could not be loaded or used, and what to do.
fn not_identified(
    error: SdkError<GetCallerIdentityError>,
    account: &Account,
    settings: &AccountSettings,
) -> ProviderError {
    let name = &account.name;
    if let Some(unreachable) = unreachable(&error, account) {
        return unreachable;
    }
    if let Some(cause) = find_cause::<CredentialsError>(&error) {
        return refused(no_credentials(cause, account, settings));
    }
    let mut failure = failed(IDENTIFY)(error);
    if matches!(failure.class, ErrorClass::Expired | ErrorClass::AccessDenied) {
        let hint = settings.credentials_hint();
        failure.message =
            format!("the credentials of account `{name}` are refused: {}. {hint}", failure.message);
    }
    failure
}

/// Says why a role could not be assumed, and what to do.
fn not_assumed(error: &CredentialsError, account: &Account, settings: &AccountSettings) -> ProviderError {
    unreachable(error, account).unwrap_or_else(|| refused(no_credentials(error, account, settings)))
}

/// Says that nothing was sent, if that is so. The engine would go on trying; before the first answer that
/// is no use.
fn unreachable(error: &(dyn Error + 'static), account: &Account) -> Option<ProviderError> {
    let (Account { name, region, .. }, causes) = (account, causes(error));
    never_connected(error).then(|| {
        refused(format!(
            "AWS cannot be reached for account `{name}`: {causes}. Check the network, the region `{region}` \
             and AWS_ENDPOINT_URL"
        ))
    })
}

fn no_credentials(error: &CredentialsError, account: &Account, settings: &AccountSettings) -> String {
    let (name, causes, hint) = (&account.name, causes(error), settings.credentials_hint());
    match (&settings.role_arn, &settings.profile) {
        (_, None) if not_set(error) => format!(
            "account `{name}` has no credentials: there are none in the environment, the default profile and \
             on this machine. {hint}"
        ),
        (Some(role_arn), _) if !not_set(error) => format!(
            "account `{name}` cannot take the role {role_arn}: {causes}. Check that the role exists and that \
             its trust policy allows the caller (with `external_id`, if it asks for one). {hint}"
        ),
        _ => format!("account `{name}` has no credentials: {causes}. {hint}"),
    }
}

/// Tells whether no source of credentials is set up, and not that one of them failed.
fn not_set(error: &CredentialsError) -> bool {
    chain(error)
        .filter_map(<dyn Error>::downcast_ref)
        .any(|error| matches!(error, CredentialsError::CredentialsNotLoaded(_)))
}

fn refused(message: impl Into<String>) -> ProviderError {
    ProviderError::new(ErrorClass::Rejected, IDENTIFY, message)
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::AccountName;
    use straddle_engine::outside::Outside;
    use straddle_engine::value::ValueMap;

    use super::*;

    fn account() -> Account {
        Account {
            name: AccountName::new("network"),
            id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            settings: ValueMap::new(),
            stack: "demo".to_owned(),
            sandbox: None,
            outside: Outside::Direct,
        }
    }

    #[test]
    fn the_right_account_gives_the_place_of_its_things() {
        let account = Account { region: "cn-north-1".to_owned(), ..account() };
        let arn = "arn:aws-cn:iam::111122223333:user/x";
        let place = prove("111122223333", arn, &account, &AccountSettings::default());
        let place = place.expect("the ids are equal");
        assert_eq!(place.ec2_arn(None, "vpc", "vpc-1"), "arn:aws-cn:ec2:cn-north-1:111122223333:vpc/vpc-1");
    }

    #[test]
    fn a_region_of_another_partition_is_refused_with_both() {
        let arn = "arn:aws-cn:iam::111122223333:user/x";
        let error = prove("111122223333", arn, &account(), &AccountSettings::default());
        let error = error.expect_err("they differ");
        for part in ["`aws-cn`", "`us-east-1`", "`aws`"] {
            assert!(error.message.contains(part), "{part} is missing in: {}", error.message);
        }
    }

    #[test]
    fn another_account_is_refused_with_both_ids() {
        let arn = "arn:aws:iam::444455556666:user/x";
        let settings = AccountSettings { profile: Some("admin".to_owned()), ..AccountSettings::default() };
        let error = prove("444455556666", arn, &account(), &settings).expect_err("the ids differ");
        assert_eq!(error.class, ErrorClass::Rejected);
        for part in ["111122223333", "444455556666", "arn:aws:iam::444455556666:user/x", "profile `admin`"] {
            assert!(error.message.contains(part), "{part} is missing in: {}", error.message);
        }
    }

    #[test]
    fn missing_credentials_come_with_what_to_do() {
        let missing = CredentialsError::not_loaded("no profile `admin`");
        let text = no_credentials(&missing, &account(), &AccountSettings::default());
        assert!(text.contains("AWS_PROFILE"), "{text}");
        let settings = AccountSettings { profile: Some("admin".to_owned()), ..AccountSettings::default() };
        let text = no_credentials(&missing, &account(), &settings);
        assert!(text.contains("no profile `admin`") && text.contains("--profile admin"), "{text}");
        let refused = CredentialsError::provider_error("not authorized");
        let role = AccountSettings { role_arn: Some("arn:r".to_owned()), ..AccountSettings::default() };
        let text = no_credentials(&refused, &account(), &role);
        assert!(text.contains("arn:r: ") && text.contains("not authorized. Check"), "{text}");
    }

    #[test]
    fn session_names_keep_to_their_alphabet_and_length() {
        assert_eq!(session_name("my stack/1"), "straddle-my-stack-1");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn a_role_s_settings_need_a_role() {
        let settings = AccountSettings { external_id: Some("x".to_owned()), ..AccountSettings::default() };
        settings.check().expect_err("there is no role");
    }
}
