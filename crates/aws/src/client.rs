//! What the kinds are given to work with: the clients of one account in one region.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;

/// How often the SDK sends a read before it gives up, with its own pauses in between.
const READ_ATTEMPTS: u32 = 5;

/// One account in one region.
pub(crate) struct Client {
    /// Makes reads, which the SDK sends again when they fail.
    pub(crate) reads: aws_sdk_ec2::Client,
    /// Makes changes. The SDK sends each of them once: it cannot know whether a lost answer
    /// means that nothing was done, and a second `CreateVpc` makes a second VPC.
    pub(crate) writes: aws_sdk_ec2::Client,
    /// Where the things are.
    pub(crate) place: Place,
}

impl Client {
    /// Makes the clients from the account's configuration.
    pub(crate) fn new(config: &SdkConfig, place: Place) -> Self {
        let with_attempts = |attempts| {
            let retry = RetryConfig::standard().with_max_attempts(attempts);
            let config = aws_sdk_ec2::config::Builder::from(config).retry_config(retry).build();
            aws_sdk_ec2::Client::from_conf(config)
        };
        Self { reads: with_attempts(READ_ATTEMPTS), writes: with_attempts(1), place }
    }
}

/// Where things are: what their ARNs have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Such as `aws` or `aws-cn`.
    pub(crate) partition: String,
    /// Such as `us-east-1`.
    pub(crate) region: String,
    /// The account's twelve digits.
    pub(crate) account: String,
}

impl Place {
    /// Returns the ARN of something that belongs to `owner`, or to this account if nobody is named.
    pub(crate) fn ec2_arn(&self, owner: Option<&str>, resource_type: &str, id: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:ec2:{region}:{}:{resource_type}/{id}", owner.unwrap_or(account))
    }
}
