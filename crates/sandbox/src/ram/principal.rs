//! Whom something is shared with.

use jiff::Timestamp;

use super::share::Share;
use super::{invalid, unknown};
use crate::call::Refusal;
use crate::world::{AccountId, Organization, World};

/// A principal of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principal {
    Account(AccountId),
    /// A role or a user in an account.
    Identity(AccountId),
    Organization(String),
    Unit {
        organization: String,
        id: String,
    },
}

impl Principal {
    /// Reads a principal that was let in once.
    pub(super) fn known(text: &str) -> Option<Self> {
        if let Ok(account) = text.parse() {
            return Some(Self::Account(account));
        }
        let mut parts = text.strip_prefix("arn:aws:")?.splitn(4, ':');
        let (service, _, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let account: AccountId = account.parse().ok()?;
        match (service, resource.split('/').collect::<Vec<_>>().as_slice()) {
            ("organizations", ["organization", id]) => Some(Self::Organization((*id).to_owned())),
            ("organizations", ["ou", organization, id]) => {
                Some(Self::Unit { organization: (*organization).to_owned(), id: (*id).to_owned() })
            }
            ("iam", ["role" | "user", _, ..]) => Some(Self::Identity(account)),
            _ => None,
        }
    }

    /// Reads a principal that is to be let in.
    ///
    /// # Errors
    /// If nobody is called so; if it is an organization that the owner is not in or whose accounts
    /// may not share with one another, of which RAM then knows nothing.
    pub(super) fn read(text: &str, owner: &AccountId, world: &World) -> Result<Self, Refusal> {
        let organization = &world.organization;
        let malformed = || invalid(format!("Principal ID {text} is malformed. Verify the ID and try again."));
        let principal = Self::known(text).ok_or_else(malformed)?;
        let is_known =
            |id: &str| id == organization.id() && organization.has(owner) && organization.shares(world.now());
        match &principal {
            Self::Account(account) if account == owner => {
                Err(invalid(format!("{account} owns the resource share and cannot be a principal of it.")))
            }
            Self::Organization(id) if !is_known(id) => {
                Err(unknown(format!("Organization {id} could not be found.")))
            }
            Self::Unit { organization: of, id } if !is_known(of) || !organization.units.contains_key(id) => {
                Err(unknown(format!("OrganizationalUnit {id} in unknown organization could not be found.")))
            }
            Self::Account(_) | Self::Identity(_) | Self::Organization(_) | Self::Unit { .. } => Ok(principal),
        }
    }

    /// Returns the account that it is or is in; `None` for groups of accounts.
    pub(super) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) | Self::Identity(account) => Some(account),
            Self::Organization(_) | Self::Unit { .. } => None,
        }
    }

    /// Tells whether it is outside of the owner's organization.
    pub(super) fn is_external(&self, owner: &AccountId, organization: &Organization) -> bool {
        self.account().is_some_and(|account| !organization.has(account) || !organization.has(owner))
    }

    /// Tells whether an account is meant by it.
    pub(super) fn covers(&self, account: &AccountId, owner: &AccountId, organization: &Organization) -> bool {
        match self {
            Self::Account(own) | Self::Identity(own) => own == account,
            Self::Organization(_) => organization.has(account) && organization.has(owner),
            Self::Unit { id, .. } => organization.has(owner) && organization.is_in_unit(account, id),
        }
    }

    /// Checks that a share may have it, with or without subnets.
    ///
    /// # Errors
    /// If the share is for the organization only and this is outside of it, or the organization
    /// does not let its accounts share. Subnets are always for the organization only, and for no
    /// single role or user ("Shareable AWS resources", RAM user guide).
    pub(super) fn check(
        &self,
        share: &Share,
        has_subnets: bool,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invited = self.is_external(&share.owner, organization) || !organization.shares(now);
        let alone = has_subnets && matches!(self, Self::Identity(_));
        if (invited && (has_subnets || !share.allows_external)) || alone {
            return Err(inside_only("OperationNotPermittedException"));
        }
        Ok(())
    }
}

/// Refuses what can be shared inside of an organization only. RAM says so in the same words when
/// the organization does not let its accounts share, or not yet.
pub(super) fn inside_only(code: &str) -> Refusal {
    let message = "The resource you are attempting to share can only be shared within your AWS Organization. \
                   This error may also occur if you have not enabled sharing with your AWS organization, or \
                   that onboarding process is still in progress.";
    Refusal::new(code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_accounts_organizations_units_roles_and_users() {
        for known in [
            "222222222222",
            "arn:aws:organizations::111111111111:organization/o-abc",
            "arn:aws:organizations::111111111111:ou/o-abc/ou-def",
            "arn:aws:iam::222222222222:role/path/name",
            "arn:aws:iam::222222222222:user/name",
        ] {
            assert!(Principal::known(known).is_some(), "{known}");
        }
        for unknown in ["22222222222", "o-abc", "arn:aws:iam::222222222222:root", "arn:aws:iam::2:role/x", ""]
        {
            assert_eq!(Principal::known(unknown), None, "{unknown}");
        }
    }
}
