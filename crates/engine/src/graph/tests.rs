//! Orders of runs.

mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::address::{AccountName, Kind, RemoteId};
use crate::diagnostic::{Sources, Span};
use crate::gate::Anchor;
use crate::observation::Observations;
use crate::plan::{Mode, Options, Reason};
use crate::provider::{Account, BoxFuture, Connection, Provider, ProviderError};
use crate::registry::Registry;
use crate::resource::Readiness;
use crate::schema::AttributeSchema;
use crate::secrets::Secrets;
use crate::spec::{Lifecycle, Refactoring, ResourceNode, Stack};
use crate::state::{Object, ResourceState, State, Status};
use crate::value::ValueMap;

const CREATE_FIRST: ChangeAction = ChangeAction::Replace(ReplaceOrder::CreateFirst);
const DELETE_FIRST: ChangeAction = ChangeAction::Replace(ReplaceOrder::DeleteFirst);

/// Names with the names that they need.
type Needs<'a> = &'a [(&'a str, &'a [&'a str])];

struct NoProvider;

impl Provider for NoProvider {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        Vec::new()
    }

    fn connect<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        Box::pin(async { Ok(Connection::new(())) })
    }
}

fn address(name: &str) -> Address {
    Address::new("thing", name)
}

fn addresses(names: &[&str]) -> BTreeSet<Address> {
    names.iter().map(|name| address(name)).collect()
}

fn spec(needs: Needs<'_>) -> Spec {
    let mut sources = Sources::default();
    let span = Span::new(sources.add("spec.toml", ""), 0..0);
    let node = |(name, needs): &(&str, &[&str])| {
        let node = ResourceNode {
            address: address(name),
            kind: Kind::new("thing"),
            account: AccountName::new("a"),
            attributes: BTreeMap::new(),
            follows: BTreeMap::new(),
            dependencies: addresses(needs),
            depends_on: BTreeSet::new(),
            lifecycle: Lifecycle::default(),
            span,
        };
        (address(name), node)
    };
    Spec {
        sources,
        stack: Stack { name: "test".to_owned(), requires: None },
        accounts: BTreeMap::new(),
        resources: needs.iter().map(node).collect(),
        crossings: Vec::new(),
        outputs: BTreeMap::new(),
        secrets: Secrets::default(),
        refactoring: Refactoring::default(),
        imports: Vec::new(),
        digest: String::new(),
    }
}

fn state(needs: Needs<'_>) -> State {
    let resource = |(name, needs): &(&str, &[&str])| {
        let object = Object {
            remote_id: RemoteId::new(*name),
            operation_id: (*name).to_owned(),
            inputs: ValueMap::new(),
            outputs: ValueMap::new(),
            status: Status::Ready,
            is_being_made: false,
            created_at: Timestamp::UNIX_EPOCH,
            changed_at: None,
        };
        let resource = ResourceState {
            kind: Kind::new("thing"),
            account: AccountName::new("a"),
            account_id: String::new(),
            region: String::new(),
            object: Some(object),
            deposed: Vec::new(),
            dependencies: addresses(needs),
            lifecycle: Lifecycle::default(),
        };
        (address(name), resource)
    };
    State { resources: needs.iter().map(resource).collect(), ..State::empty("test", "0") }
}

fn plan(changes: &[(&str, ChangeAction)]) -> Plan {
    let change = |(name, action): &(&str, ChangeAction)| Change {
        address: address(name),
        kind: Kind::new("thing"),
        account: AccountName::new("a"),
        account_id: String::new(),
        region: String::new(),
        action: *action,
        remote_id: (*action != ChangeAction::Create).then(|| RemoteId::new(*name)),
        reasons: vec![Reason::Differs],
        attributes: Vec::new(),
        follows: BTreeMap::new(),
        rounds: Vec::new(),
        last_round: None,
        inputs: ValueMap::new(),
        dependencies: BTreeSet::new(),
        lifecycle: Lifecycle::default(),
    };
    Plan {
        mode: Mode::Apply,
        options: Options::default(),
        stack: "test".to_owned(),
        lineage: "0".to_owned(),
        serial: 0,
        spec_digest: String::new(),
        nonce: String::new(),
        accounts: BTreeMap::new(),
        renames: Vec::new(),
        imports: Vec::new(),
        lookups: Vec::new(),
        told: Vec::new(),
        changes: changes.iter().map(change).collect(),
        left_out: Vec::new(),
        drift: Vec::new(),
        unchanged: 0,
        outputs: Vec::new(),
    }
}

/// Returns the halves of the changes in order: `+name` for made, `-name` for deleted.
fn arranged(
    registry: &Registry,
    wanted: Needs<'_>,
    made: Needs<'_>,
    changes: &[(&str, ChangeAction)],
) -> Vec<String> {
    order(registry, wanted, &state(made), &mut plan(changes))
}

/// As [`arranged`], of a plan that is there already.
fn order(registry: &Registry, wanted: Needs<'_>, state: &State, plan: &mut Plan) -> Vec<String> {
    let (spec, observations) = (spec(wanted), Observations::new());
    let request = Request {
        registry,
        spec: &spec,
        state,
        renames: &BTreeMap::new(),
        imports: &[],
        foreseen: &crate::foresee::Foretold::new(),
        lookups: &BTreeMap::new(),
        observations: &observations,
        mode: Mode::Apply,
        options: &Options::default(),
    };
    let graph = Graph::arrange(plan, &request).expect("there is an order");
    let name = |change: usize| plan.changes[change].address.block().name.to_string();
    let shown = |index: NodeIndex| match graph.node(index) {
        Node::Make(change) => Some(format!("+{}", name(*change))),
        Node::Unmake(change) => Some(format!("-{}", name(*change))),
        Node::Withdraw(change) => Some(format!("~{}", name(*change))),
        Node::Round(change, _) => Some(format!("^{}", name(*change))),
        Node::Gate(_, placement) => Some(format!("?{}", placement.address.block().name)),
        Node::Provider(_) | Node::Look(_) | Node::Unchanged => None,
    };
    graph.order().into_iter().filter_map(shown).collect()
}

#[track_caller]
fn check(wanted: Needs<'_>, made: Needs<'_>, changes: &[(&str, ChangeAction)], expected: &str) {
    let order = arranged(&Registry::new(NoProvider), wanted, made, changes);
    assert_eq!(order.join(" "), expected);
}

#[test]
fn orders_reach_through_what_stays_as_it_is() {
    let chain: Needs<'_> = &[("a", &[]), ("b", &["a"]), ("c", &["b"])];
    check(chain, chain, &[("c", ChangeAction::Update), ("a", ChangeAction::Update)], "+a +c");
    check(&[], chain, &[("a", ChangeAction::Delete), ("c", ChangeAction::Delete)], "-c -a");
}

#[test]
fn what_refers_to_a_replaced_thing_moves_away_before_the_old_one_goes() {
    let pair: Needs<'_> = &[("net", &[]), ("user", &["net"])];
    check(pair, pair, &[("net", CREATE_FIRST), ("user", ChangeAction::Update)], "+net +user -net");
    check(pair, pair, &[("net", CREATE_FIRST), ("user", CREATE_FIRST)], "+net +user -user -net");
    check(pair, pair, &[("net", DELETE_FIRST), ("user", ChangeAction::Update)], "-net +net +user");
    check(pair, pair, &[("net", DELETE_FIRST), ("user", DELETE_FIRST)], "-user -net +net +user");
    check(pair, pair, &[("net", CREATE_FIRST), ("user", DELETE_FIRST)], "+net -user -net +user");
}

#[test]
fn a_thing_that_is_given_up_goes_after_its_users_have_changed() {
    let made: Needs<'_> = &[("old", &[]), ("user", &["old"])];
    let wanted: Needs<'_> = &[("new", &[]), ("user", &["new"])];
    let changes =
        [("old", ChangeAction::Delete), ("new", ChangeAction::Create), ("user", ChangeAction::Update)];
    check(wanted, made, &changes, "+new +user -old");
}

#[test]
fn what_lets_go_of_a_thing_does_so_before_it_is_deleted_first() {
    let made: Needs<'_> = &[("net", &[]), ("user", &["net"])];
    let wanted: Needs<'_> = &[("net", &[]), ("user", &[])];
    check(wanted, made, &[("net", DELETE_FIRST), ("user", ChangeAction::Update)], "+user -net +net");
}

#[test]
fn a_replacement_that_cannot_create_first_is_turned_around() {
    // `user` is to be created before its old object goes, which `net` waits for before it comes back.
    let pair: Needs<'_> = &[("net", &[]), ("user", &["net"])];
    check(pair, pair, &[("net", DELETE_FIRST), ("user", CREATE_FIRST)], "-user -net +net +user");
}

#[test]
fn a_preferred_order_gives_way_to_a_needed_one() {
    // `user` would better change before `old` goes, but it needs `net`, which comes back only
    // after its old object is gone, and that is needed by `old`.
    let made: Needs<'_> = &[("net", &[]), ("old", &["net"]), ("user", &["old"])];
    let wanted: Needs<'_> = &[("net", &[]), ("user", &["net"])];
    let changes = [("net", DELETE_FIRST), ("old", ChangeAction::Delete), ("user", ChangeAction::Update)];
    check(wanted, made, &changes, "-old -net +net +user");
}

/// A gate that waits between the deletion of `maker` and that of `ground`.
struct Vanishing;

impl Gate for Vanishing {
    fn place(&self, _: &Plan, _: &State) -> Vec<Placement> {
        vec![Placement {
            address: address("vanishing"),
            account: AccountName::new("a"),
            after: vec![Anchor::Unmade(address("maker"))],
            before: vec![Anchor::Unmade(address("ground"))],
            subject: ValueMap::new(),
            timeout: Duration::from_secs(1),
            poll: Duration::from_secs(1),
        }]
    }

    fn check<'a>(
        &'a self,
        _: &'a BTreeMap<AccountName, Connection>,
        _: &'a Placement,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>> {
        Box::pin(async { Ok(Readiness::Ready) })
    }
}

#[test]
fn a_gate_stands_between_two_deletions_that_need_not_know_each_other() {
    let registry = Registry::new(NoProvider).with_gate(Vanishing);
    let made: Needs<'_> = &[("ground", &[]), ("maker", &[])];
    let changes = [("ground", ChangeAction::Delete), ("maker", ChangeAction::Delete)];
    let order = arranged(&registry, &[], made, &changes);
    assert_eq!(order, ["-maker", "?vanishing", "-ground"]);
}

/// A sequence of numbers that only looks random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }
}

#[test]
fn every_change_of_every_shape_has_an_order() {
    let actions = [ChangeAction::Update, CREATE_FIRST, DELETE_FIRST];
    let names: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
    for seed in 0..2_000 {
        let mut numbers = Numbers(seed);
        let shape = |numbers: &mut Numbers| -> Vec<(usize, Vec<usize>)> {
            let present: Vec<_> = (0..names.len()).filter(|_| numbers.below(4) > 0).collect();
            let needs = |&name: &usize, numbers: &mut Numbers| {
                present.iter().copied().filter(|other| *other < name && numbers.below(3) == 0).collect()
            };
            present.iter().map(|name| (*name, needs(name, numbers))).collect()
        };
        let (wanted, made) = (shape(&mut numbers), shape(&mut numbers));
        let changes: Vec<_> = (0..names.len())
            .filter_map(|name| {
                let has = |side: &[(usize, Vec<usize>)]| side.iter().any(|(other, _)| *other == name);
                let action = match (has(&wanted), has(&made)) {
                    (true, false) => ChangeAction::Create,
                    (false, true) => ChangeAction::Delete,
                    (true, true) if numbers.below(3) > 0 => actions[numbers.below(3)],
                    _ => return None,
                };
                Some((names[name].as_str(), action))
            })
            .collect();
        let order = random_order(&names, &wanted, &made, &changes);
        check_order(&names, &wanted, &made, &order, seed);
    }
}

fn random_order(
    names: &[String],
    wanted: &[(usize, Vec<usize>)],
    made: &[(usize, Vec<usize>)],
    changes: &[(&str, ChangeAction)],
) -> Vec<String> {
    let texts = |needs: &[usize]| needs.iter().map(|need| names[*need].as_str()).collect::<Vec<_>>();
    let (wanted_texts, made_texts): (Vec<_>, Vec<_>) = (
        wanted.iter().map(|(name, needs)| (names[*name].as_str(), texts(needs))).collect(),
        made.iter().map(|(name, needs)| (names[*name].as_str(), texts(needs))).collect(),
    );
    let wanted: Vec<_> = wanted_texts.iter().map(|(name, needs)| (*name, needs.as_slice())).collect();
    let made: Vec<_> = made_texts.iter().map(|(name, needs)| (*name, needs.as_slice())).collect();
    arranged(&Registry::new(NoProvider), &wanted, &made, changes)
}

/// Checks that things are made after what they need, and deleted before it.
fn check_order(
    names: &[String],
    wanted: &[(usize, Vec<usize>)],
    made: &[(usize, Vec<usize>)],
    order: &[String],
    seed: u64,
) {
    let position = |half: String| order.iter().position(|other| *other == half);
    for (sign, side, needs_first) in [('+', wanted, true), ('-', made, false)] {
        for (name, needs) in side {
            for need in needs {
                let halves = (
                    position(format!("{sign}{}", names[*name])),
                    position(format!("{sign}{}", names[*need])),
                );
                if let (Some(name), Some(need)) = halves {
                    assert_eq!(need < name, needs_first, "seed {seed}: {order:?}");
                }
            }
        }
    }
}
