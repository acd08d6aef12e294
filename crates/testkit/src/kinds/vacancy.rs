//! The gate before a share lets go of a segment: nothing of the other account is left in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use straddle_engine::address::{AccountName, Address};
use straddle_engine::gate::{Anchor, Gate, Placement};
use straddle_engine::plan::{Change, ChangeAction, Plan, Reason};
use straddle_engine::provider::{BoxFuture, Connection, ProviderError};
use straddle_engine::resource::{Readiness, ReplaceOrder};
use straddle_engine::state::State;
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{Action, Answer, Filter, Rules, texts};
use crate::kinds::share::{PRINCIPALS, RESOURCES};

/// Waits until nothing of an account is left in the segments that are shared with it no longer.
#[derive(Debug)]
pub struct Vacancy;

/// What the cloud knows of an interface: what somebody has put into a segment.
pub(super) const INTERFACE: Rules = Rules {
    references: &[crate::cloud::Reference { attribute: "segment", holds: true }],
    ..Rules::new("interface", crate::cloud::IdScheme::Number("if"))
};

/// Segments, each with an account that it is shared with.
type Pairs = BTreeSet<(String, String)>;

impl Gate for Vacancy {
    fn place(&self, plan: &Plan, state: &State) -> Vec<Placement> {
        let kept = kept(plan, state);
        let shares = plan.changes.iter().filter(|change| change.kind.as_str() == "share");
        shares.filter_map(|change| placement(change, state, &kept)).collect()
    }

    fn check<'a>(
        &'a self,
        connections: &'a BTreeMap<AccountName, Connection>,
        placement: &'a Placement,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>> {
        Box::pin(async move {
            let client: &Client = connections[&placement.account].client();
            let ids = placement.subject.keys().cloned().collect();
            let action = Action::List { filter: Filter::Standing { ids } };
            let Answer::List(found) = client.call("ListInterfaces", INTERFACE.kind, action).await? else {
                unreachable!("a list is answered with a list")
            };
            let names = |segment: &String, accounts: &Value| {
                found.iter().find_map(|seen| {
                    let inside = seen.values.values().flat_map(texts).any(|id| id == segment);
                    let leaves = texts(accounts).any(|account| account == seen.account);
                    (inside && leaves)
                        .then(|| format!("{} of account {} is still in {segment}", seen.id, seen.account))
                })
            };
            let left = placement.subject.iter().find_map(|(segment, accounts)| names(segment, accounts));
            Ok(left.map_or(Readiness::Ready, Readiness::Pending))
        })
    }

    fn advice(&self, _: &Placement) -> Option<String> {
        Some("Remove it, and run the same command again.".to_owned())
    }
}

/// Returns where a share has to wait that lets go of something.
fn placement(change: &Change, state: &State, kept: &Pairs) -> Option<Placement> {
    let mut leaving = before(change, state)?;
    leaving.retain(|pair| !kept.contains(pair));
    let mut subject = BTreeMap::<_, Vec<_>>::new();
    for (segment, account) in leaving {
        subject.entry(segment).or_default().push(account);
    }
    let users =
        state.resources.iter().filter(|(_, resource)| resource.dependencies.contains(&change.address));
    let users: Vec<_> = users.map(|(address, _)| address.clone()).collect();
    let unmade = users.iter().cloned().map(Anchor::Unmade);
    let address = change.address.clone();
    let goes = change.action != ChangeAction::Update;
    (!subject.is_empty()).then(|| Placement {
        address: address.clone(),
        account: change.account.clone(),
        after: unmade.chain(users.iter().cloned().map(Anchor::Made)).collect(),
        before: vec![if goes { Anchor::Unmade(address) } else { Anchor::Withdrawn(address) }],
        subject: subject.into_iter().map(|(segment, accounts)| (segment, Value::from(accounts))).collect(),
        timeout: Duration::from_mins(10),
        poll: Duration::from_secs(10),
    })
}

/// Returns what a share holds before a change after which it may hold less.
fn before(change: &Change, state: &State) -> Option<Pairs> {
    match change.action {
        ChangeAction::Create | ChangeAction::Forget => None,
        ChangeAction::Update => {
            let mut inputs = change.inputs.clone();
            let members = [RESOURCES, PRINCIPALS];
            let changed =
                change.attributes.iter().filter(|attribute| members.contains(&attribute.name.as_str()));
            inputs.extend(changed.map(|attribute| (attribute.name.clone(), attribute.before.clone())));
            Some(pairs(&inputs).collect())
        }
        ChangeAction::Replace(_) | ChangeAction::Delete | ChangeAction::DeleteDeposed => {
            let prior = state.resources.get(&change.address)?;
            let mut objects = prior.object.iter().chain(&prior.deposed);
            let object = objects.find(|object| Some(&object.remote_id) == change.remote_id.as_ref())?;
            Some(pairs(&object.inputs).collect())
        }
    }
}

/// Returns what is shared at the end of a run, and never less on the way there.
fn kept(plan: &Plan, state: &State) -> Pairs {
    let current = |change: &&Change| change.action != ChangeAction::DeleteDeposed;
    let changes: BTreeMap<&Address, &Change> =
        plan.changes.iter().filter(current).map(|change| (&change.address, change)).collect();
    let made = changes.values().filter(|change| match change.action {
        ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace(ReplaceOrder::CreateFirst) => {
            true
        }
        ChangeAction::Replace(ReplaceOrder::DeleteFirst)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => false,
    });
    let made = made.filter(|change| change.kind.as_str() == "share");
    // What is not known yet as a whole may be what it was.
    let made = made.flat_map(|change| match change.inputs.get(RESOURCES) {
        Some(Value::Unknown(_)) => before(change, state).unwrap_or_default(),
        _ => pairs(&change.inputs).collect(),
    });
    let gone = |reason: &Reason| matches!(reason, Reason::Vanished { .. });
    let stays = |change: &&Change| change.action == ChangeAction::Forget && !change.reasons.iter().any(gone);
    let unchanged = state.resources.iter().filter(|(address, resource)| {
        resource.kind.as_str() == "share" && changes.get(address).is_none_or(stays)
    });
    let unchanged = unchanged.filter_map(|(_, resource)| resource.object.as_ref());
    made.chain(unchanged.flat_map(|object| pairs(&object.inputs))).collect()
}

fn pairs(inputs: &ValueMap) -> impl Iterator<Item = (String, String)> {
    let items = |name: &str| inputs.get(name).into_iter().flat_map(texts).map(str::to_owned);
    items(RESOURCES).flat_map(move |segment| items(PRINCIPALS).map(move |account| (segment.clone(), account)))
}
