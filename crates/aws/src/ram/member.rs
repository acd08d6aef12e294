//! What is in a share, and whom it is shared with: RAM's associations.

use std::collections::BTreeMap;

use aws_sdk_ram::types::{self, ResourceShareAssociationStatus, ResourceShareAssociationType};

/// How an association stands. Of several with the same thing, the greatest counts: RAM goes on
/// listing those that ended, also beside one that was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It has ended.
    Gone,
    /// It never came about.
    Failed,
    /// It is ending.
    Leaving,
    /// It is held up, say since the account has left the organization.
    Suspended,
    /// It is coming about, once more, or is about to be held up.
    Coming,
    /// It works.
    Joined,
}

/// The associations of one sort of a share: by account id or ARN.
pub(crate) type Members<'a> = BTreeMap<&'a str, Member<'a>>;

/// One association.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Member<'a> {
    /// How it stands.
    pub(crate) standing: Standing,
    /// RAM's own words about that.
    pub(crate) message: Option<&'a str>,
}

impl Standing {
    fn of(association: &types::ResourceShareAssociation) -> Self {
        match association.status().map(ResourceShareAssociationStatus::as_str) {
            Some("ASSOCIATED") => Self::Joined,
            Some("DISASSOCIATING") => Self::Leaving,
            Some("DISASSOCIATED") => Self::Gone,
            Some("FAILED") => Self::Failed,
            Some("SUSPENDED") => Self::Suspended,
            // ASSOCIATING, SUSPENDING, RESTORING, and whatever RAM may add.
            _ => Self::Coming,
        }
    }
}

/// Returns the members of one sort among the associations of a share.
pub(crate) fn members<'a>(
    associations: &'a [types::ResourceShareAssociation],
    sort: &ResourceShareAssociationType,
) -> Members<'a> {
    let mut members = Members::new();
    for association in associations.iter().filter(|association| association.association_type() == Some(sort))
    {
        let Some(entity) = association.associated_entity() else { continue };
        let member = Member { standing: Standing::of(association), message: association.status_message() };
        let known = members.entry(entity).or_insert(member);
        if member.standing > known.standing {
            *known = member;
        }
    }
    members
}

/// Shortens an ARN to what people call the thing; anything else stays as it is.
pub(crate) fn name(entity: &str) -> String {
    match entity.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(4)) {
        Some(resource) => resource.rsplit('/').next().unwrap_or(resource).to_owned(),
        None if is_account(entity) => format!("account {entity}"),
        None => entity.to_owned(),
    }
}

/// Tells whether this is the id of an account.
pub(crate) fn is_account(principal: &str) -> bool {
    principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit())
}
