//! `route`: one entry of a route table.

use std::time::Duration;

use aws_sdk_ec2::types::{self, RouteState};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::check::problem;
use super::named::TABLE;
use super::route_table::RouteTables;
use super::{SERVICE, cidr, filters};
use crate::client::Client;
use crate::error::failed;

/// The kind. Its ids are the table's and the destination: `rtb-1_0.0.0.0/0`.
pub(crate) struct Route;

/// One entry of a route table.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteInputs {
    /// The table.
    #[attribute(replace, refers_to = "route_table")]
    route_table_id: String,
    /// Which traffic: a range of IPv4 or IPv6 addresses, or a prefix list such as `pl-0123`.
    #[attribute(replace, normalize = normalize_destination)]
    destination: String,
    /// Where it goes: the id of an internet or NAT gateway, of an egress-only, transit, carrier,
    /// local or virtual private gateway, of a peering connection, endpoint or network interface,
    /// or the ARN of a core network.
    #[attribute(refers_to = ["internet_gateway", "nat_gateway"])]
    target: String,
}

/// What EC2 says about a route.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteOutputs {
    /// `active`, or `blackhole` if the target is gone.
    #[attribute(volatile)]
    state: Option<String>,
}

/// What stands for the target of a route whose target is gone, so that it shows as drift.
const BLACKHOLE: &str = "blackhole";

/// The parameter that takes the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TargetParameter {
    Gateway,
    NatGateway,
    EgressOnlyInternetGateway,
    TransitGateway,
    CarrierGateway,
    LocalGateway,
    VpcPeeringConnection,
    VpcEndpoint,
    NetworkInterface,
    CoreNetwork,
}

/// How ids of targets begin. Instances are missing: AWS reads them back as their interface.
const TARGETS: [(&str, TargetParameter); 11] = [
    ("igw-", TargetParameter::Gateway),
    ("vgw-", TargetParameter::Gateway),
    ("nat-", TargetParameter::NatGateway),
    ("eigw-", TargetParameter::EgressOnlyInternetGateway),
    ("tgw-", TargetParameter::TransitGateway),
    ("cagw-", TargetParameter::CarrierGateway),
    ("lgw-", TargetParameter::LocalGateway),
    ("pcx-", TargetParameter::VpcPeeringConnection),
    ("vpce-", TargetParameter::VpcEndpoint),
    ("eni-", TargetParameter::NetworkInterface),
    ("arn:", TargetParameter::CoreNetwork),
];

/// A change of a route.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RouteStep {
    Replace { target: String },
    Delete,
}

impl Step for RouteStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Replace { .. } => "ReplaceRoute",
            Self::Delete => "DeleteRoute",
        }
    }
}

/// Puts the table and the destination into a call. The calls have these parameters in common,
/// but no type.
macro_rules! with_destination {
    ($call:expr, $table_id:expr, $destination:expr) => {{
        let (call, destination) = ($call.route_table_id($table_id), $destination);
        if destination.starts_with("pl-") {
            call.destination_prefix_list_id(destination)
        } else if destination.contains(':') {
            call.destination_ipv6_cidr_block(destination)
        } else {
            call.destination_cidr_block(destination)
        }
    }};
}

/// Puts the target into a call.
macro_rules! with_target {
    ($call:expr, $target:expr) => {{
        let (call, target) = ($call, $target);
        match target_parameter(target) {
            // What is no target at all, EC2 refuses with a better message than ours.
            Some(TargetParameter::Gateway) | None => call.gateway_id(target),
            Some(TargetParameter::NatGateway) => call.nat_gateway_id(target),
            Some(TargetParameter::EgressOnlyInternetGateway) => call.egress_only_internet_gateway_id(target),
            Some(TargetParameter::TransitGateway) => call.transit_gateway_id(target),
            Some(TargetParameter::CarrierGateway) => call.carrier_gateway_id(target),
            Some(TargetParameter::LocalGateway) => call.local_gateway_id(target),
            Some(TargetParameter::VpcPeeringConnection) => call.vpc_peering_connection_id(target),
            Some(TargetParameter::VpcEndpoint) => call.vpc_endpoint_id(target),
            Some(TargetParameter::NetworkInterface) => call.network_interface_id(target),
            Some(TargetParameter::CoreNetwork) => call.core_network_arn(target),
        }
    }};
}

impl Resource for Route {
    const KIND: &'static str = "route";
    const ID_FORM: &'static str = "rtb-*_*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        arrows: &[Arrow::new(Relation::Way, End::Named("route_table_id"), End::Named("target"))],
        within: &["route_table_id"],
        ..Depiction::PART
    };
    const EXAMPLE: &'static str = include_str!("route/example.toml");
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeRouteTables"]),
        Need::create(&["ec2:CreateRoute"]).on(&[TABLE]),
        Need::update(&["ec2:ReplaceRoute"]).on(&[TABLE]).changing(&["target"]),
        Need::delete(&["ec2:DeleteRoute"]).on(&[TABLE]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["route_table_id", "destination"];
    const IDENTITY: &'static [&'static str] = &["route_table_id", "destination"];

    type Inputs = RouteInputs;
    type Outputs = RouteOutputs;
    type Client = Client;
    type Listing = RouteTables;
    type Step = RouteStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let target = inputs.get("target").and_then(Value::as_str);
        let unknown = target.filter(|target| target_parameter(target).is_none());
        let unknown = unknown.map(|target| {
            let prefixes: Vec<_> = TARGETS.iter().map(|(prefix, _)| format!("`{prefix}`")).collect();
            problem(
                "target",
                format!("`{target}` is nothing that traffic can be sent to."),
                format!("Write an id that begins with one of {}.", prefixes.join(", ")),
            )
        });
        unknown.into_iter().collect()
    }

    fn observe(listing: &RouteTables, id: &RemoteId) -> Option<Observed<RouteInputs, RouteOutputs>> {
        let (table_id, destination) = split(id);
        let route = route_to(listing.table(table_id)?, destination)?;
        let state = route.state().map(RouteState::as_str);
        let target = if state == Some(BLACKHOLE) { BLACKHOLE } else { target(route).unwrap_or_default() };
        Some(Observed {
            inputs: RouteInputs {
                route_table_id: table_id.to_owned(),
                destination: destination.to_owned(),
                target: target.to_owned(),
            },
            outputs: RouteOutputs { state: state.map(str::to_owned) },
            readiness: Readiness::Ready,
        })
    }

    async fn create(client: &Client, _: &Intent, inputs: &RouteInputs) -> Result<RemoteId, ProviderError> {
        let RouteInputs { route_table_id, destination, target } = inputs;
        let call = with_destination!(client.ec2.writes.create_route(), route_table_id, destination);
        with_target!(call, target).send().await.map_err(failed("CreateRoute"))?;
        Ok(join(route_table_id, destination))
    }

    fn next_step(
        observed: &Observed<RouteInputs, RouteOutputs>,
        desired: Option<&RouteInputs>,
    ) -> Option<RouteStep> {
        let Some(desired) = desired else { return Some(RouteStep::Delete) };
        let target = desired.target.clone();
        (observed.inputs.target != target).then_some(RouteStep::Replace { target })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RouteStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (table_id, destination) = split(id);
        let operation = step.operation();
        match step {
            RouteStep::Replace { target } => {
                let call = with_destination!(client.ec2.writes.replace_route(), table_id, destination);
                with_target!(call, target).send().await.map_err(failed(operation))?;
            }
            RouteStep::Delete => {
                let call = with_destination!(client.ec2.writes.delete_route(), table_id, destination);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// Only a route to the wanted target is ours; one to another was made by somebody else.
    async fn find(client: &Client, _: &Intent, inputs: &RouteInputs) -> Result<Vec<RemoteId>, ProviderError> {
        let of_table = filters::equals("route-table-id", &inputs.route_table_id);
        let call = client.ec2.reads.describe_route_tables().filters(of_table);
        let answer = call.send().await.map_err(failed("DescribeRouteTables"))?;
        Ok(matching(answer.route_tables(), inputs))
    }
}

fn matching(tables: &[types::RouteTable], inputs: &RouteInputs) -> Vec<RemoteId> {
    let routes = tables.iter().filter_map(|table| route_to(table, &inputs.destination));
    let ours = routes.filter(|route| target(route) == Some(inputs.target.as_str()));
    ours.map(|_| join(&inputs.route_table_id, &inputs.destination)).collect()
}

/// Puts a destination into the form in which EC2 returns it.
fn normalize_destination(text: &str) -> Result<String, String> {
    if text.starts_with("pl-") {
        return Ok(text.to_owned());
    }
    let range = if text.contains(':') { cidr::normalize_ipv6(text) } else { cidr::normalize_ipv4(text) };
    range.map_err(|_| {
        format!("`{text}` is no range such as 0.0.0.0/0 or ::/0, and no prefix list such as pl-0123")
    })
}

fn target_parameter(target: &str) -> Option<TargetParameter> {
    let matching = TARGETS.iter().find(|(prefix, _)| target.starts_with(prefix));
    matching.map(|(_, parameter)| *parameter)
}

fn route_to<'a>(table: &'a types::RouteTable, destination: &str) -> Option<&'a types::Route> {
    table.routes().iter().find(|route| {
        let destinations = [
            route.destination_cidr_block(),
            route.destination_ipv6_cidr_block(),
            route.destination_prefix_list_id(),
        ];
        destinations.contains(&Some(destination))
    })
}

/// Returns where a route goes. EC2 names an endpoint as a gateway; the interface comes last, since
/// it may be part of something else that is named too.
fn target(route: &types::Route) -> Option<&str> {
    let targets = [
        route.gateway_id(),
        route.nat_gateway_id(),
        route.egress_only_internet_gateway_id(),
        route.transit_gateway_id(),
        route.carrier_gateway_id(),
        route.local_gateway_id(),
        route.vpc_peering_connection_id(),
        route.core_network_arn(),
        route.network_interface_id(),
    ];
    targets.into_iter().flatten().find(|target| !target.is_empty())
}

fn join(table_id: &str, destination: &str) -> RemoteId {
    RemoteId::new(format!("{table_id}_{destination}"))
}

fn split(id: &RemoteId) -> (&str, &str) {
    id.as_str().split_once('_').unwrap_or((id.as_str(), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::found;

    fn table(route: types::builders::RouteBuilder) -> types::RouteTable {
        types::RouteTable::builder().route_table_id("rtb-1").routes(route.build()).build()
    }

    fn to_internet() -> types::builders::RouteBuilder {
        types::Route::builder().destination_cidr_block("0.0.0.0/0").state(RouteState::Active)
    }

    fn observe(
        route: types::builders::RouteBuilder,
        id: &str,
    ) -> Option<Observed<RouteInputs, RouteOutputs>> {
        Route::observe(&found(table(route)), &RemoteId::new(id))
    }

    fn inputs(target: &str) -> RouteInputs {
        RouteInputs {
            route_table_id: "rtb-1".to_owned(),
            destination: "0.0.0.0/0".to_owned(),
            target: target.to_owned(),
        }
    }

    #[test]
    fn another_target_is_one_step() {
        let observed = observe(to_internet().gateway_id("igw-1"), "rtb-1_0.0.0.0/0").expect("it is listed");
        assert_eq!(observed.inputs, inputs("igw-1"));
        assert_eq!(Route::next_step(&observed, Some(&inputs("igw-1"))), None);
        let replace = RouteStep::Replace { target: "nat-1".to_owned() };
        assert_eq!(Route::next_step(&observed, Some(&inputs("nat-1"))), Some(replace));
        assert_eq!(Route::next_step(&observed, None), Some(RouteStep::Delete));
    }

    #[test]
    fn a_route_to_nowhere_is_drift() {
        let route = to_internet().nat_gateway_id("nat-1").state(RouteState::Blackhole);
        let observed = observe(route, "rtb-1_0.0.0.0/0").expect("it is listed");
        assert_eq!(observed.outputs.state.as_deref(), Some("blackhole"));
        let replace = RouteStep::Replace { target: "nat-1".to_owned() };
        assert_eq!(Route::next_step(&observed, Some(&inputs("nat-1"))), Some(replace));
        assert_eq!(Route::next_step(&observed, None), Some(RouteStep::Delete));
    }

    #[test]
    fn routes_are_found_by_every_sort_of_destination() {
        let ipv6 = types::Route::builder().destination_ipv6_cidr_block("::/0");
        let ipv6 = observe(ipv6.egress_only_internet_gateway_id("eigw-1"), "rtb-1_::/0");
        assert_eq!(ipv6.map(|route| route.inputs.target).as_deref(), Some("eigw-1"));
        let list = types::Route::builder().destination_prefix_list_id("pl-1").gateway_id("vpce-1");
        let list = observe(list, "rtb-1_pl-1");
        assert_eq!(list.map(|route| route.inputs.target).as_deref(), Some("vpce-1"));
        assert_eq!(observe(to_internet().gateway_id("igw-1"), "rtb-1_10.0.0.0/8"), None);
    }

    #[test]
    fn only_a_route_to_the_wanted_target_is_adopted() {
        let tables = [table(to_internet().gateway_id("igw-1"))];
        assert_eq!(matching(&tables, &inputs("igw-1")), [RemoteId::new("rtb-1_0.0.0.0/0")]);
        assert_eq!(matching(&tables, &inputs("nat-1")), []);
    }

    #[test]
    fn destinations_become_canonical() {
        assert_eq!(normalize_destination("10.1.2.3/8"), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(normalize_destination("::0/0"), Ok("::/0".to_owned()));
        assert_eq!(normalize_destination("pl-1"), Ok("pl-1".to_owned()));
        normalize_destination("internet").expect_err("that is no destination");
    }

    #[test]
    fn targets_are_known_by_their_prefix() {
        assert_eq!(target_parameter("nat-1"), Some(TargetParameter::NatGateway));
        assert_eq!(target_parameter("eigw-1"), Some(TargetParameter::EgressOnlyInternetGateway));
        let check = |target: &str| Route::check(&[("target".to_owned(), Value::from(target))].into()).len();
        assert_eq!(check("vgw-1"), 0);
        assert_eq!(check("subnet-1"), 1);
        assert_eq!(Route::check(&ValueMap::new()), []);
    }
}
