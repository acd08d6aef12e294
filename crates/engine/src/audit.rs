//! What is left behind: things that carry the stack's tag, or a name that its spec gives, and are not
//! in its state.
//!
//! A run that has carried something out looks for them in every account. Whatever the reason, a state
//! that was lost, a tag that a controller has put on what it made, they cost money and nobody else
//! will ever delete them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::access::Access;
use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::permission::Need;
use crate::plan::{ChangeAction, Plan};
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::registry::Registry;
use crate::spec::Spec;
use crate::state::State;
use crate::value::{Value, ValueMap};

/// Finds things by their tags and names. A program registers one for its kinds.
pub trait Audit: Send + Sync {
    /// Returns the things of an account that belong to a stack, by reads alone. What has been deleted
    /// a short while ago may be among them.
    fn find<'a>(
        &'a self,
        connection: &'a Connection,
        search: &'a Search,
    ) -> BoxFuture<'a, Result<Vec<Trace>, ProviderError>>;

    /// Returns what its calls have to be allowed. Where they are not, a run says so and goes on.
    fn permissions(&self) -> &'static [Need] {
        &[]
    }
}

/// What is looked for in an account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// The value of [`STACK_TAG`](crate::resource::STACK_TAG).
    pub stack_id: String,
    /// The inputs of everything that the stack has or had there, as far as they are known, by kind:
    /// some services know their things by names alone.
    pub expected: Vec<(Kind, ValueMap)>,
}

/// A thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The kind, if this program has one for it.
    pub kind: Option<Kind>,
    /// The id of that kind, or whatever the service calls it.
    pub id: RemoteId,
    /// The ARN, or what else names it in the whole service.
    pub arn: Option<String>,
    /// What its [`ADDRESS_TAG`](crate::resource::ADDRESS_TAG) says.
    pub address: Option<String>,
    /// The id of what it is a part of, if that is a thing of a kind of its own; a shorter id stands for
    /// all that begin with it and a slash.
    pub part_of: Option<String>,
}

/// A thing that belongs to the stack and is not in its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leftover {
    /// The account that it is in.
    pub account: AccountName,
    /// The kind, if this program has one for it.
    pub kind: Option<Kind>,
    /// The id.
    pub id: RemoteId,
    /// What its address's tag says.
    pub address: Option<String>,
}

/// What an audit came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Audited {
    /// What is left behind, sorted.
    pub leftovers: Vec<Leftover>,
    /// The accounts that were searched.
    pub searched: Vec<AccountName>,
    /// The accounts that could not be searched, and why.
    pub unread: Vec<(AccountName, String)>,
}

/// Looks for what is left behind in every account of a run that was carried out.
pub(crate) async fn audit(
    registry: &Registry,
    access: &Access,
    spec: &Spec,
    plan: &Plan,
    state: &State,
) -> Audited {
    let mut audited = Audited::default();
    let Some(audit) = registry.audit() else { return audited };
    let known = known(plan, state);
    let mut searched = BTreeSet::new();
    for (account, connection) in access.connections() {
        // Two names may lead to one account and region.
        let place = spec.accounts.get(account).map(|account| (account.id.clone(), account.region.clone()));
        if !searched.insert(place) {
            continue;
        }
        let search = Search { stack_id: state.lineage.clone(), expected: expected(plan, state, account) };
        let found = match audit.find(connection, &search).await {
            Ok(found) => found,
            Err(error) => {
                audited.unread.push((account.clone(), error.to_string()));
                continue;
            }
        };
        let left = found.into_iter().filter(|trace| !known.has(trace)).collect();
        match living(registry, access, account, left).await {
            Ok(left) => {
                audited.searched.push(account.clone());
                audited.leftovers.extend(left);
            }
            Err(error) => audited.unread.push((account.clone(), error.to_string())),
        }
    }
    audited.leftovers.sort();
    audited.leftovers.dedup();
    audited
}

/// What the state has, and what was let go of on purpose.
struct Known {
    ids: BTreeSet<String>,
    /// The addresses of creates of which nobody knows yet what came of them.
    pending: BTreeSet<String>,
}

fn known(plan: &Plan, state: &State) -> Known {
    let objects =
        state.resources.values().flat_map(|resource| resource.object.iter().chain(&resource.deposed));
    let arns = objects.clone().filter_map(|object| object.outputs.get("arn")).filter_map(Value::as_str);
    let ids = objects.map(|object| object.remote_id.as_str()).chain(arns);
    let forgotten = plan.changes.iter().filter(|change| change.action == ChangeAction::Forget);
    let forgotten = forgotten.filter_map(|change| change.remote_id.as_ref()).map(RemoteId::as_str);
    Known {
        ids: ids.chain(forgotten).map(str::to_owned).collect(),
        pending: state.pending.values().map(|pending| pending.address.tag_value()).collect(),
    }
}

impl Known {
    fn has(&self, trace: &Trace) -> bool {
        let is_pending = trace.address.as_ref().is_some_and(|address| self.pending.contains(address));
        let arn = trace.arn.as_ref();
        is_pending
            || trace.part_of.as_ref().is_some_and(|whole| self.has_whole(whole))
            || self.ids.contains(trace.id.as_str())
            || arn.is_some_and(|arn| self.ids.contains(arn))
    }
}

impl Known {
    fn has_whole(&self, id: &str) -> bool {
        let within = format!("{id}/");
        self.ids.contains(id)
            || self.ids.range(within.clone()..).next().is_some_and(|id| id.starts_with(&within))
    }
}

/// Returns the inputs of what a stack has or had in an account.
fn expected(plan: &Plan, state: &State, account: &AccountName) -> Vec<(Kind, ValueMap)> {
    let mut expected: BTreeMap<&Address, (Kind, ValueMap)> = BTreeMap::new();
    for (address, resource) in state.resources.iter().filter(|(_, resource)| resource.account == *account) {
        if let Some(object) = &resource.object {
            expected.insert(address, (resource.kind.clone(), object.inputs.clone()));
        }
    }
    for change in plan.changes.iter().filter(|change| change.account == *account) {
        expected.entry(&change.address).or_insert_with(|| (change.kind.clone(), change.inputs.clone()));
    }
    expected.into_values().collect()
}

/// Returns those of the things that are there: what finds things by tags goes on listing them after
/// they have been deleted.
async fn living(
    registry: &Registry,
    access: &Access,
    account: &AccountName,
    traces: Vec<Trace>,
) -> Result<Vec<Leftover>, ProviderError> {
    let mut by_kind: BTreeMap<Option<Kind>, Vec<Trace>> = BTreeMap::new();
    for trace in traces {
        by_kind.entry(trace.kind.clone()).or_default().push(trace);
    }
    let mut left = Vec::new();
    for (name, mut traces) in by_kind {
        if let Some(kind) = name.as_ref().and_then(|name| registry.kind(name.as_str())) {
            // What is in a cluster has no tags of the account.
            if kind.retained() || kind.through().is_some() {
                continue;
            }
            let ids: Vec<_> = traces.iter().map(|trace| trace.id.clone()).collect();
            let fetch = || kind.fetch(access.connection(account), &ids);
            let listing = access.repeat(fetch, account, &**kind).await?;
            traces.retain(|trace| kind.observe(&listing, &trace.id).is_some());
        }
        left.extend(traces.into_iter().map(|Trace { kind, id, address, .. }| Leftover {
            account: account.clone(),
            kind,
            id,
            address,
        }));
    }
    Ok(left)
}
