//! The policies that decide about a caller, and how they do it together ("Policy evaluation logic",
//! IAM user guide).

use std::collections::BTreeSet;

use crate::iam::{self, Grants};
use crate::identity::{Caller, Identity};
use crate::policy::{Decision, Document, Question};
use crate::world::World;

/// The policies that decide about a caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    pub(crate) identity: Vec<Document>,
    pub(crate) boundary: Option<Document>,
    /// Those that were given to the session; empty if none were.
    pub(crate) session: Vec<Document>,
    /// Those of the organization that limit the account, by level; empty if nothing is limited.
    pub(crate) control: Vec<Vec<Document>>,
}

/// What policies decide together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied(Reason),
}

/// Why something is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A policy of this sort denies it.
    Denied(Sort),
    /// No policy of this sort allows it.
    NotAllowed(Sort),
}

/// A sort of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Identity,
    Boundary,
    Session,
    Control,
}

impl Policies {
    /// Returns those that decide about a caller; `None` if none do.
    pub(crate) fn of(world: &World, caller: &Caller) -> Option<Self> {
        let directory = world.directories.get(&caller.account);
        match &caller.identity {
            // Whoever may do everything is limited by the organization alone.
            Identity::Administrator => {
                let control = control(world, caller);
                let everything = Document::read(EVERYTHING).ok();
                let policies =
                    Self { identity: everything.into_iter().collect(), control, ..Self::default() };
                (!policies.control.is_empty()).then_some(policies)
            }
            Identity::Nobody => Some(Self::default()),
            Identity::User(name) => {
                let grants = directory.and_then(|directory| directory.grants_of_user(name, &caller.user_id));
                Some(Self::granted(world, caller, grants))
            }
            Identity::Role(session) => {
                let role = directory.and_then(|directory| directory.roles.get(&session.role_name));
                // Sessions of a role that is gone may do nothing, whatever has its name now.
                let role = role.filter(|role| role.id == session.role_id);
                let mut policies = Self::granted(world, caller, role.map(|role| &role.grants));
                let managed = session.policy_arns.iter().filter_map(|arn| iam::document(directory?, arn));
                let texts = session.policy.as_deref().into_iter().chain(managed);
                policies.session = texts.filter_map(|text| Document::read(text).ok()).collect();
                Some(policies)
            }
        }
    }

    /// Returns those of somebody whom a directory grants this.
    pub(crate) fn granted(world: &World, caller: &Caller, grants: Option<&Grants>) -> Self {
        let (Some(directory), Some(grants)) = (world.directories.get(&caller.account), grants) else {
            return Self::default();
        };
        let attached = grants.attached.iter().filter_map(|arn| iam::document(directory, arn));
        let texts = attached.chain(grants.inline.values().map(String::as_str));
        let boundary = grants.boundary.as_ref().and_then(|arn| iam::document(directory, arn));
        // What is stored was read when it was stored.
        let read = |text: &str| Document::read(text).ok();
        Self {
            identity: texts.filter_map(read).collect(),
            boundary: boundary.and_then(read),
            session: Vec::new(),
            control: control(world, caller),
        }
    }

    /// Returns the condition keys that policies would need to decide about a question, and that it
    /// has no values for.
    pub(crate) fn missing_keys(&self, question: &Question<'_>) -> Vec<String> {
        let documents = self.identity.iter().chain(&self.boundary).chain(&self.session);
        let documents = documents.chain(self.control.iter().flatten());
        let keys: BTreeSet<_> = documents.flat_map(|document| document.missing_keys(question)).collect();
        keys.into_iter().collect()
    }

    /// Decides: a denial outweighs everything, and every sort of policies that there is has to
    /// allow it.
    pub(crate) fn decide(&self, question: &Question<'_>) -> Verdict {
        let identity = decide(&self.identity, question);
        let boundary = self.boundary.as_ref().map(|boundary| boundary.decide(question));
        let session = (!self.session.is_empty()).then(|| decide(&self.session, question));
        let decisions = [
            (Sort::Control, self.decide_control(question)),
            (Sort::Identity, Some(identity)),
            (Sort::Boundary, boundary),
            (Sort::Session, session),
        ];
        let is = |wanted: Decision| decisions.iter().find(move |(_, decision)| *decision == Some(wanted));
        if let Some((sort, _)) = is(Decision::Denied) {
            return Verdict::Denied(Reason::Denied(*sort));
        }
        is(Decision::Silent).map_or(Verdict::Allowed, |(sort, _)| Verdict::Denied(Reason::NotAllowed(*sort)))
    }

    /// Decides for the organization, if it limits anything: every level has to allow it ("SCP evaluation",
    /// Organizations user guide).
    pub(crate) fn decide_control(&self, question: &Question<'_>) -> Option<Decision> {
        let levels: Vec<_> = self.control.iter().map(|level| decide(level, question)).collect();
        let weakest = [Decision::Denied, Decision::Silent].into_iter().find(|kind| levels.contains(kind));
        (!levels.is_empty()).then_some(weakest.unwrap_or(Decision::Allowed))
    }
}

/// What allows everything.
const EVERYTHING: &str = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Returns the policies of the organization that limit a caller, by level.
fn control(world: &World, caller: &Caller) -> Vec<Vec<Document>> {
    let levels = world.organization.controls(&caller.account).into_iter();
    levels.map(|level| level.into_iter().filter_map(|text| Document::read(text).ok()).collect()).collect()
}

fn decide(documents: &[Document], question: &Question<'_>) -> Decision {
    let decisions: Vec<_> = documents.iter().map(|document| document.decide(question)).collect();
    let strongest = [Decision::Denied, Decision::Allowed].into_iter().find(|kind| decisions.contains(kind));
    strongest.unwrap_or(Decision::Silent)
}

impl Reason {
    /// Returns the end of the message that denies an action.
    pub(crate) fn text(self, action: &str) -> String {
        match self {
            Self::Denied(sort) => format!(" with an explicit deny in {}", sort.with_article()),
            Self::NotAllowed(sort) => format!(" because no {} allows the {action} action", sort.name()),
        }
    }

    /// Tells whether a policy denies it.
    pub(crate) fn is_explicit(self) -> bool {
        matches!(self, Self::Denied(_))
    }
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Control => "service control policy",
        }
    }

    fn with_article(self) -> String {
        let article = if self == Self::Identity { "an" } else { "a" };
        format!("{article} {}", self.name())
    }
}
