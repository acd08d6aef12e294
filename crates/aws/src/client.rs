//! What the kinds are given to work with: the clients of one account in one region.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use straddle_engine::outside::Outside;
use straddle_engine::resource::Home;

use crate::partition;

use crate::eks;

/// How often the SDK sends a read before it gives up, with its own pauses in between.
const READ_ATTEMPTS: u32 = 5;

/// One account in one region, with a client for each service.
pub(crate) struct Client {
    /// Calls EC2.
    pub(crate) ec2: Calls<aws_sdk_ec2::Client>,
    /// Calls EKS.
    pub(crate) eks: Calls<aws_sdk_eks::Client>,
    /// What this run remembers of EKS.
    pub(crate) eks_memory: eks::Memory,
    /// Calls Elastic Load Balancing, for the load balancers of its second version.
    pub(crate) elb: Calls<aws_sdk_elasticloadbalancingv2::Client>,
    /// Calls IAM. The service is global, as Organizations is.
    pub(crate) iam: Calls<aws_sdk_iam::Client>,
    /// Calls Organizations. The service is global: the SDK finds its one endpoint in the partition,
    /// whatever the account's region is.
    pub(crate) organizations: Calls<aws_sdk_organizations::Client>,
    /// Reads the service's limits. Nothing is ever asked to be raised.
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    /// Calls RAM.
    pub(crate) ram: Calls<aws_sdk_ram::Client>,
    /// Asks STS who the caller is.
    pub(crate) sts: aws_sdk_sts::Client,
    /// Finds things of every service by their tags.
    pub(crate) tagging: aws_sdk_resourcegroupstagging::Client,
    /// The policies of roles that are the stack's, by the ids of their attachments.
    pub(crate) own_policies: OwnIds,
    /// The rules of security groups that are the stack's.
    pub(crate) own_rules: OwnIds,
    /// Where the things are.
    pub(crate) place: Place,
    /// How hosts are reached that are no endpoint of AWS.
    pub(crate) outside: Outside,
}

impl Client {
    /// Makes the clients from the account's configuration. Nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig, place: Place, outside: Outside) -> Self {
        Self {
            ec2: Calls::new(config, aws_sdk_ec2::Client::new),
            eks: Calls::new(config, aws_sdk_eks::Client::new),
            eks_memory: eks::Memory::default(),
            elb: Calls::new(config, aws_sdk_elasticloadbalancingv2::Client::new),
            iam: Calls::new(config, aws_sdk_iam::Client::new),
            organizations: Calls::new(config, aws_sdk_organizations::Client::new),
            quotas: Calls::new(config, aws_sdk_servicequotas::Client::new).reads,
            ram: Calls::new(config, aws_sdk_ram::Client::new),
            sts: Calls::new(config, aws_sdk_sts::Client::new).reads,
            tagging: Calls::new(config, aws_sdk_resourcegroupstagging::Client::new).reads,
            own_policies: OwnIds::default(),
            own_rules: OwnIds::default(),
            place,
            outside,
        }
    }
}

/// The ids that the engine has asked about in this run. It asks about what its state has and about
/// nothing else, so these are the stack's, whatever their tags say.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnIds(Arc<Mutex<BTreeSet<String>>>);

impl OwnIds {
    /// Takes note of ids that were asked about.
    pub(crate) fn add<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend(ids.into_iter().map(str::to_owned));
    }

    /// Tells whether this id was asked about.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

/// The client of a service, twice: for calls that may be sent again, and for those that may not.
pub(crate) struct Calls<C> {
    /// Makes reads, which the SDK sends again when they fail.
    pub(crate) reads: C,
    /// Makes changes. The SDK sends each of them once: it cannot know whether a lost answer
    /// means that nothing was done, and a second `CreateVpc` makes a second VPC.
    pub(crate) writes: C,
}

impl<C> Calls<C> {
    /// Makes both from the account's configuration. Nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig, client: impl Fn(&SdkConfig) -> C) -> Self {
        let with_attempts = |attempts| {
            let retry = RetryConfig::standard().with_max_attempts(attempts);
            client(&config.to_builder().retry_config(retry).build())
        };
        Self { reads: with_attempts(READ_ATTEMPTS), writes: with_attempts(1) }
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
    /// Returns the place of the things of an account that nobody has connected to yet.
    pub(crate) fn of(home: Home<'_>) -> Self {
        Self {
            partition: partition::of_region(home.region).to_owned(),
            region: home.region.to_owned(),
            account: home.account_id.to_owned(),
        }
    }

    /// Returns the ARN of something of IAM in this account, such as `role/path/name`.
    pub(crate) fn iam_arn(&self, thing: &str) -> String {
        format!("arn:{}:iam::{}:{thing}", self.partition, self.account)
    }

    /// Returns the ARN of something that belongs to `owner`, or to this account if nobody is named.
    pub(crate) fn ec2_arn(&self, owner: Option<&str>, resource_type: &str, id: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:ec2:{region}:{}:{resource_type}/{id}", owner.unwrap_or(account))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_organizations::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    #[tokio::test]
    async fn the_organization_is_found_from_every_region() {
        let endpoint = async |region: &str| {
            let place = Params::builder().region(region).build().expect("the region is enough");
            let endpoint = DefaultResolver::new().resolve_endpoint(&place).await;
            endpoint.expect("the region is known").url().to_owned()
        };
        let global = "https://organizations.us-east-1.amazonaws.com";
        assert_eq!([endpoint("us-east-1").await, endpoint("eu-central-1").await], [global, global]);
    }
}
