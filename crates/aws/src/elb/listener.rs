//! `listener`: a port on which a load balancer takes connections, and where they go.

mod action;
mod check;
mod listing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    self, AdvertiseTrustStoreCaNamesEnum, Certificate, ListenerAttribute, MutualAuthenticationAttributes,
    ProtocolEnum,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::attribute_values::{self, Named};
use super::tags::TagStep;
use super::{SERVICE, fits_table, number, ownership, tags};
use crate::client::Client;
use crate::error::{answered, failed};

use action::DefaultAction;
use listing::Listeners;

/// The keys of the API that have names of their own.
const NAMES: [Named; 2] = [
    Named::new("tcp_idle_timeout_seconds", "tcp.idle_timeout.seconds"),
    Named::new("routing_http_response_server_enabled", "routing.http.response.server.enabled"),
];

/// The kind.
pub(crate) struct Listener;

/// A port on which a load balancer takes connections, and where they go.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ListenerInputs {
    /// The load balancer.
    #[attribute(replace, refers_to = "load_balancer")]
    load_balancer_arn: String,
    /// The port.
    port: i64,
    /// What clients speak: `HTTP` or `HTTPS` to an application load balancer, the others to a network
    /// load balancer.
    #[attribute(one_of = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"])]
    protocol: String,
    /// What is done with a connection for which no rule says something else.
    #[attribute(holds)]
    default_action: DefaultAction,
    /// The certificate that clients see unless they ask for a name that another one has.
    certificate_arn: Option<String>,
    /// More certificates, for other names.
    #[attribute(default = Vec::<Value>::new())]
    additional_certificate_arns: Option<BTreeSet<String>>,
    /// The versions and ciphers that clients may use, such as `ELBSecurityPolicy-TLS13-1-2-2021-06`.
    ssl_policy: Option<String>,
    /// Which protocol over TLS is agreed on with clients.
    #[attribute(default = "None", one_of = [
        "HTTP1Only",
        "HTTP2Only",
        "HTTP2Optional",
        "HTTP2Preferred",
        "None",
    ])]
    alpn_policy: Option<String>,
    /// Whether clients have to show a certificate.
    mutual_authentication: Option<MutualAuthentication>,
    /// After how many seconds without data a connection to a network load balancer is closed.
    #[attribute(default = 350)]
    tcp_idle_timeout_seconds: Option<i64>,
    /// Whether answers have the header `Server`.
    #[attribute(default = true)]
    routing_http_response_server_enabled: Option<bool>,
    /// Any other attribute by the name that the API has for it, such as
    /// `routing.http.response.x_frame_options.header_value`. One that is taken out of the table stays
    /// as it is.
    attributes: Option<Tags>,
    /// The tags.
    tags: Option<Tags>,
}

/// Whether clients have to show a certificate.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct MutualAuthentication {
    /// `verify` checks certificates, `passthrough` hands them on to targets.
    #[attribute(default = "off", one_of = ["off", "passthrough", "verify"])]
    mode: Option<String>,
    /// The certificates by which those of clients are checked.
    trust_store_arn: Option<String>,
    /// Whether certificates count that have expired.
    #[attribute(default = false)]
    ignore_client_certificate_expiry: Option<bool>,
    /// Whether clients are told whose certificates are taken.
    #[attribute(default = "off", one_of = ["on", "off"])]
    advertise_trust_store_ca_names: Option<String>,
}

/// What only the service knows of a listener.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ListenerOutputs {
    /// The ARN.
    arn: String,
}

/// A change of a listener.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ListenerStep {
    Modify(Box<ListenerInputs>),
    AddCertificates(BTreeSet<String>),
    RemoveCertificates(BTreeSet<String>),
    SetAttributes(BTreeMap<String, String>),
    Tag(TagStep),
    Delete,
}

impl Step for ListenerStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Modify(_) => "ModifyListener",
            Self::AddCertificates(_) => "AddListenerCertificates",
            Self::RemoveCertificates(_) => "RemoveListenerCertificates",
            Self::SetAttributes(_) => "ModifyListenerAttributes",
            Self::Tag(step) => step.elb_operation(),
            Self::Delete => "DeleteListener",
        }
    }
}

impl Resource for Listener {
    const KIND: &'static str = "listener";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        // A load balancer has one for a port.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(3),
    };
    const DEPICTION: Depiction = Depiction {
        within: &["load_balancer_arn"],
        arrows: &[Arrow::new(
            Relation::Traffic,
            End::Named("load_balancer_arn"),
            End::Named("default_action"),
        )
        .labelled(&["protocol", "port"])],
        ..Depiction::PART
    };
    const EXAMPLE: &'static str = include_str!("listener/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["load_balancer_arn", "port"];
    const IDENTITY: &'static [&'static str] = &["load_balancer_arn"];
    const ID_FORM: &'static str = "arn:*:elasticloadbalancing:*:*:listener/*";
    const ARN: &'static str = "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeListenerAttributes",
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:DescribeTags",
        ]),
        Need::create(&["elasticloadbalancing:CreateListener"]).on(&["{load_balancer_arn}"]),
        tags::given_at_birth(&[("elasticloadbalancing:CreateAction", "CreateListener")]),
        Need::update(&["elasticloadbalancing:ModifyListener"]).on(&["{arn}"]).changing(&[
            "port",
            "protocol",
            "default_action",
            "certificate_arn",
            "ssl_policy",
            "alpn_policy",
            "mutual_authentication",
        ]),
        Need::update(&[
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:RemoveListenerCertificates",
        ])
        .on(&["{arn}"])
        .setting(&["additional_certificate_arns"]),
        Need::update(&["elasticloadbalancing:ModifyListenerAttributes"]).on(&["{arn}"]).setting(&[
            "tcp_idle_timeout_seconds",
            "routing_http_response_server_enabled",
            "attributes",
        ]),
        tags::CHANGED,
        Need::delete(&["elasticloadbalancing:DeleteListener"]).on(&["{arn}"]),
    ];

    type Inputs = ListenerInputs;
    type Outputs = ListenerOutputs;
    type Client = Client;
    type Listing = Listeners;
    type Step = ListenerStep;

    fn essential(found: ValueMap) -> ValueMap {
        action::essential(attribute_values::without_free(found))
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    fn observe(listing: &Listeners, id: &RemoteId) -> Option<Observed<ListenerInputs, ListenerOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ListenerInputs,
    ) -> Result<RemoteId, ProviderError> {
        let found = listing::at_port(client, inputs).await;
        if let Some(arn) = ownership::already_made(client, intent, "CreateListener", found).await? {
            return Ok(arn);
        }
        let call = client
            .elb
            .writes
            .create_listener()
            .load_balancer_arn(&inputs.load_balancer_arn)
            .port(number(inputs.port))
            .protocol(ProtocolEnum::from(inputs.protocol.as_str()))
            .default_actions(inputs.default_action.to_sdk())
            .set_certificates(inputs.certificate_arn.as_ref().map(certificates))
            .set_ssl_policy(inputs.ssl_policy.clone())
            .set_alpn_policy(inputs.alpn_policy.clone().map(|policy| vec![policy]))
            .set_mutual_authentication(inputs.mutual_authentication.as_ref().map(to_sdk))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreateListener"))?;
        let made = answer.listeners().first().and_then(types::Listener::listener_arn);
        answered("CreateListener", made).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<ListenerInputs, ListenerOutputs>,
        desired: Option<&ListenerInputs>,
    ) -> Option<ListenerStep> {
        let Some(desired) = desired else { return Some(ListenerStep::Delete) };
        let found = &observed.inputs;
        let attributes = attribute_values::next_change(
            &NAMES,
            &ListenerInputs::attributes(),
            &found.to_values(),
            &desired.to_values(),
        );
        modify_step(found, desired)
            .or_else(|| certificates_step(found, desired))
            .or_else(|| attributes.map(ListenerStep::SetAttributes))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(ListenerStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ListenerStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation, arn) = (&client.elb.writes, step.operation(), id.as_str());
        match step {
            ListenerStep::Modify(wanted) => modify(client, arn, wanted).await?,
            ListenerStep::AddCertificates(arns) => {
                let certificates = arns.iter().flat_map(certificates).collect();
                let call = writes.add_listener_certificates().listener_arn(arn);
                call.set_certificates(Some(certificates)).send().await.map_err(failed(operation))?;
            }
            ListenerStep::RemoveCertificates(arns) => {
                let certificates = arns.iter().flat_map(certificates).collect();
                let call = writes.remove_listener_certificates().listener_arn(arn);
                call.set_certificates(Some(certificates)).send().await.map_err(failed(operation))?;
            }
            ListenerStep::SetAttributes(attributes) => {
                let attributes = attributes
                    .iter()
                    .map(|(key, value)| ListenerAttribute::builder().key(key).value(value).build())
                    .collect();
                let call = writes.modify_listener_attributes().listener_arn(arn);
                call.set_attributes(Some(attributes)).send().await.map_err(failed(operation))?;
            }
            ListenerStep::Tag(step) => step.perform_elb(client, id).await?,
            ListenerStep::Delete => {
                writes.delete_listener().listener_arn(arn).send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &ListenerInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        ownership::made_by(client, intent, listing::at_port(client, inputs).await?).await
    }
}

async fn modify(client: &Client, arn: &str, wanted: &ListenerInputs) -> Result<(), ProviderError> {
    let call = client
        .elb
        .writes
        .modify_listener()
        .listener_arn(arn)
        .port(number(wanted.port))
        .protocol(ProtocolEnum::from(wanted.protocol.as_str()))
        .default_actions(wanted.default_action.to_sdk())
        .set_certificates(wanted.certificate_arn.as_ref().map(certificates))
        .set_ssl_policy(wanted.ssl_policy.clone())
        .set_alpn_policy(wanted.alpn_policy.clone().map(|policy| vec![policy]))
        .set_mutual_authentication(wanted.mutual_authentication.as_ref().map(to_sdk));
    call.send().await.map_err(failed("ModifyListener"))?;
    Ok(())
}

fn certificates(arn: &String) -> Vec<Certificate> {
    vec![Certificate::builder().certificate_arn(arn).build()]
}

fn to_sdk(authentication: &MutualAuthentication) -> MutualAuthenticationAttributes {
    let advertise = authentication.advertise_trust_store_ca_names.as_deref();
    MutualAuthenticationAttributes::builder()
        .mode(authentication.mode.as_deref().unwrap_or("off"))
        .set_trust_store_arn(authentication.trust_store_arn.clone())
        .set_ignore_client_certificate_expiry(authentication.ignore_client_certificate_expiry)
        .set_advertise_trust_store_ca_names(advertise.map(AdvertiseTrustStoreCaNamesEnum::from))
        .build()
}

/// The attributes that one call changes together.
const MODIFIED_TOGETHER: [&str; 7] = [
    "port",
    "protocol",
    "default_action",
    "certificate_arn",
    "ssl_policy",
    "alpn_policy",
    "mutual_authentication",
];

fn modify_step(found: &ListenerInputs, desired: &ListenerInputs) -> Option<ListenerStep> {
    let mut wanted = desired.to_values();
    wanted.retain(|name, _| MODIFIED_TOGETHER.contains(&name.as_str()));
    (!fits_table(&found.to_values(), &wanted)).then(|| ListenerStep::Modify(Box::new(desired.clone())))
}

/// Certificates come before others go, since a listener must not be without one for a name.
fn certificates_step(found: &ListenerInputs, desired: &ListenerInputs) -> Option<ListenerStep> {
    let wanted = desired.additional_certificate_arns.as_ref()?;
    let nothing = BTreeSet::new();
    let found = found.additional_certificate_arns.as_ref().unwrap_or(&nothing);
    let missing: BTreeSet<_> = wanted.difference(found).cloned().collect();
    if !missing.is_empty() {
        return Some(ListenerStep::AddCertificates(missing));
    }
    let surplus: BTreeSet<_> = found.difference(wanted).cloned().collect();
    (!surplus.is_empty()).then_some(ListenerStep::RemoveCertificates(surplus))
}

#[cfg(test)]
mod tests;
