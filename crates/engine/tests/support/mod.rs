//! Kinds and a provider for tests of the spec: attributes like those of EC2, and no service behind them.

mod bundle;

use std::collections::BTreeSet;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{Account, BoxFuture, Connection, Provider, ProviderError};
use straddle_engine::registry::Registry;
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{AttributeSchema, AttributeType, Attributes, Expansion, ExpansionShape, Tags};
use straddle_engine::sharing::{Accepter, Cover, Shareable, Sharing};
use straddle_engine::value::{Value, ValueMap};

use bundle::GroupList;

/// Returns a registry with the kinds of a network.
pub(crate) fn registry() -> Registry {
    Registry::new(NoService)
        .with::<Vpc>()
        .with::<Subnet>()
        .with::<InternetGateway>()
        .with::<Eip>()
        .with::<NatGateway>()
        .with::<RouteTable>()
        .with::<Route>()
        .with::<RouteTableAssociation>()
        .with::<Group>()
        .with::<Rule>()
        .with::<Share>()
        .with::<ShareAccepter>()
        .with::<ShareSwitch>()
        .with::<SecurityGroup>()
        .with::<SecurityGroupRule>()
        .with_bundle::<GroupList>()
        .with_sharing(SHARING)
}

/// Subnets are shared, and whoever sees a subnet sees its network.
const SHARING: Sharing = Sharing {
    share: "share",
    resources: "resources",
    principals: "principals",
    shareable: &[
        Shareable { kind: "subnet", cover: Cover::Itself { attribute: "arn" } },
        Shareable { kind: "vpc", cover: Cover::Part { kind: "subnet", attribute: "vpc_id" } },
    ],
    precondition: Some("share_switch"),
    accepter: Some(Accepter { kind: "share_accepter", attribute: "share" }),
    advice: "Look at the share.",
};

/// Has the settings of accounts and connects to none.
struct NoService;

impl Provider for NoService {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        vec![
            AttributeSchema::new("profile", "A profile.", AttributeType::String),
            AttributeSchema::new("role_arn", "A role.", AttributeType::String),
        ]
    }

    fn connect<'a>(&'a self, _account: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        unreachable!("loading a spec connects to nothing")
    }
}

/// A listing that is never fetched.
pub(crate) struct NoListing;

impl Listing for NoListing {
    type Client = ();

    async fn fetch(_client: &(), _ids: &[RemoteId]) -> Result<Self, ProviderError> {
        unreachable!("loading a spec reads nothing")
    }
}

/// A step that is never made.
#[derive(Debug, PartialEq)]
pub(crate) enum NoStep {}

impl Step for NoStep {
    fn operation(&self) -> &'static str {
        match *self {}
    }
}

macro_rules! kind {
    ($name:ident, $kind:literal, $inputs:ty, $outputs:ty $(, $method:item)*) => {
        pub(crate) struct $name;

        impl Resource for $name {
            const KIND: &'static str = $kind;
            const ID_FORM: &'static str = concat!($kind, "-*");
            const TRAITS: Traits = Traits {
                service: "ec2",
                recovery: Recovery::TagSearch,
                replace_order: ReplaceOrder::DeleteFirst,
                timeouts: Timeouts::minutes(5),
                poll: std::time::Duration::from_secs(1),
            };
            type Inputs = $inputs;
            type Outputs = $outputs;
            type Client = ();
            type Listing = NoListing;
            type Step = NoStep;

            $($method)*

            fn observe(_: &NoListing, _: &RemoteId) -> Option<Observed<$inputs, $outputs>> {
                unreachable!("loading a spec reads nothing")
            }

            async fn create(_: &(), _: &Intent, _: &$inputs) -> Result<RemoteId, ProviderError> {
                unreachable!("loading a spec makes nothing")
            }

            fn next_step(_: &Observed<$inputs, $outputs>, _: Option<&$inputs>) -> Option<NoStep> {
                unreachable!("loading a spec changes nothing")
            }

            async fn perform(_: &(), _: &RemoteId, _: &NoStep) -> Result<Option<RemoteId>, ProviderError> {
                unreachable!("loading a spec changes nothing")
            }

            async fn find(_: &(), _: &Intent, _: &$inputs) -> Result<Vec<RemoteId>, ProviderError> {
                unreachable!("loading a spec searches nothing")
            }
        }
    };
}

/// Nothing that only the service knows.
#[derive(Attributes)]
pub(crate) struct NoOutputs {}

/// What most kinds tell.
#[derive(Attributes)]
pub(crate) struct ArnOutputs {
    /// The ARN.
    pub(crate) arn: String,
}

/// A network.
#[derive(Attributes)]
pub(crate) struct VpcInputs {
    /// The range.
    #[attribute(replace, normalize = cidr)]
    pub(crate) cidr_block: String,
    /// DNS names.
    #[attribute(default = false)]
    pub(crate) enable_dns_hostnames: Option<bool>,
    /// Dedicated or not.
    #[attribute(one_of = ["default", "dedicated"])]
    pub(crate) instance_tenancy: Option<String>,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}

fn cidr(text: &str) -> Result<String, String> {
    let (address, length) = text.split_once('/').ok_or("an address range has a `/`")?;
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| "no IPv4 address")?;
    let length: u8 = length.parse().map_err(|_| "the part after `/` is no number")?;
    Ok(format!("{address}/{length}"))
}

kind!(
    Vpc,
    "vpc",
    VpcInputs,
    ArnOutputs,
    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let too_large = |text: &str| text.ends_with("/8");
        let found = inputs.get("cidr_block").and_then(|value| value.as_str()).is_some_and(too_large);
        let problem = || Problem {
            attribute: "cidr_block",
            message: "A network has at most 65,536 addresses.".to_owned(),
            hint: Some("Write a length of 16 to 28.".to_owned()),
        };
        found.then(problem).into_iter().collect()
    },
    fn advice(inputs: &ValueMap) -> Vec<Problem> {
        let is_dedicated = inputs.get("instance_tenancy").and_then(Value::as_str) == Some("dedicated");
        let problem = || Problem {
            attribute: "instance_tenancy",
            message: "Dedicated machines cost more.".to_owned(),
            hint: Some("Take it out unless the licence of something asks for it.".to_owned()),
        };
        is_dedicated.then(problem).into_iter().collect()
    }
);

/// A part of a network.
#[derive(Attributes)]
pub(crate) struct SubnetInputs {
    /// The network.
    #[attribute(replace, refers_to = "vpc")]
    pub(crate) vpc_id: String,
    /// The range.
    #[attribute(replace, normalize = cidr)]
    pub(crate) cidr_block: String,
    /// The zone.
    #[attribute(replace)]
    pub(crate) availability_zone_id: Option<String>,
    /// Public addresses.
    #[attribute(default = false)]
    pub(crate) map_public_ip_on_launch: Option<bool>,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(Subnet, "subnet", SubnetInputs, ArnOutputs);

/// A way out.
#[derive(Attributes)]
pub(crate) struct InternetGatewayInputs {
    /// The network.
    #[attribute(refers_to = "vpc")]
    pub(crate) vpc_id: Option<String>,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(InternetGateway, "internet_gateway", InternetGatewayInputs, ArnOutputs);

/// An address.
#[derive(Attributes)]
pub(crate) struct EipInputs {
    /// The tags.
    pub(crate) tags: Option<Tags>,
}

/// What only the service knows of an address.
#[derive(Attributes)]
pub(crate) struct EipOutputs {
    /// The address.
    pub(crate) public_ip: String,
}
kind!(Eip, "eip", EipInputs, EipOutputs);

/// A way out for private subnets.
#[derive(Attributes)]
pub(crate) struct NatGatewayInputs {
    /// The subnet.
    #[attribute(replace, refers_to = "subnet")]
    pub(crate) subnet_id: String,
    /// The address.
    #[attribute(replace, refers_to = "eip")]
    pub(crate) allocation_id: Option<String>,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(NatGateway, "nat_gateway", NatGatewayInputs, NoOutputs);

/// Where packets go.
#[derive(Attributes)]
pub(crate) struct RouteTableInputs {
    /// The network.
    #[attribute(replace, refers_to = "vpc")]
    pub(crate) vpc_id: String,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(
    RouteTable,
    "route_table",
    RouteTableInputs,
    NoOutputs,
    fn expansions() -> Vec<Expansion> {
        vec![
            Expansion {
                attribute: "routes",
                documentation: "The routes.",
                child_kind: "route",
                role: "route",
                parent_attribute: "route_table_id",
                shape: ExpansionShape::Entries { key: "destination_cidr_block", value: "target" },
            },
            Expansion {
                attribute: "subnets",
                documentation: "The subnets.",
                child_kind: "route_table_association",
                role: "association",
                parent_attribute: "route_table_id",
                shape: ExpansionShape::Items { value: "subnet_id" },
            },
        ]
    }
);

/// One route.
#[derive(Attributes)]
pub(crate) struct RouteInputs {
    /// The table.
    #[attribute(replace, refers_to = "route_table")]
    pub(crate) route_table_id: String,
    /// The range.
    #[attribute(replace, normalize = cidr)]
    pub(crate) destination_cidr_block: String,
    /// Where to.
    #[attribute(refers_to = ["internet_gateway", "nat_gateway"])]
    pub(crate) target: String,
}
kind!(Route, "route", RouteInputs, NoOutputs);

/// One subnet of a table.
#[derive(Attributes)]
pub(crate) struct RouteTableAssociationInputs {
    /// The table.
    #[attribute(refers_to = "route_table")]
    pub(crate) route_table_id: String,
    /// The subnet.
    #[attribute(replace, refers_to = "subnet")]
    pub(crate) subnet_id: String,
}
kind!(RouteTableAssociation, "route_table_association", RouteTableAssociationInputs, NoOutputs);

/// A group whose members may name other groups.
#[derive(Attributes)]
pub(crate) struct GroupInputs {
    /// Anything.
    pub(crate) note: Option<String>,
    /// Ports.
    pub(crate) ports: Option<BTreeSet<i64>>,
    /// How many there are.
    pub(crate) scaling: Option<Scaling>,
}

/// How many there are.
#[derive(Attributes)]
pub(crate) struct Scaling {
    /// At least.
    pub(crate) min: i64,
    /// At most.
    pub(crate) max: Option<i64>,
}
kind!(
    Group,
    "group",
    GroupInputs,
    ArnOutputs,
    fn expansions() -> Vec<Expansion> {
        vec![Expansion {
            attribute: "peers",
            documentation: "The groups it lets in.",
            child_kind: "rule",
            role: "peer",
            parent_attribute: "group_id",
            shape: ExpansionShape::Items { value: "peer_id" },
        }]
    }
);

/// One group that is let in.
#[derive(Attributes)]
pub(crate) struct RuleInputs {
    /// The group.
    #[attribute(refers_to = "group")]
    pub(crate) group_id: String,
    /// The other group.
    #[attribute(refers_to = "group", owner = "peer_account")]
    pub(crate) peer_id: String,
    /// The other group's account.
    pub(crate) peer_account: Option<String>,
}
kind!(Rule, "rule", RuleInputs, NoOutputs);

/// What other accounts may use.
#[derive(Attributes)]
pub(crate) struct ShareInputs {
    /// The subnets.
    pub(crate) resources: BTreeSet<String>,
    /// The accounts.
    pub(crate) principals: BTreeSet<String>,
}
kind!(Share, "share", ShareInputs, ArnOutputs);

/// Takes a share.
#[derive(Attributes)]
pub(crate) struct ShareAccepterInputs {
    /// The share.
    #[attribute(refers_to = "share")]
    pub(crate) share: String,
}
kind!(ShareAccepter, "share_accepter", ShareAccepterInputs, NoOutputs);

/// Lets accounts share at all.
#[derive(Attributes)]
pub(crate) struct ShareSwitchInputs {}
kind!(ShareSwitch, "share_switch", ShareSwitchInputs, NoOutputs);
/// Who may talk to whom.
#[derive(Attributes)]
pub(crate) struct SecurityGroupInputs {
    /// The network.
    #[attribute(replace, refers_to = "vpc")]
    pub(crate) vpc_id: String,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(
    SecurityGroup,
    "security_group",
    SecurityGroupInputs,
    NoOutputs,
    fn expansions() -> Vec<Expansion> {
        let rules = |attribute, constants| Expansion {
            attribute,
            documentation: "The rules.",
            child_kind: "security_group_rule",
            role: attribute,
            parent_attribute: "security_group_id",
            shape: ExpansionShape::Tables { name: "description", constants },
        };
        vec![rules("ingress", &[("direction", "ingress")]), rules("egress", &[("direction", "egress")])]
    }
);

/// One thing that a group allows.
#[derive(Attributes)]
pub(crate) struct SecurityGroupRuleInputs {
    /// The group.
    #[attribute(replace, refers_to = "security_group")]
    pub(crate) security_group_id: String,
    /// Which way.
    #[attribute(one_of = ["ingress", "egress"])]
    pub(crate) direction: String,
    /// Which protocol.
    pub(crate) protocol: String,
    /// Which ports.
    pub(crate) ports: Option<String>,
    /// Which addresses.
    #[attribute(normalize = cidr)]
    pub(crate) cidr: Option<String>,
    /// Which group.
    #[attribute(refers_to = "security_group")]
    pub(crate) source: Option<String>,
    /// What for.
    pub(crate) description: Option<String>,
    /// The tags.
    pub(crate) tags: Option<Tags>,
}
kind!(SecurityGroupRule, "security_group_rule", SecurityGroupRuleInputs, ArnOutputs);
