//! The wire protocols: where a request keeps its operation and parameters, and how an answer looks.

mod json;
mod query;
mod rest;
mod xml;

use serde_json::Value;

use crate::call::{Parameters, Refusal};
use crate::eks;
use crate::server::{Incoming, Outgoing};
pub(crate) use rest::Route;

/// A service of AWS that the sandbox has, by the name in the scope of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Service {
    Ec2,
    Eks,
    /// What the agents of EKS Pod Identity ask.
    EksAuth,
    Elb,
    Iam,
    /// The API servers of clusters, whose requests are signed in another way.
    Kubernetes,
    Organizations,
    Quotas,
    Ram,
    Sts,
    Tagging,
}

/// How requests and answers of a service look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Forms in, XML out; lists are `item`s.
    Ec2,
    /// Forms in, XML out; lists are `member`s, and answers have a result element.
    Query,
    /// JSON both ways; the operation is in the header `x-amz-target`.
    Json,
    /// JSON both ways; the operation is the path.
    RestJson,
    /// JSON both ways; the operation is the method and a path with parameters in it.
    RoutedJson,
}

impl Service {
    /// Every service.
    pub(crate) const ALL: [Self; 11] = [
        Self::Ec2,
        Self::Eks,
        Self::EksAuth,
        Self::Elb,
        Self::Iam,
        Self::Kubernetes,
        Self::Organizations,
        Self::Quotas,
        Self::Ram,
        Self::Sts,
        Self::Tagging,
    ];

    /// Returns the name in the scope of signatures.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Eks => "eks",
            Self::EksAuth => "eks-auth",
            Self::Elb => "elasticloadbalancing",
            Self::Iam => "iam",
            Self::Kubernetes => "kubernetes",
            Self::Organizations => "organizations",
            Self::Quotas => "servicequotas",
            Self::Ram => "ram",
            Self::Sts => "sts",
            Self::Tagging => "tagging",
        }
    }

    /// Returns the service with this name in the scope of a signature.
    pub(crate) fn of_scope(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.scope() == name && *service != Self::Kubernetes)
    }

    /// Returns what the names of its actions and resources in policies begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Eks => "eks",
            Self::EksAuth => "eks-auth",
            Self::Elb => "elasticloadbalancing",
            Self::Iam => "iam",
            Self::Kubernetes => "kubernetes",
            Self::Organizations => "organizations",
            Self::Quotas => "servicequotas",
            Self::Ram => "ram",
            Self::Sts => "sts",
            Self::Tagging => "tag",
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Ec2 => Protocol::Ec2,
            Self::Elb | Self::Iam | Self::Sts => Protocol::Query,
            Self::Organizations | Self::Quotas | Self::Tagging => Protocol::Json,
            Self::Ram => Protocol::RestJson,
            Self::Eks | Self::EksAuth | Self::Kubernetes => Protocol::RoutedJson,
        }
    }

    /// Returns the namespace of its XML answers.
    fn namespace(self) -> &'static str {
        match self {
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::Elb => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Eks
            | Self::EksAuth
            | Self::Kubernetes
            | Self::Organizations
            | Self::Quotas
            | Self::Ram
            | Self::Tagging => "",
        }
    }
}

/// Finds the operation and the parameters in a request.
pub(crate) fn read(service: Service, request: &Incoming) -> Result<(String, Parameters), Refusal> {
    match service.protocol() {
        Protocol::Ec2 | Protocol::Query => query::read(request),
        Protocol::Json => json::read_targeted(request),
        Protocol::RestJson => json::read_rest(request),
        Protocol::RoutedJson if service == Service::EksAuth => rest::read(eks::AUTH_ROUTES, &[], request),
        Protocol::RoutedJson => rest::read(eks::ROUTES, eks::LISTS, request),
    }
}

/// Writes what an operation answered.
pub(crate) fn write(
    service: Service,
    operation: &str,
    answer: &Result<Value, Refusal>,
    request_id: &str,
) -> Outgoing {
    match (service.protocol(), answer) {
        (Protocol::Ec2, Ok(body)) => query::ec2_answer(service.namespace(), operation, body, request_id),
        (Protocol::Ec2, Err(refusal)) => query::ec2_refusal(refusal, request_id),
        (Protocol::Query, Ok(body)) => query::answer(service.namespace(), operation, body, request_id),
        (Protocol::Query, Err(refusal)) => query::refusal(service.namespace(), refusal, request_id),
        (Protocol::Json | Protocol::RestJson | Protocol::RoutedJson, Ok(body)) => {
            json::answer(body, request_id)
        }
        (Protocol::Json | Protocol::RestJson | Protocol::RoutedJson, Err(refusal)) => {
            json::refusal(refusal, request_id)
        }
    }
}
