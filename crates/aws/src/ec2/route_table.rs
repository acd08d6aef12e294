//! `route_table`: where the traffic of subnets goes. Its routes and associations are resources of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{self, Filter, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Expansion, ExpansionShape, Tags};

use super::listing::Found;
use super::named::VPC;
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::client::Client;
use crate::error::{answered, failed};

/// The kind.
pub(crate) struct RouteTable;

/// Where the traffic of subnets goes.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteTableInputs {
    /// The VPC.
    #[attribute(replace, refers_to = "vpc")]
    vpc_id: String,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a route table.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteTableOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the table.
    owner_id: Option<String>,
}

/// How many tables a page has: the most that EC2 gives of this kind (API reference,
/// `DescribeRouteTables`).
const TABLES_PAGE_SIZE: i32 = 100;

/// Route tables with what is in them: one read for tables, routes and associations.
pub(crate) type RouteTables = Found<types::RouteTable>;

impl RouteTables {
    /// Returns the table with this id.
    pub(crate) fn table(&self, id: &str) -> Option<&types::RouteTable> {
        self.thing(id)
    }
}

impl Listing for RouteTables {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let filters = filters_for(ids);
        let call = client.ec2.reads.describe_route_tables().set_filters(filters);
        let pages = call.into_paginator().page_size(TABLES_PAGE_SIZE).items().send();
        let tables = pages.collect::<Result<_, _>>().await.map_err(failed("DescribeRouteTables"))?;
        Ok(Self::new(&client.place, tables))
    }
}

/// Asks for the tables of these ids. A lone association is asked for by its own id, and so found
/// in whichever table it is.
fn filters_for(ids: &[RemoteId]) -> Option<Vec<Filter>> {
    let associations: Option<BTreeSet<_>> = ids.iter().map(association_of).collect();
    if let Some(associations) = associations {
        let associations = associations.into_iter().collect();
        return filters::texts_or_everything("association.route-table-association-id", associations);
    }
    let tables: BTreeSet<_> = ids.iter().map(|id| table_of(id.as_str()).to_owned()).collect();
    filters::texts_or_everything("route-table-id", tables.into_iter().collect())
}

/// Returns EC2's own id out of an association's (`rtb-1/rtbassoc-2`).
fn association_of(id: &RemoteId) -> Option<String> {
    let (_, association) = id.as_str().split_once('/')?;
    association.starts_with("rtbassoc-").then(|| association.to_owned())
}

/// Returns the table's id out of its own, a route's (`rtb-1_0.0.0.0/0`) or an association's
/// (`rtb-1/rtbassoc-2`).
fn table_of(id: &str) -> &str {
    id.split(['_', '/']).next().unwrap_or(id)
}

/// A change of a route table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RouteTableStep {
    Tag(TagStep),
    Delete,
}

impl Step for RouteTableStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteRouteTable",
        }
    }
}

impl Resource for RouteTable {
    const KIND: &'static str = "route_table";
    const ID_FORM: &'static str = "rtb-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction { within: &["vpc_id"], ..Depiction::PART };
    const EXAMPLE: &'static str = include_str!("route_table/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:route-table/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeRouteTables"]),
        Need::create(&["ec2:CreateRouteTable"]).on(&["{arn}", VPC]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateRouteTable")]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteRouteTable"]).on(&["{arn}"]),
    ];

    type Inputs = RouteTableInputs;
    type Outputs = RouteTableOutputs;
    type Client = Client;
    type Listing = RouteTables;
    type Step = RouteTableStep;

    fn expansions() -> Vec<Expansion> {
        let routes = Expansion {
            attribute: "routes",
            documentation: "The routes: by destination, the id of what the traffic is sent to.",
            child_kind: "route",
            role: "route",
            parent_attribute: "route_table_id",
            shape: ExpansionShape::Entries { key: "destination", value: "target" },
        };
        let subnets = Expansion {
            attribute: "subnets",
            documentation: "The ids of the subnets whose traffic goes by this table.",
            child_kind: "route_table_association",
            role: "association",
            parent_attribute: "route_table_id",
            shape: ExpansionShape::Items { value: "subnet_id" },
        };
        vec![routes, subnets]
    }

    fn observe(
        listing: &RouteTables,
        id: &RemoteId,
    ) -> Option<Observed<RouteTableInputs, RouteTableOutputs>> {
        let table = listing.table(id.as_str())?;
        Some(Observed {
            inputs: RouteTableInputs {
                vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
                tags: Some(tags::observed(table.tags())),
            },
            outputs: RouteTableOutputs {
                arn: listing.place.ec2_arn(table.owner_id(), "route-table", id.as_str()),
                owner_id: table.owner_id().map(str::to_owned),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &RouteTableInputs,
    ) -> Result<RemoteId, ProviderError> {
        let tags = tags::at_birth(ResourceType::RouteTable, intent, inputs.tags.as_ref());
        let call = client.ec2.writes.create_route_table().client_token(&intent.token);
        let call = call.vpc_id(&inputs.vpc_id).tag_specifications(tags);
        let answer = call.send().await.map_err(failed("CreateRouteTable"))?;
        let id = answer.route_table().and_then(types::RouteTable::route_table_id);
        answered("CreateRouteTable", id).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<RouteTableInputs, RouteTableOutputs>,
        desired: Option<&RouteTableInputs>,
    ) -> Option<RouteTableStep> {
        let Some(desired) = desired else { return Some(RouteTableStep::Delete) };
        tags::next_step(observed.inputs.tags.as_ref(), desired.tags.as_ref()).map(RouteTableStep::Tag)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RouteTableStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        match step {
            RouteTableStep::Tag(step) => step.perform(client, id).await?,
            RouteTableStep::Delete => {
                let call = client.ec2.writes.delete_route_table().route_table_id(id.as_str());
                call.send().await.map_err(failed(step.operation()))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        _: &RouteTableInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_route_tables().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeRouteTables"))?;
        let ids = answer.route_tables().iter().filter_map(types::RouteTable::route_table_id);
        Ok(ids.map(RemoteId::new).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{found, tag, tags};

    fn observed() -> Observed<RouteTableInputs, RouteTableOutputs> {
        let table = types::RouteTable::builder()
            .route_table_id("rtb-1")
            .vpc_id("vpc-1")
            .owner_id("111122223333")
            .tags(tag("Name", "main"))
            .build();
        RouteTable::observe(&found(table), &RemoteId::new("rtb-1")).expect("it is listed")
    }

    #[test]
    fn every_id_names_its_table() {
        for id in ["rtb-1", "rtb-1_0.0.0.0/0", "rtb-1_pl-1", "rtb-1/rtbassoc-2"] {
            assert_eq!(table_of(id), "rtb-1");
        }
    }

    #[test]
    fn only_tags_change_in_place() {
        let mut desired = observed().inputs;
        assert_eq!(RouteTable::next_step(&observed(), Some(&desired)), None);
        desired.tags = Some(tags([("Name", "new")]));
        let step = RouteTableStep::Tag(TagStep::Set(tags([("Name", "new")]).0));
        assert_eq!(RouteTable::next_step(&observed(), Some(&desired)), Some(step));
        assert_eq!(RouteTable::next_step(&observed(), None), Some(RouteTableStep::Delete));
    }

    #[test]
    fn what_was_found_is_observed() {
        assert_eq!(observed().inputs.vpc_id, "vpc-1");
        assert_eq!(observed().outputs.arn, "arn:aws:ec2:us-east-1:111122223333:route-table/rtb-1");
    }

    #[test]
    fn lone_associations_are_looked_for_in_every_table() {
        let filter = |ids: &[&str]| {
            let ids: Vec<_> = ids.iter().copied().map(RemoteId::new).collect();
            let filters = filters_for(&ids).expect("so few ids fit into a filter");
            (filters[0].name().map(str::to_owned), filters[0].values().to_vec())
        };
        let of_association = "association.route-table-association-id".to_owned();
        assert_eq!(filter(&["rtb-1/rtbassoc-2"]), (Some(of_association), vec!["rtbassoc-2".to_owned()]));
        let of_table = || Some("route-table-id".to_owned());
        assert_eq!(filter(&["rtb-1_0.0.0.0/0"]), (of_table(), vec!["rtb-1".to_owned()]));
        let mixed = filter(&["rtb-1/rtbassoc-2", "rtb-2", "rtb-1_0.0.0.0/0"]);
        assert_eq!(mixed, (of_table(), vec!["rtb-1".to_owned(), "rtb-2".to_owned()]));
    }
}
