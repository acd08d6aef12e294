//! The kinds of RAM, and what they share.

mod check;
mod listing;
mod member;
pub(crate) mod organization_sharing;
pub(crate) mod participants;
pub(crate) mod resource_share;
pub(crate) mod share_accepter;
mod tags;

use straddle_engine::resource::Resource;
use straddle_engine::sharing::{Accepter, Cover, Shareable, Sharing};

/// How accounts let others use their networks.
pub(crate) const SHARING: Sharing = Sharing {
    share: resource_share::ResourceShare::KIND,
    resources: "resources",
    principals: "principals",
    shareable: &[
        Shareable { kind: "subnet", cover: Cover::Itself { attribute: "arn" } },
        Shareable { kind: "vpc", cover: Cover::Part { kind: "subnet", attribute: "vpc_id" } },
    ],
    precondition: Some(organization_sharing::OrganizationSharing::KIND),
    accepter: Some(Accepter { kind: share_accepter::ShareAccepter::KIND, attribute: "resource_share_arn" }),
    advice: "Check that both accounts are in one organization, that sharing inside it is switched on (`aws ram \
             enable-sharing-with-aws-organization` in the management account), and that the subnet is not one of \
             a default VPC, which cannot be shared.",
};

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "ram";
