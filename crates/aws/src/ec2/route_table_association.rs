//! `route_table_association`: the table that a subnet's traffic goes by.

use std::time::Duration;

use aws_sdk_ec2::types::{self, RouteTableAssociationStateCode};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;

use super::named::{SUBNET, TABLE};
use super::route_table::RouteTables;
use super::{SERVICE, filters};
use crate::client::Client;
use crate::error::{answered, failed};

/// The kind. Its ids are the table's and the association's: `rtb-1/rtbassoc-2`.
pub(crate) struct RouteTableAssociation;

/// The table that a subnet's traffic goes by. Without one it goes by the VPC's main table.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteTableAssociationInputs {
    /// The table. Changing it gives the association a new id.
    #[attribute(refers_to = "route_table", holds)]
    route_table_id: String,
    /// The subnet.
    #[attribute(replace, refers_to = "subnet")]
    subnet_id: String,
}

/// What EC2 says about an association.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RouteTableAssociationOutputs {
    /// EC2's own id of the association.
    #[attribute(volatile)]
    association_id: Option<String>,
}

/// A change of an association.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RouteTableAssociationStep {
    Replace { route_table_id: String },
    Disassociate,
}

impl Step for RouteTableAssociationStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Replace { .. } => "ReplaceRouteTableAssociation",
            Self::Disassociate => "DisassociateRouteTable",
        }
    }
}

impl Resource for RouteTableAssociation {
    const KIND: &'static str = "route_table_association";
    const ID_FORM: &'static str = "rtb-*/rtbassoc-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        // A subnet has one at a time.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        arrows: &[Arrow::new(Relation::Way, End::Named("subnet_id"), End::Named("route_table_id"))],
        within: &["route_table_id"],
        ..Depiction::PART
    };
    const EXAMPLE: &'static str = include_str!("route_table_association/example.toml");
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeRouteTables"]),
        Need::create(&["ec2:AssociateRouteTable"]).on(&[TABLE, SUBNET]),
        Need::update(&["ec2:ReplaceRouteTableAssociation"])
            .on(&[TABLE, SUBNET])
            .changing(&["route_table_id"]),
        Need::delete(&["ec2:DisassociateRouteTable"]).on(&[TABLE, SUBNET]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["subnet_id"];

    type Inputs = RouteTableAssociationInputs;
    type Outputs = RouteTableAssociationOutputs;
    type Client = Client;
    type Listing = RouteTables;
    type Step = RouteTableAssociationStep;

    fn observe(
        listing: &RouteTables,
        id: &RemoteId,
    ) -> Option<Observed<RouteTableAssociationInputs, RouteTableAssociationOutputs>> {
        let (table_id, association_id) = split(id);
        // It is in the table that its id names, unless somebody has moved it.
        let tables = listing.table(table_id).into_iter().chain(listing.things());
        let (table, association) = associations(tables)
            .find(|(_, association)| association.route_table_association_id() == Some(association_id))?;
        Some(Observed {
            inputs: RouteTableAssociationInputs {
                route_table_id: table.route_table_id().unwrap_or_default().to_owned(),
                subnet_id: association.subnet_id().unwrap_or_default().to_owned(),
            },
            outputs: RouteTableAssociationOutputs { association_id: Some(association_id.to_owned()) },
            readiness: association_readiness(association)?,
        })
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &RouteTableAssociationInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.ec2.writes.associate_route_table().route_table_id(&inputs.route_table_id);
        let answer = call.subnet_id(&inputs.subnet_id).send().await.map_err(failed("AssociateRouteTable"))?;
        let association_id = answered("AssociateRouteTable", answer.association_id())?;
        Ok(join(&inputs.route_table_id, association_id))
    }

    fn next_step(
        observed: &Observed<RouteTableAssociationInputs, RouteTableAssociationOutputs>,
        desired: Option<&RouteTableAssociationInputs>,
    ) -> Option<RouteTableAssociationStep> {
        let Some(desired) = desired else { return Some(RouteTableAssociationStep::Disassociate) };
        let route_table_id = desired.route_table_id.clone();
        (observed.inputs.route_table_id != route_table_id)
            .then_some(RouteTableAssociationStep::Replace { route_table_id })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RouteTableAssociationStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (_, association_id) = split(id);
        let operation = step.operation();
        match step {
            RouteTableAssociationStep::Replace { route_table_id } => {
                let call = client.ec2.writes.replace_route_table_association().association_id(association_id);
                let answer = call.route_table_id(route_table_id).send().await.map_err(failed(operation))?;
                let association_id = answered(operation, answer.new_association_id())?;
                Ok(Some(join(route_table_id, association_id)))
            }
            RouteTableAssociationStep::Disassociate => {
                let call = client.ec2.writes.disassociate_route_table().association_id(association_id);
                call.send().await.map_err(failed(operation))?;
                Ok(None)
            }
        }
    }

    /// A subnet has one association at most, with whichever table. Since the spec says which
    /// table it is to be, that one is taken over.
    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &RouteTableAssociationInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let of_subnet = filters::equals("association.subnet-id", &inputs.subnet_id);
        let call = client.ec2.reads.describe_route_tables().filters(of_subnet);
        let answer = call.send().await.map_err(failed("DescribeRouteTables"))?;
        Ok(matching(answer.route_tables(), inputs))
    }
}

fn associations<'a>(
    tables: impl IntoIterator<Item = &'a types::RouteTable>,
) -> impl Iterator<Item = (&'a types::RouteTable, &'a types::RouteTableAssociation)> {
    tables
        .into_iter()
        .flat_map(|table| table.associations().iter().map(move |association| (table, association)))
}

fn matching(tables: &[types::RouteTable], inputs: &RouteTableAssociationInputs) -> Vec<RemoteId> {
    let of_subnet = associations(tables).filter(|(_, association)| {
        association.subnet_id() == Some(inputs.subnet_id.as_str())
            && association_readiness(association).is_some()
    });
    let id = |(table, association): (&types::RouteTable, &types::RouteTableAssociation)| {
        Some(join(table.route_table_id()?, association.route_table_association_id()?))
    };
    of_subnet.filter_map(id).collect()
}

fn join(table_id: &str, association_id: &str) -> RemoteId {
    RemoteId::new(format!("{table_id}/{association_id}"))
}

fn split(id: &RemoteId) -> (&str, &str) {
    id.as_str().split_once('/').unwrap_or((id.as_str(), ""))
}

/// Returns `None` for an association that is gone.
fn association_readiness(association: &types::RouteTableAssociation) -> Option<Readiness> {
    let state = association.association_state();
    Some(match state.and_then(|state| state.state()).map(RouteTableAssociationStateCode::as_str) {
        Some("disassociated") => return None,
        Some("failed") => {
            let message = state.and_then(|state| state.status_message()).unwrap_or("failed");
            Readiness::Failed(message.to_owned())
        }
        Some(state @ ("associating" | "disassociating")) => Readiness::Pending(state.to_owned()),
        _ => Readiness::Ready,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::found;

    fn table(state: RouteTableAssociationStateCode) -> types::RouteTable {
        let state = types::RouteTableAssociationState::builder().state(state).status_message("no room");
        let association = types::RouteTableAssociation::builder()
            .route_table_association_id("rtbassoc-2")
            .subnet_id("subnet-1")
            .association_state(state.build())
            .build();
        types::RouteTable::builder().route_table_id("rtb-1").associations(association).build()
    }

    fn observe(
        state: RouteTableAssociationStateCode,
    ) -> Option<Observed<RouteTableAssociationInputs, RouteTableAssociationOutputs>> {
        RouteTableAssociation::observe(&found(table(state)), &RemoteId::new("rtb-1/rtbassoc-2"))
    }

    fn inputs(route_table_id: &str) -> RouteTableAssociationInputs {
        RouteTableAssociationInputs {
            route_table_id: route_table_id.to_owned(),
            subnet_id: "subnet-1".to_owned(),
        }
    }

    #[test]
    fn another_table_is_one_step() {
        let observed = observe(RouteTableAssociationStateCode::Associated).expect("it is listed");
        assert_eq!(observed.inputs, inputs("rtb-1"));
        let (same, other) = (inputs("rtb-1"), inputs("rtb-2"));
        let next_step = |desired| RouteTableAssociation::next_step(&observed, desired);
        assert_eq!(next_step(Some(&same)), None);
        let replace = RouteTableAssociationStep::Replace { route_table_id: "rtb-2".to_owned() };
        assert_eq!(next_step(Some(&other)), Some(replace));
        assert_eq!(next_step(None), Some(RouteTableAssociationStep::Disassociate));
    }

    #[test]
    fn states_are_observed() {
        let readiness = |state| observe(state).map(|observed| observed.readiness);
        let pending = |word: &str| Some(Readiness::Pending(word.to_owned()));
        assert_eq!(readiness(RouteTableAssociationStateCode::Associated), Some(Readiness::Ready));
        assert_eq!(readiness(RouteTableAssociationStateCode::Associating), pending("associating"));
        assert_eq!(readiness(RouteTableAssociationStateCode::Disassociating), pending("disassociating"));
        assert_eq!(readiness(RouteTableAssociationStateCode::Disassociated), None);
        let failed = Some(Readiness::Failed("no room".to_owned()));
        assert_eq!(readiness(RouteTableAssociationStateCode::Failed), failed);
    }

    #[test]
    fn an_association_is_found_in_whichever_table_it_is() {
        let listing = found(table(RouteTableAssociationStateCode::Associated));
        let moved = RouteTableAssociation::observe(&listing, &RemoteId::new("rtb-2/rtbassoc-2"));
        assert_eq!(moved.map(|observed| observed.inputs), Some(inputs("rtb-1")));
        let tables = [table(RouteTableAssociationStateCode::Associated)];
        assert_eq!(matching(&tables, &inputs("rtb-2")), [RemoteId::new("rtb-1/rtbassoc-2")]);
        let gone = [table(RouteTableAssociationStateCode::Disassociated)];
        assert_eq!(matching(&gone, &inputs("rtb-1")), []);
    }
}
