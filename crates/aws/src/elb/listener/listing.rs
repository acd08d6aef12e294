//! What the service says about listeners, with their certificates, attributes and tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{
    self, AdvertiseTrustStoreCaNamesEnum, Certificate, ListenerAttribute, MutualAuthenticationAttributes,
    ProtocolEnum,
};
use futures::future::try_join3;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};
use straddle_engine::schema::{Attributes, Tags};

use super::super::{attribute_values, describe, number, tags};
use super::action::DefaultAction;
use super::{ListenerInputs, ListenerOutputs, MutualAuthentication, NAMES};
use crate::client::Client;
use crate::each::each;
use crate::error::failed;

/// Listeners, with their certificates, attributes and tags.
pub(crate) struct Listeners {
    found: BTreeMap<RemoteId, types::Listener>,
    /// The certificates besides the first one.
    certificates: BTreeMap<RemoteId, BTreeSet<String>>,
    attributes: BTreeMap<RemoteId, BTreeMap<String, String>>,
    tags: BTreeMap<RemoteId, Tags>,
}

impl Listing for Listeners {
    type Client = Client;

    /// Listeners are read by their load balancers: asked for by their own ids, one that is missing
    /// fails the call for all. Certificates and attributes have no call for several listeners.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let balancers: BTreeSet<_> = ids.iter().filter_map(load_balancer_of).collect();
        let balancers: Vec<_> = balancers.into_iter().collect();
        let found = each(&balancers, |arn| of_load_balancer(client, arn)).await?;
        let ids: BTreeSet<&RemoteId> = ids.iter().collect();
        let listeners: BTreeMap<_, _> = found
            .into_values()
            .flatten()
            .filter_map(|listener| Some((RemoteId::new(listener.listener_arn()?), listener)))
            .filter(|(arn, _)| ids.contains(arn))
            .collect();
        let arns: Vec<_> = listeners.keys().cloned().collect();
        let encrypted: Vec<_> = listeners
            .iter()
            .filter(|(_, listener)| !listener.certificates().is_empty())
            .map(|(arn, _)| arn.clone())
            .collect();
        let (certificates, attributes, tags) = try_join3(
            each(&encrypted, |arn| certificates(client, arn)),
            each(&arns, |arn| attributes(client, arn)),
            tags::of(client, arns.clone()),
        )
        .await?;
        Ok(Self { found: listeners, certificates, attributes, tags })
    }
}

/// Returns the ARN of a listener's load balancer, which is in its own:
/// `..:listener/app/NAME/ID/LISTENER` belongs to `..:loadbalancer/app/NAME/ID`.
fn load_balancer_of(listener: &RemoteId) -> Option<RemoteId> {
    let (balancer, _) = listener.as_str().rsplit_once('/')?;
    Some(RemoteId::new(balancer.replacen(":listener/", ":loadbalancer/", 1)))
}

async fn of_load_balancer(client: &Client, arn: RemoteId) -> Result<Vec<types::Listener>, ProviderError> {
    let call = client.elb.reads.describe_listeners().load_balancer_arn(arn.as_str());
    let pages = call.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeListeners"))
}

/// Returns the listener that a load balancer has at the port of these inputs.
pub(super) async fn at_port(
    client: &Client,
    inputs: &ListenerInputs,
) -> Result<Vec<RemoteId>, ProviderError> {
    let balancer = RemoteId::new(inputs.load_balancer_arn.as_str());
    let listeners = describe::present(of_load_balancer(client, balancer).await)?.unwrap_or_default();
    let port = number(inputs.port);
    let here = listeners.iter().filter(|listener| listener.port() == Some(port));
    Ok(here.filter_map(types::Listener::listener_arn).map(RemoteId::new).collect())
}

async fn certificates(client: &Client, arn: RemoteId) -> Result<BTreeSet<String>, ProviderError> {
    let call = client.elb.reads.describe_listener_certificates().listener_arn(arn.as_str());
    let pages = call.into_paginator().items().send();
    let found: Vec<Certificate> =
        pages.collect::<Result<_, _>>().await.map_err(failed("DescribeListenerCertificates"))?;
    let more = found.iter().filter(|certificate| certificate.is_default() != Some(true));
    Ok(more.filter_map(Certificate::certificate_arn).map(str::to_owned).collect())
}

async fn attributes(client: &Client, arn: RemoteId) -> Result<BTreeMap<String, String>, ProviderError> {
    let call = client.elb.reads.describe_listener_attributes().listener_arn(arn.as_str());
    let answer = call.send().await.map_err(failed("DescribeListenerAttributes"))?;
    let attribute = |attribute: &ListenerAttribute| {
        Some((attribute.key()?.to_owned(), attribute.value().unwrap_or_default().to_owned()))
    };
    Ok(answer.attributes().iter().filter_map(attribute).collect())
}

impl Listeners {
    #[cfg(test)]
    pub(super) fn of_one(listener: types::Listener, certificates: BTreeSet<String>) -> Self {
        let arn = RemoteId::new(listener.listener_arn().expect("the test gives it one"));
        Self {
            found: [(arn.clone(), listener)].into(),
            certificates: [(arn.clone(), certificates)].into(),
            attributes: [(arn.clone(), BTreeMap::new())].into(),
            tags: [(arn, Tags::default())].into(),
        }
    }

    /// Returns what was found; `None` also for one that has gone while it was read.
    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<ListenerInputs, ListenerOutputs>> {
        let listener = self.found.get(id)?;
        let certificates = self.certificates.get(id).cloned().unwrap_or_default();
        let mut inputs = observed_inputs(listener, certificates, self.tags.get(id)?).to_values();
        let attributes = self.attributes.get(id)?;
        attribute_values::put(&NAMES, &ListenerInputs::attributes(), attributes, &mut inputs);
        Some(Observed {
            inputs: ListenerInputs::from_values(&inputs)
                .expect("values are put in with the types of their attributes"),
            outputs: ListenerOutputs { arn: id.as_str().to_owned() },
            readiness: Readiness::Ready,
        })
    }
}

fn observed_inputs(listener: &types::Listener, more: BTreeSet<String>, tags: &Tags) -> ListenerInputs {
    let first = listener.certificates().first().and_then(Certificate::certificate_arn);
    ListenerInputs {
        load_balancer_arn: listener.load_balancer_arn().unwrap_or_default().to_owned(),
        port: listener.port().map(i64::from).unwrap_or_default(),
        protocol: listener.protocol().map_or("", ProtocolEnum::as_str).to_owned(),
        default_action: DefaultAction::observed(listener.default_actions()),
        certificate_arn: first.map(str::to_owned),
        additional_certificate_arns: Some(more),
        ssl_policy: listener.ssl_policy().map(str::to_owned),
        alpn_policy: Some(listener.alpn_policy().first().map_or("None", String::as_str).to_owned()),
        mutual_authentication: Some(observed_authentication(listener.mutual_authentication())),
        tags: Some(tags.clone()),
        ..ListenerInputs::default()
    }
}

fn observed_authentication(found: Option<&MutualAuthenticationAttributes>) -> MutualAuthentication {
    let advertise = found.and_then(MutualAuthenticationAttributes::advertise_trust_store_ca_names);
    let mode = found.and_then(MutualAuthenticationAttributes::mode);
    let trust_store_arn = found.and_then(MutualAuthenticationAttributes::trust_store_arn);
    MutualAuthentication {
        mode: Some(mode.unwrap_or("off").to_owned()),
        trust_store_arn: trust_store_arn.map(str::to_owned),
        ignore_client_certificate_expiry: Some(
            found
                .and_then(MutualAuthenticationAttributes::ignore_client_certificate_expiry)
                .unwrap_or_default(),
        ),
        advertise_trust_store_ca_names: Some(
            advertise.map_or("off", AdvertiseTrustStoreCaNamesEnum::as_str).to_owned(),
        ),
    }
}
