//! The gate between a share and what stands on the things that it holds: the account that they
//! are shared with sees them some time after the share is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::access::Access;
use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::diagnostic::Diagnostic;
use crate::erased::AnyResource;
use crate::gate::{Anchor, Gate, Placement};
use crate::plan::{Change, ChangeAction, Plan, Request};
use crate::provider::{BoxFuture, Connection, ErrorClass, ProviderError};
use crate::resource::Readiness;
use crate::run::RunError;
use crate::spec::Crossing;
use crate::state::State;
use crate::value::Value;

/// How long an account may not see what is shared with it, if the share has no `timeouts`.
const LIMIT: Duration = Duration::from_mins(10);

/// Waits until an account sees everything that its resources use of another one's.
pub(crate) struct Sight {
    advice: &'static str,
    /// By share and account that it is for.
    views: BTreeMap<(Address, AccountName), View>,
    /// The kinds that can be shared.
    kinds: BTreeMap<Kind, Arc<dyn AnyResource>>,
}

/// What one account wants to see.
#[derive(Default)]
struct View {
    limit: Duration,
    poll: Duration,
    /// The resources that use the things, each with what it uses.
    users: Vec<(Address, Address)>,
}

impl Sight {
    /// Returns the gate of a run; `None` if nothing crosses a boundary.
    pub(crate) fn of(request: &Request<'_>) -> Option<Self> {
        let Request { registry, spec, .. } = *request;
        let sharing = registry.sharing().filter(|_| !spec.crossings.is_empty())?;
        let mut views = BTreeMap::<_, View>::new();
        for Crossing { resource, thing, shares } in &spec.crossings {
            let Some(user) = spec.resources.get(resource) else { continue };
            for share in shares.iter().filter_map(|share| spec.resources.get(share)) {
                let view = views.entry((share.address.clone(), user.account.clone())).or_default();
                view.limit = share.lifecycle.timeouts.map_or(LIMIT, |timeouts| timeouts.create);
                view.poll = registry.kind(sharing.share).map_or(LIMIT, |kind| kind.traits().poll);
                view.users.push((resource.clone(), thing.clone()));
            }
        }
        let kinds = sharing.shareable.iter().filter_map(|shareable| registry.kind(shareable.kind));
        let kinds = kinds.map(|kind| (kind.schema().kind.clone(), Arc::clone(kind))).collect();
        Some(Self { advice: sharing.advice, views, kinds })
    }

    /// Returns those of the things that an account does not see.
    async fn unseen(
        &self,
        connection: &Connection,
        things: &BTreeMap<Address, RemoteId>,
    ) -> Result<Vec<Address>, ProviderError> {
        let mut unseen = Vec::new();
        for (kind, resource) in &self.kinds {
            let of_kind = || things.iter().filter(|(address, _)| address.block().kind == *kind);
            let ids: Vec<_> = of_kind().map(|(_, id)| id.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            match resource.fetch(connection, &ids).await {
                Ok(listing) => {
                    let hidden = of_kind().filter(|(_, id)| resource.observe(&listing, id).is_none());
                    unseen.extend(hidden.map(|(address, _)| address.clone()));
                }
                Err(error) if error.class == ErrorClass::NotFound => {
                    unseen.extend(of_kind().map(|(address, _)| address.clone()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(unseen)
    }
}

/// Returns what lookups have to see to be read as a whole and their account does not see: a share that
/// was made a moment ago may be seen by halves.
///
/// # Errors
/// If a read fails.
pub(crate) async fn hidden(
    access: &Access,
    request: &Request<'_>,
    lookups: &BTreeSet<&Address>,
) -> Result<Option<Diagnostic>, RunError> {
    let Request { spec, state, observations, .. } = *request;
    let Some(sight) = Sight::of(request) else { return Ok(None) };
    let mut wanted: BTreeMap<&AccountName, BTreeMap<Address, RemoteId>> = BTreeMap::new();
    let mut user = BTreeMap::new();
    for Crossing { resource, thing, .. } in &spec.crossings {
        // What is gone is made again, and its share is another one then.
        let is_there = observations.get(thing).is_some_and(|found| found.object.is_some());
        let object = state.resources.get(thing).and_then(|prior| prior.object.as_ref());
        if let (Some(object), true) = (object, is_there && lookups.contains(resource)) {
            let things = wanted.entry(&spec.resources[resource].account).or_default();
            things.insert(thing.clone(), object.remote_id.clone());
            user.entry(thing).or_insert(resource);
        }
    }
    for (account, things) in wanted {
        let Some(service) = sight.kinds.values().next().map(|kind| kind.traits().service) else { break };
        let look = || sight.unseen(access.connection(account), &things);
        let unseen = access.repeat_in(look, account, service).await.map_err(|source| RunError::Read {
            what: "what is shared with it".to_owned(),
            account: account.clone(),
            source: Box::new(source.without(&spec.secrets)),
        })?;
        if let Some(first) = unseen.first() {
            let lookup = &spec.resources[user[first]];
            let names: Vec<_> = unseen.iter().map(ToString::to_string).collect();
            let problem = Diagnostic::error("not-seen-yet", "something that is shared is not seen yet");
            let problem =
                problem.with_address(lookup.address.clone()).with_span(lookup.span, "is read there");
            return Ok(Some(problem.with_detail(format!(
                "The account `{account}` does not see {}, so that {} would find a part of what is there.",
                names.join(", "),
                lookup.address
            )).with_hint(format!("If it was shared a moment ago, plan again in a minute. {}", sight.advice))));
        }
    }
    Ok(None)
}

impl Gate for Sight {
    /// There is a gate for a share and an account only if something of the account that needs it is
    /// made or changed, or looked up while the plan is carried out.
    fn place(&self, plan: &Plan, _: &State) -> Vec<Placement> {
        let made = plan.changes.iter().filter(|change| is_made(change)).map(|change| &change.address);
        let looked_up = plan.lookups.iter().filter(|lookup| lookup.later).map(|lookup| &lookup.address);
        let made: BTreeSet<_> = made.chain(looked_up).collect();
        let place = |((share, account), view): (&(Address, AccountName), &View)| {
            let users = view.users.iter().filter(|(resource, _)| made.contains(resource));
            let (users, things): (BTreeSet<_>, BTreeSet<_>) = users.cloned().unzip();
            let after = things.iter().chain([share]).cloned().map(Anchor::Made).collect();
            let id = |thing: &Address| (thing.to_string(), Value::unknown(thing.clone(), "id"));
            (!users.is_empty()).then(|| Placement {
                address: share.clone(),
                account: account.clone(),
                after,
                before: users.into_iter().map(Anchor::Made).collect(),
                subject: things.iter().map(id).collect(),
                timeout: view.limit,
                poll: view.poll,
            })
        };
        self.views.iter().filter_map(place).collect()
    }

    fn check<'a>(
        &'a self,
        connections: &'a BTreeMap<AccountName, Connection>,
        placement: &'a Placement,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>> {
        Box::pin(async move {
            let thing =
                |(address, id): (&String, &Value)| Some((address.parse().ok()?, RemoteId::new(id.as_str()?)));
            let things = placement.subject.iter().filter_map(thing).collect();
            let unseen = self.unseen(&connections[&placement.account], &things).await?;
            if unseen.is_empty() {
                return Ok(Readiness::Ready);
            }
            let names: Vec<_> = unseen.iter().map(ToString::to_string).collect();
            Ok(Readiness::Pending(format!(
                "account {} does not see {} yet",
                placement.account,
                names.join(", ")
            )))
        })
    }

    fn advice(&self, _: &Placement) -> Option<String> {
        Some(self.advice.to_owned())
    }
}

fn is_made(change: &Change) -> bool {
    match change.action {
        ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace(_) => true,
        ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => false,
    }
}
